package gateway

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// logQuery is which lines are asked for.
type logQuery struct {
	pod, container     string
	follow, timestamps bool
	tail               int64 // below 0 for all
	since              time.Duration
}

func logQueryOf(r *http.Request) (logQuery, error) {
	q := query{Values: r.URL.Query()}
	out := logQuery{
		pod: q.Get("pod"), container: q.Get("container"), follow: q.flag("follow", false), timestamps: q.flag("timestamps", false),
		tail: q.number("tail", -1, 0, math.MaxInt32), since: time.Duration(q.number("since", 0, 1, math.MaxInt32)) * time.Second,
	}
	return out, q.err
}

// options are how a container is asked for those lines.
func (q logQuery) options(name string) fleet.LogOptions {
	return fleet.LogOptions{Container: name, Follow: q.follow, Tail: q.tail, Since: q.since}
}

// A source is a container whose lines are read.
type source struct {
	pod       fleet.Pod
	container fleet.Container
}

// String names a source as its lines do.
func (s source) String() string { return s.pod.Name + "/" + s.container.Name }

// sources are the containers that are asked for.
func (q logQuery) sources(pods []fleet.Pod) []source {
	var out []source
	for _, pod := range pods {
		for _, c := range pod.Containers {
			if q.container == "" || q.container == c.Name {
				out = append(out, source{pod, c})
			}
		}
	}
	return out
}

// showLog answers with what containers of the application have written: one after the other, or, if it is to be followed,
// as it comes.
func (g *Gateway) showLog(w http.ResponseWriter, r *http.Request, app *api.Application, _ any) error {
	q, err := logQueryOf(r)
	if err != nil {
		return err
	}
	at, err := g.place(r.Context(), app, home(app))
	if err != nil {
		return err
	}
	pods, err := at.pods(r.Context(), q.pod)
	if err != nil {
		return err
	}
	sources := q.sources(pods)
	if err := someOf(at, q, pods, sources); err != nil {
		return err
	}
	out := newLines(w, g.idle, q.timestamps, q.pod == "" || len(sources) > 1)
	if q.follow {
		return g.follow(r.Context(), out, q, at, sources)
	}
	return readAll(r.Context(), out, q, at, sources)
}

// someOf says what is wrong if there is nothing to read from. An application whose pods are yet to come can be followed.
func someOf(at *place, q logQuery, pods []fleet.Pod, sources []source) error {
	switch {
	case len(sources) > 0:
		return nil
	case len(pods) == 1 && q.pod != "":
		_, err := container(pods[0], q.container)
		return err
	case len(pods) > 0:
		return absent("no pod of the application %s has a container %s; %s", at.app.Metadata.Name, q.container, listed(pods))
	case q.follow:
		return nil
	default:
		return conflict("the application %s has no pods on the cluster %s", at.app.Metadata.Name, at.name())
	}
}

// readAll reads what there is of all sources, one after the other.
func readAll(ctx context.Context, out *lines, q logQuery, at *place, sources []source) error {
	read, failed := 0, error(nil)
	for _, s := range sources {
		stream, err := at.member.Lines(ctx, s.pod, q.options(s.container.Name))
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return out.ended(ctx.Err())
		case notStarted(err):
			failed = err
			continue
		default:
			return out.ended(problem(at.name(), err))
		}
		out.begin()
		read++
		err = out.copy(s, stream, &time.Time{})
		_ = stream.Close()
		if err != nil {
			return out.ended(err)
		}
	}
	if read == 0 {
		return problem(at.name(), failed)
	}
	return nil
}

// notStarted recognises the answer for a container that has not run yet, or of a pod that went meanwhile.
func notStarted(err error) bool {
	var refused *fleet.RefusedError
	return errors.As(err, &refused) && (refused.Code == http.StatusBadRequest || refused.Code == http.StatusNotFound)
}
