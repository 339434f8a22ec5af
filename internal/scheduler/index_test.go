package scheduler

import (
	"fmt"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
)

func TestTheIndexFindsWhomAClusterConcerns(t *testing.T) {
	namespace := space
	app := func(name, cluster string, scheduled api.ConditionStatus) *api.Application {
		a := api.New[api.Application]()
		a.Metadata.Name, a.Metadata.Namespace = name, &namespace
		if cluster != "" {
			ref := api.ClusterKind.Ref(space, cluster)
			a.Status.ScheduledTo = &ref
		}
		if scheduled != api.Unknown {
			a.Status.Conditions = a.Status.Conditions.With(api.Condition{Type: api.Scheduled, Status: scheduled}, api.At(time.Now()))
		}
		return a
	}
	marked := app("a", "one", api.True)
	marked.Metadata.Deleted = &api.Time{}
	held := app("a", "one", api.True)
	held.Status.Conditions[0].Message = "It stays for now."
	tests := map[string]struct {
		app  *api.Application
		want string // bound to, waiting in
	}{
		"a new one waits":                    {app("a", "", api.Unknown), "[] [testing]"},
		"one that was refused waits":         {app("a", "", api.False), "[] [testing]"},
		"one that has a place is found":      {app("a", "one", api.True), "[testing/one] []"},
		"one that should leave is, too":      {held, "[testing/one] [testing]"},
		"one that must leave is found twice": {app("a", "one", api.False), "[testing/one] [testing]"},
		"one that is deleted is forgotten":   {marked, "[] []"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := fmt.Sprint(boundTo(test.app), waitingIn(test.app)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
