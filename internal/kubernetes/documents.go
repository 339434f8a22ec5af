package kubernetes

import (
	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// wish is what the application wants on a cluster. What a cluster has assigned belongs to that one: it is not carried along
// to another.
func (p *pass) wish(identity string) fleet.Wish {
	c := p.clusterOf(p.app.Status.RunningOn)
	w := Wish(p.app, c != nil && c.Status.Identity == identity)
	w.Confined, w.Has = p.confined, p.inventory.Objects
	return w
}

// Wish is what an application wants on a cluster, which may be the one that it runs on.
func Wish(app *api.Application, there bool) fleet.Wish {
	w := fleet.Wish{Manifest: app.Spec.Manifest, Schema: app.Spec.ObserverSchema}
	if there {
		w.Applied = app.Status.LastAppliedManifest
	}
	return w
}

// describe adds to a patch of the status those documents about its objects on a cluster that have changed.
func (p *pass) describe(identity string, seen fleet.Snapshot, status map[string]any) {
	d, was := fleet.Describe(p.wish(identity), seen), p.app.Status
	for field, document := range map[string]struct{ is, was []map[string]any }{
		"mangled_observer_schema": {d.Schema, was.MangledObserverSchema},
		"last_applied_manifest":   {d.Applied, was.LastAppliedManifest},
		"last_observed_manifest":  {d.Observed, was.LastObservedManifest},
	} {
		if !wire.Equal(document.is, document.was) {
			status[field] = document.is
		}
	}
}
