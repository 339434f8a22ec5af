package metrics

import (
	"context"
	"log/slog"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// tellAgain is how long a value, or the words of an error, that has changed once more waits to be told.
const tellAgain = time.Minute

// tellers is how many statuses are written at the same time.
const tellers = 4

// statuses writes what was read of metrics into their status, beside the reading and not in its way.
type statuses struct {
	reader  *Reader
	metrics client.Set[api.Metric, *api.Metric]
	globals client.Set[api.GlobalMetric, *api.GlobalMetric]
	log     *slog.Logger
	wake    chan struct{}
	told    map[subject]time.Time // when each was written
}

// subject is a metric of Krake: the namespace is empty for global ones.
type subject struct{ namespace, name string }

func newStatuses(r *Reader) statuses {
	return statuses{reader: r, metrics: client.Of[api.Metric](r.o.Client), globals: client.Of[api.GlobalMetric](r.o.Client),
		log: r.o.Log, wake: make(chan struct{}, 1)}
}

func (s *statuses) run(ctx context.Context) error {
	s.told = map[subject]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
			s.write(ctx)
		}
	}
}

// write writes the status of each metric that is needed, if it is due. What cannot be written now is tried again after the
// next round, and so is what others have changed since the cache heard of it.
func (s *statuses) write(ctx context.Context) {
	now := s.reader.o.Now()
	told := map[subject]time.Time{}
	written := make(chan subject)
	var collecting, writing errgroup.Group
	writing.SetLimit(tellers)
	collecting.Go(func() error {
		for w := range written {
			told[w] = now
		}
		return nil
	})
	seen := map[subject]bool{}
	for _, n := range s.reader.o.Needed() {
		of := subject{name: n.Ref.Name}
		if n.Ref.Namespaced {
			of.namespace = n.Namespace
		}
		if seen[of] {
			continue
		}
		seen[of] = true
		actual, known := s.reader.statusOf(n)
		if !known {
			continue
		}
		stored, patch := s.target(of)
		if patch == nil {
			continue // it has gone since
		}
		next, due := successor(stored, actual, now, s.told[of])
		if !due {
			continue
		}
		writing.Go(func() error {
			if err := patch(ctx, next); err == nil {
				written <- of
			} else if ctx.Err() == nil && !client.NotFound(err) && !client.Conflict(err) {
				s.log.Warn("the status of a metric cannot be written", "namespace", of.namespace, "metric", of.name, "error", err)
			}
			return nil
		})
	}
	_ = writing.Wait()
	close(written)
	_ = collecting.Wait()
	for of, at := range s.told {
		if _, again := told[of]; !again && seen[of] {
			told[of] = at
		}
	}
	s.told = told
}

// target is what the cache has of a metric's status, and how it is changed; patch is nil if there is no such metric.
func (s *statuses) target(of subject) (stored api.MetricStatus, patch func(context.Context, api.MetricStatus) error) {
	if of.namespace != "" {
		if m := s.reader.metrics.Get(of.namespace, of.name); m != nil {
			stored = m.Status
			patch = func(ctx context.Context, next api.MetricStatus) error {
				_, err := s.metrics.PatchStatus(ctx, m, map[string]any{"status": next})
				return err
			}
		}
	} else if m := s.reader.globals.Get("", of.name); m != nil {
		stored = m.Status
		patch = func(ctx context.Context, next api.MetricStatus) error {
			_, err := s.globals.PatchStatus(ctx, m, map[string]any{"status": next})
			return err
		}
	}
	return stored, patch
}

// statusOf is what is known of a metric now; known is false while that is nothing, or there is no such metric.
func (r *Reader) statusOf(n Needed) (status api.MetricStatus, known bool) {
	definition, _ := r.definition(n)
	if definition == nil {
		return status, false
	}
	o := originOf(n, definition)
	if r.settings(o.seat) == nil {
		status.Error = noProvider(o)
		return status, true
	}
	r.mu.Lock()
	x, known := r.readings[o]
	r.mu.Unlock()
	if !known {
		return status, false
	}
	if !x.at.IsZero() && !math.IsNaN(x.value) && !math.IsInf(x.value, 0) { // others no document can hold
		at := api.At(x.at)
		status.Value, status.ReadAt = &x.value, &at
	}
	err := x.err
	if err == nil {
		_, err = ValueOf(n.Ref, *definition, x.value)
	}
	if err != nil {
		status.Error = reasonOf(o, err)
	}
	return status, true
}

// successor is what the status of a metric becomes, and whether it is due to be written: at once when an error comes, goes or
// becomes another one; for another value or other words, when the status was not told lately.
func successor(stored, actual api.MetricStatus, now, told time.Time) (next api.MetricStatus, due bool) {
	next = actual
	if next.Value == nil {
		next.Value, next.ReadAt = stored.Value, stored.ReadAt
	}
	if next.Error != nil {
		at := api.At(now)
		if next.FailedSince = stored.FailedSince; next.FailedSince == nil {
			next.FailedSince = &at
		}
	}
	if code(next.Error) != code(stored.Error) {
		return next, true
	}
	sameValue := (next.Value == nil) == (stored.Value == nil) && (next.Value == nil || *next.Value == *stored.Value)
	sameWords := next.Error == nil || next.Error.Message == stored.Error.Message
	return next, !(sameValue && sameWords) && (told.IsZero() || now.Sub(told) >= tellAgain)
}

func code(r *api.Reason) api.ReasonCode {
	if r == nil {
		return ""
	}
	return r.Code
}
