package preview

import (
	"cmp"
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/metrics"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// Knowledge is what the scheduler knows that nobody else does.
type Knowledge interface {
	// Deciding says whether the scheduler of this process is the one that decides now.
	Deciding() bool
	// Values are those of metrics.Reader.
	Values(namespace string, refs []api.MetricRef) (values []metrics.Value, failures []metrics.Failure, read bool)
	// Full gives the clusters to which no more applications may move, with the time when one may again.
	Full(namespace string) map[string]time.Time
	// Room is what a cluster has for applications, nil if its capacity does not count.
	Room(c *api.Cluster) *core.Room
	// Inherited gives the labels and metrics of a cluster, with what it takes over from its cloud.
	Inherited(c *api.Cluster) (labels map[string]string, refs []api.MetricRef)
	// Asking adds to a snapshot what an application asks for, and what the others have.
	Asking(snapshot *core.Snapshot, a *api.Application) *core.Snapshot
}

// Preview answers questions.
type Preview struct {
	client    *client.Client
	apps      client.Set[api.Application, *api.Application]
	clusters  client.Set[api.Cluster, *api.Cluster]
	rules     core.Rules
	now       func() time.Time
	places    chan struct{} // a token for each answer that is worked on
	knowledge atomic.Pointer[Knowledge]
}

// Options say what a Preview works on.
type Options struct {
	Client *client.Client
	Rules  core.Rules // core.DefaultRules when zero
	// Now replaces the clock.
	Now func() time.Time
}

// atOnce is how many questions are worked on at a time: each reads all clusters of a namespace.
const atOnce = 4

// New returns a preview.
func New(o Options) *Preview {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Preview{
		client: o.Client, apps: client.Of[api.Application](o.Client), clusters: client.Of[api.Cluster](o.Client),
		rules: cmp.Or(o.Rules, core.DefaultRules).InForce(), now: o.Now, places: make(chan struct{}, atOnce),
	}
}

// Use has answers rest on what a scheduler of this process knows, while it decides.
func (p *Preview) Use(k Knowledge) { p.knowledge.Store(&k) }

// known is the knowledge of the scheduler that decides, nil if it runs elsewhere.
func (p *Preview) known() Knowledge {
	if k := p.knowledge.Load(); k != nil && (*k).Deciding() {
		return *k
	}
	return nil
}

// Answer answers a question, an *api.PlacementDraft. Its errors are *wire.Errors for a bad question and problems of the API.
func (p *Preview) Answer(ctx context.Context, namespace string, question any) (any, error) {
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	draft := question.(*api.PlacementDraft)
	app, record, err := p.application(ctx, namespace, draft)
	if err != nil {
		return nil, err
	}
	if app.Metadata.Deleted != nil {
		return nil, api.NewProblem(http.StatusConflict, "", "409: Conflict: the application %s is being deleted, it gets no place any more", app.Metadata.Name)
	}
	scene, err := p.scene(ctx, namespace, draft)
	if err != nil {
		return nil, err
	}
	now := p.now()
	look := core.Look{Rules: p.rules, Memory: core.Recall(record, p.rules), Now: now}
	snapshot := scene.snapshot().Avoiding(record, app, now)
	if scene.known != nil {
		look.Full, snapshot = scene.known.Full(namespace), scene.known.Asking(snapshot, app)
	}
	out := api.PlacementExplanation{Notes: scene.notes()}
	out.Decision, out.Changes = core.Explain(snapshot, app, look, draft.About)
	if d := out.Decision; app.Metadata.UID == "" && d.RunnerUp != "" && d.Margin == 0 {
		out.Notes = append(out.Notes, "Which of several clusters that are equally good an application gets depends on the UID that it gets when it is created.")
	}
	return out, nil
}

// application is what a question is about, and what is remembered of it.
func (p *Preview) application(ctx context.Context, namespace string, draft *api.PlacementDraft) (*api.Application, api.Placement, error) {
	var record api.Placement
	if draft.Name == "" {
		app, err := newApplication(namespace, draft.Application)
		return app, record, err
	}
	stored, err := p.apps.Get(ctx, namespace, draft.Name)
	if err != nil {
		return nil, record, err
	}
	if _, err := p.apps.GetPart(ctx, stored, api.PlacementPart, &record); err != nil {
		return nil, record, err
	}
	app, err := patched(stored, draft.Application)
	return app, record, err
}
