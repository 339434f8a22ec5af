package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/kubernetes"
)

// place is a cluster that an application is on, and all that it has on clusters.
type place struct {
	app       *api.Application
	ref       api.ResourceRef
	member    *fleet.Member
	inventory []api.InventoryObject
}

// name is what people call the cluster.
func (p *place) name() string { return p.ref.Name }

// home is where an application runs, or else where it is to run; nil if it has no place yet.
func home(app *api.Application) *api.ResourceRef {
	if app.Status.RunningOn != nil {
		return app.Status.RunningOn
	}
	return app.Status.ScheduledTo
}

// place goes to a cluster of an application.
func (g *Gateway) place(ctx context.Context, app *api.Application, ref *api.ResourceRef) (*place, error) {
	if ref == nil {
		return nil, unplaced(app)
	}
	p := &place{app: app, ref: *ref}
	cluster, err := g.clusters.Get(ctx, ref.NamespaceOrEmpty(), ref.Name)
	if client.NotFound(err) {
		return nil, conflict("the cluster %s, on which the application %s is, is not registered any more", ref.Name, app.Metadata.Name)
	}
	if err != nil {
		return nil, err
	}
	if p.member, err = kubernetes.Connect(ctx, g.fleet, cluster); err != nil {
		return nil, problem(ref.Name, err)
	}
	var inventory api.Inventory
	if _, err := g.apps.GetPart(ctx, app, api.InventoryPart, &inventory); err != nil {
		return nil, err
	}
	p.inventory = inventory.Objects
	return p, nil
}

// unplaced says why an application is nowhere.
func unplaced(app *api.Application) error {
	why := ""
	if app.Status.Reason != nil {
		why = ": " + app.Status.Reason.Message
	}
	return conflict("the application %s is on no cluster yet; it is %s%s", app.Metadata.Name, app.Status.State, why)
}

// pods are the application's pods on the cluster; one of them, if it is named.
func (p *place) pods(ctx context.Context, named string) ([]fleet.Pod, error) {
	pods, err := p.member.Pods(ctx, p.inventory)
	if err != nil {
		return nil, problem(p.name(), err)
	}
	if named == "" {
		return pods, nil
	}
	for _, pod := range pods {
		if named == pod.Name || named == pod.Namespace+"/"+pod.Name {
			return []fleet.Pod{pod}, nil
		}
	}
	return nil, absent("the application %s has no pod %s on the cluster %s; %s", p.app.Metadata.Name, named, p.name(), listed(pods))
}

// listed tells which pods there are.
func listed(pods []fleet.Pod) string {
	if len(pods) == 0 {
		return "it has none there"
	}
	names := make([]string, 0, len(pods))
	for _, pod := range pods {
		names = append(names, pod.Name)
	}
	return "it has " + enumerated(names)
}

// mostNamed is how many names an error has at most.
const mostNamed = 20

func enumerated(names []string) string {
	if len(names) > mostNamed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), len(names)-mostNamed)
	}
	return strings.Join(names, ", ")
}

// reach finds the pod that a WebSocket is to lead to: a running one, that the query names, or as running has it.
func (g *Gateway) reach(w http.ResponseWriter, r *http.Request, app *api.Application, any bool) (*place, fleet.Pod, error) {
	if err := upgrades(w, r); err != nil {
		return nil, fleet.Pod{}, err
	}
	at, err := g.place(r.Context(), app, home(app))
	if err != nil {
		return nil, fleet.Pod{}, err
	}
	pod, err := at.running(r.Context(), r.URL.Query().Get("pod"), any)
	return at, pod, err
}

// running returns a pod that runs: the one that is named, or the only one. If any will do, it is the first one.
func (p *place) running(ctx context.Context, named string, any bool) (fleet.Pod, error) {
	pods, err := p.pods(ctx, named)
	if err != nil {
		return fleet.Pod{}, err
	}
	var candidates []fleet.Pod
	for _, pod := range pods {
		if pod.Running {
			candidates = append(candidates, pod)
		}
	}
	switch {
	case len(candidates) == 1, len(candidates) > 1 && any:
		return candidates[0], nil
	case len(candidates) > 1:
		return fleet.Pod{}, conflict("several pods of the application %s run on the cluster %s, say which one is meant by pod: %s",
			p.app.Metadata.Name, p.name(), strings.TrimPrefix(listed(candidates), "it has "))
	case named != "":
		return fleet.Pod{}, conflict("the pod %s does not run%s", named, states(pods))
	default:
		return fleet.Pod{}, conflict("no pod of the application %s runs on the cluster %s%s", p.app.Metadata.Name, p.name(), states(pods))
	}
}

// states says why pods do not run.
func states(pods []fleet.Pod) string {
	var out []string
	for _, pod := range pods {
		switch waiting := waitingOf(pod); {
		case pod.Ended:
			out = append(out, pod.Name+" has ended")
		case waiting != "":
			out = append(out, pod.Name+" waits: "+waiting)
		default:
			out = append(out, pod.Name+" has not been started")
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + enumerated(out)
}

func waitingOf(pod fleet.Pod) string {
	for _, c := range pod.Containers {
		if c.Waiting != "" {
			return c.Waiting
		}
	}
	return ""
}

// container returns the container of a pod that is named, or that is meant if none is.
func container(pod fleet.Pod, named string) (*fleet.Container, error) {
	var names []string
	for _, c := range pod.Containers {
		names = append(names, c.Name)
	}
	if named != "" {
		if c := pod.Container(named); c != nil {
			return c, nil
		}
		return nil, absent("the pod %s has no container %s; it has %s", pod.Name, named, enumerated(names))
	}
	if c := pod.Container(pod.Default); c != nil {
		return c, nil
	}
	return nil, conflict("the pod %s has several containers, say which one is meant by container: %s", pod.Name, enumerated(names))
}

// owner is how the application's objects are marked.
func (g *Gateway) owner(ctx context.Context, app *api.Application) (fleet.Owner, error) {
	data, err := g.client.Do(ctx, client.Request{Method: http.MethodGet, Path: "/installation"})
	if err != nil {
		return fleet.Owner{}, err
	}
	var answer struct {
		Installation string `json:"installation"`
	}
	err = json.Unmarshal(data, &answer)
	return fleet.Owner{
		UID: app.Metadata.UID, Namespace: app.Metadata.NamespaceOrEmpty(), Name: app.Metadata.Name, Installation: answer.Installation,
	}, err
}
