package kubernetes

import (
	"testing"

	"github.com/rak-n-rok/krake/api"
)

func TestAShutdownIsOverWhenTheRemovalBegins(t *testing.T) {
	for name, before := range map[string]api.Conditions{
		"none was asked for": nil,
		"one was asked for":  {{Type: api.ShuttingDown, Status: api.True, Reason: api.Requested}},
		"one was confirmed":  {{Type: api.ShuttingDown, Status: api.True, Reason: api.Confirmed}},
	} {
		t.Run(name, func(t *testing.T) {
			app := api.New[api.Application]()
			app.Metadata.Deleted = &noon
			app.Status.Conditions = before
			p := &pass{Applications: &Applications{clock: noon.Time}, app: app}
			after := *app
			after.Status.Conditions = p.cleaning()["conditions"].(api.Conditions)
			after.Settle(app)
			if after.Status.State != api.AppDeleting {
				t.Errorf("%s; conditions %+v", after.Status.State, after.Status.Conditions)
			}
			if c := after.Status.Conditions.Get(api.ShuttingDown); (c.Status == api.False) != (before != nil) {
				t.Errorf("shutting down: %+v", c)
			}
		})
	}
}
