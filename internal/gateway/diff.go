package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/kubernetes"
)

// diff tells what an apply would change now on the cluster that the application is bound to: for its manifest, or for the
// one in the body.
func (g *Gateway) diff(w http.ResponseWriter, r *http.Request, app *api.Application, body any) error {
	to := app.Status.ScheduledTo
	if to == nil {
		to = app.Status.RunningOn
	}
	at, err := g.place(r.Context(), app, to)
	if err != nil {
		return err
	}
	owner, err := g.owner(r.Context(), app)
	if err != nil {
		return err
	}
	var desired []fleet.Object
	if app.Metadata.Deleted == nil { // of one that is being deleted nothing is to stay
		wish := kubernetes.Wish(app, api.SameRef(app.Status.RunningOn, to))
		wish.Confined, wish.Has = g.confined, at.inventory
		if draft, ok := body.(*api.ApplicationDraft); ok {
			wish.Manifest = draft.Manifest
			if draft.ObserverSchema != nil {
				wish.Schema = draft.ObserverSchema
			}
		}
		if desired, err = at.member.Resolve(r.Context(), wish, owner); err != nil {
			return problem(at.name(), err)
		}
	}
	objects, err := at.member.Compare(r.Context(), desired, at.inventory, owner.UID)
	if err != nil {
		return problem(at.name(), err)
	}
	data, err := json.Marshal(api.ApplicationDiff{Cluster: at.ref, Objects: objects})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(data)
	return nil
}
