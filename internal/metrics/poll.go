package metrics

import (
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
)

// atOnce is how many requests to all providers together are under way at a time. For each of them it is provider.AtOnce,
// so that a few that do not answer do not keep the others waiting.
const atOnce = 64

// together is how many values are asked for by one request, where a provider can. The request stays short enough for
// proxies.
const together = 32

// seat is where a provider is: the namespace is empty for global ones.
type seat struct{ namespace, provider string }

// A line leads to a provider, as long as its settings are the same.
type line struct {
	settings *api.MetricsProviderSpec // as the cache has them
	source   provider.Source
	err      error // there is no source
	ctx      context.Context
	drop     context.CancelFunc
	busy     bool // values are being read
	missed   bool // meanwhile, others were wanted that have never been read
}

// connect returns a line to each provider that something is wanted from, a new one where the settings have changed. Lines to
// others are dropped. It is called under the lock.
func (r *Reader) connect(ctx context.Context, wanted map[seat][]string) {
	for s, l := range r.lines {
		if wanted[s] == nil {
			l.drop()
			delete(r.lines, s)
		}
	}
	for s := range wanted {
		settings, l := r.settings(s), r.lines[s]
		if settings == nil || l != nil && l.settings == settings {
			continue
		}
		if l != nil {
			l.drop()
		}
		l = &line{settings: settings}
		l.ctx, l.drop = context.WithCancel(ctx)
		l.source, l.err = open(*settings)
		r.lines[s] = l
	}
}

// begin starts to read what is wanted from each provider of which no answer is waited for from a round before.
func (r *Reader) begin(ctx context.Context, wanted map[seat][]string, running *sync.WaitGroup) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.connect(ctx, wanted)
	for s, l := range r.lines {
		names := wanted[s]
		if l.busy {
			l.missed = l.missed || slices.ContainsFunc(names, func(name string) bool {
				_, known := r.readings[origin{s, name}]
				return !known
			})
			continue
		}
		l.busy, l.missed = true, false
		running.Add(1)
		r.polls.Go(func() {
			defer running.Done()
			r.poll(l.ctx, l, names, func(name string, value float64, err error) { r.note(l, origin{s, name}, value, err) })
			r.mu.Lock()
			missed := l.missed
			l.busy = false
			r.mu.Unlock()
			signal(r.heard)
			if missed {
				r.Look()
			}
		})
	}
}

// signal tells a waiting loop that there is something to do.
func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// poll reads values from one provider. note is told each of them; it may be called by several goroutines.
func (r *Reader) poll(ctx context.Context, l *line, names []string, note func(name string, value float64, err error)) {
	if l.err != nil {
		for _, name := range names {
			note(name, 0, l.err)
		}
		return
	}
	var mood silence
	var asking errgroup.Group
	asking.SetLimit(provider.AtOnce)
	// Whoever is asked gets the time of one request; a provider that has said nothing to any of those that were under way is
	// not waited for again in this round.
	ask := func(do func(ctx context.Context) error, failed func(err error)) {
		asking.Go(func() error {
			if err := mood.since(); err != nil {
				failed(err)
				return nil
			}
			select {
			case r.seats <- struct{}{}:
				defer func() { <-r.seats }()
			case <-ctx.Done():
				return nil
			}
			within, cancel := context.WithTimeout(ctx, r.o.Timeout)
			defer cancel()
			mood.hear(do(within))
			return nil
		})
	}
	single := func(name string) {
		ask(func(ctx context.Context) error {
			value, err := l.source.Read(ctx, name)
			note(name, value, err)
			return err
		}, func(err error) { note(name, 0, err) })
	}
	batch, ok := l.source.(provider.BatchSource)
	if !ok {
		batch = nil
	}
	var many []string
	for _, name := range names {
		if batch != nil && len(names) > 1 && batch.Batch(name) {
			many = append(many, name)
		} else {
			single(name)
		}
	}
	var mu sync.Mutex
	var alone []string // of batches whose answers were too long
	for chunk := range slices.Chunk(many, together) {
		fail := func(err error) {
			for _, name := range chunk {
				note(name, 0, err)
			}
		}
		ask(func(ctx context.Context) error {
			results, err := batch.ReadAll(ctx, chunk)
			switch {
			case errors.Is(err, provider.ErrTooLong):
				mu.Lock()
				alone = append(alone, chunk...)
				mu.Unlock()
				return err
			case err != nil:
				fail(err)
			}
			for name, result := range results {
				note(name, result.Value, result.Err)
			}
			return err
		}, fail)
	}
	_ = asking.Wait()
	for _, name := range alone {
		single(name)
	}
	_ = asking.Wait()
}

// silence is what is known of a provider in one round: whether it has answered anything yet, and the error of whoever waited
// in vain.
type silence struct {
	mu       sync.Mutex
	answered bool
	waited   error
}

func (s *silence) hear(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(err, context.DeadlineExceeded) {
		s.waited = err
	} else {
		s.answered = true
	}
}

// since is the error of a provider that says nothing.
func (s *silence) since() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered {
		return nil
	}
	return s.waited
}
