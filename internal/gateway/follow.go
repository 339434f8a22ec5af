package gateway

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/fleet"
)

const (
	// followEvery is how often it is looked which pods there are.
	followEvery = 2 * time.Second
	// mostFollowed is how many containers are followed at once. Each costs a stream on the cluster and one on its node.
	mostFollowed = 64
)

// A follower reads from the containers of an application as they come and go, also when it moves to another cluster.
type follower struct {
	g     *Gateway
	out   *lines
	q     logQuery
	app   *api.Application
	lost  context.CancelCauseFunc // ends it all
	group errgroup.Group

	mu    sync.Mutex
	known map[reading]*progress
	open  int
}

// reading names a container of a pod on a cluster.
type reading struct{ cluster, pod, container string }

// progress is how far a container has been read.
type progress struct {
	open bool
	run  string    // that has been read to its end
	last time.Time // of the last line
}

// follow reads from the sources and from those that come later, until the client goes, the pod that was named has ended, or
// the application is gone or completed.
func (g *Gateway) follow(ctx context.Context, out *lines, q logQuery, at *place, sources []source) error {
	if len(sources) > mostFollowed {
		return conflict("%d containers would be followed, at most %d can be at once: name a pod or a container", len(sources), mostFollowed)
	}
	if len(sources) > 0 { // whether that is allowed shows before a line is written
		stream, err := at.member.Lines(ctx, sources[0].pod, fleet.LogOptions{Container: sources[0].container.Name, Tail: 0})
		switch {
		case err == nil:
			_ = stream.Close()
		case !notStarted(err):
			return problem(at.name(), err)
		}
	}
	out.begin()
	ctx, lost := context.WithCancelCause(ctx)
	f := &follower{g: g, out: out, q: q, app: at.app, lost: lost, known: map[reading]*progress{}}
	f.read(ctx, at, sources, true)
	f.watch(ctx, q.pod != "" && allEnded(sources))
	lost(nil)
	_ = f.group.Wait()
	if err := context.Cause(ctx); errors.Is(err, errLongest) {
		return out.ended(err)
	}
	return nil
}

// watch looks again and again which containers there are.
func (f *follower) watch(ctx context.Context, ending bool) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for !ending || f.reading() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !ending {
			ending = f.look(ctx)
		}
	}
}

// look reads from containers that are new, or run again, and says whether no more can come. What fails is tried again.
func (f *follower) look(ctx context.Context) (last bool) {
	m := f.app.Metadata
	app, err := f.g.apps.Get(ctx, m.NamespaceOrEmpty(), m.Name)
	if client.NotFound(err) || err == nil && app.Metadata.UID != m.UID {
		return true
	}
	if err != nil || home(app) == nil {
		return false
	}
	at, err := f.g.place(ctx, app, home(app))
	if err != nil {
		f.g.log.Debug("a log cannot be followed for now", "application", m.Name, "error", err)
		return false
	}
	pods, err := at.pods(ctx, f.q.pod)
	if err != nil {
		var p *api.Problem
		return f.q.pod != "" && errors.As(err, &p) && p.Status == http.StatusNotFound
	}
	sources := f.q.sources(pods)
	f.read(ctx, at, sources, false)
	return f.q.pod != "" && allEnded(sources) || app.Status.State == api.AppCompleted
}

func allEnded(sources []source) bool {
	for _, s := range sources {
		if !s.pod.Ended {
			return false
		}
	}
	return len(sources) > 0
}

func (f *follower) reading() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

// read opens the streams that are worth it: of containers that run, or have run and not been read to the end. Of those that
// were there at the beginning as much is read as was asked for, of others everything.
func (f *follower) read(ctx context.Context, at *place, sources []source, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range sources {
		name := reading{at.member.Identity(), s.pod.UID, s.container.Name}
		p := f.known[name]
		if p == nil {
			if s.container.Run == "" && !first {
				continue // it will be new when it has begun
			}
			p = &progress{}
			f.known[name] = p
		}
		if p.open || s.container.Run == "" || !s.container.Running && p.run == s.container.Run || f.open >= mostFollowed {
			continue
		}
		o := f.q.options(s.container.Name)
		if !first {
			o.Tail, o.Since, o.After = -1, 0, p.last
		}
		p.open = true
		f.open++
		f.group.Go(func() error {
			f.stream(ctx, at.member, s, o, p)
			return nil
		})
	}
}

// stream reads one run of a container.
func (f *follower) stream(ctx context.Context, m *fleet.Member, s source, o fleet.LogOptions, p *progress) {
	last := p.last // of an earlier stream, which has ended
	err := f.lines(ctx, m, s, o, &last)
	if errors.Is(err, errClient) {
		f.lost(errClient)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open--
	p.open, p.last = false, last
	if err == nil {
		p.run = s.container.Run
	}
}

func (f *follower) lines(ctx context.Context, m *fleet.Member, s source, o fleet.LogOptions, last *time.Time) error {
	stream, err := m.Lines(ctx, s.pod, o)
	if err != nil {
		return err
	}
	defer stream.Close()
	return f.out.copy(s, stream, last)
}
