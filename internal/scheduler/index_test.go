package scheduler

import (
	"fmt"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/controller"
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
	a := app("a", "one", api.True)
	tests := map[string]struct {
		steps [][2]*api.Application
		want  string // bound to one, bound to two, waiting
	}{
		"a new one waits":                    {[][2]*api.Application{{nil, app("a", "", api.Unknown)}}, "[] [] [testing/a]"},
		"one that was refused waits":         {[][2]*api.Application{{nil, app("a", "", api.False)}}, "[] [] [testing/a]"},
		"one that has a place is found":      {[][2]*api.Application{{nil, a}}, "[testing/a] [] []"},
		"one that must leave is found twice": {[][2]*api.Application{{nil, app("a", "one", api.False)}}, "[testing/a] [] [testing/a]"},
		"one that moves changes its place":   {[][2]*api.Application{{nil, a}, {a, app("a", "two", api.True)}}, "[] [testing/a] []"},
		"one that is deleted is forgotten":   {[][2]*api.Application{{nil, a}, {a, marked}}, "[] [] []"},
		"one that is gone is forgotten":      {[][2]*api.Application{{nil, a}, {a, nil}}, "[] [] []"},
		"others stay":                        {[][2]*api.Application{{nil, a}, {nil, app("b", "one", api.True)}, {a, nil}}, "[testing/b] [] []"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			x := newIndex()
			for _, s := range test.steps {
				x.update(s[0], s[1])
			}
			one, two := controller.Key{Namespace: space, Name: "one"}, controller.Key{Namespace: space, Name: "two"}
			if got := fmt.Sprint(x.boundTo(one), x.boundTo(two), x.waitingIn(space)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if test.want == "[] [] []" && len(x.bound)+len(x.waiting) > 0 {
				t.Errorf("something is left: %+v", x)
			}
		})
	}
}
