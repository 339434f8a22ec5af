package kubernetes

import (
	"context"
	"log/slog"
	"testing"

	"github.com/rak-n-rok/krake/internal/controller"
)

// A process that had to leave the work to another one, and does it again, must not act on what it knew before: the other
// one has changed inventories and moves meanwhile.
func TestARunRemembersNothingOfTheOneBefore(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	key := controller.Key{Namespace: "solar", Name: "forecast"}
	ctl := controller.New(controller.Config{Name: "test", Log: slog.New(slog.DiscardHandler)})

	apps := &Applications{ctl: ctl}
	apps.memory.put(key, &remembered{uid: "u"})
	if err := apps.Run(ended); err != nil || apps.memory.get(key, "u") != nil {
		t.Errorf("an application is remembered, %v", err)
	}
	clusters := &Clusters{ctl: ctl, misses: map[controller.Key]misses{key: {count: 2}}}
	if err := clusters.Run(ended); err != nil || len(clusters.misses) != 0 {
		t.Errorf("misses are remembered, %v: %v", err, clusters.misses)
	}
}
