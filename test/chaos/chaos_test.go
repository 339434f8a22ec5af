//go:build chaos

package chaos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

const (
	registers = 6 // objects that are written to
	writers   = 4
	readers   = 4
	followers = 4 // watches
	faults    = 24
)

// TestNothingIsLostWhateverDies writes to a few objects, reads them through all servers and watches them, while members
// and servers die and hang.
func TestNothingIsLostWhateverDies(t *testing.T) {
	needRoot(t)
	seed := rand.Uint64()
	if text := os.Getenv("KRAKE_CHAOS_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d; KRAKE_CHAOS_SEED=%d repeats the faults", seed, seed)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	w := newWorld(t)
	h := &history{started: time.Now(), watched: make([][]told, followers)}
	first := connect(t, w.urls)
	for i := range registers {
		if _, err := first.Create(t.Context(), register(i)); err != nil {
			t.Fatal(err)
		}
	}
	_, version, err := first.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var load, following sync.WaitGroup
	for i := range writers {
		load.Go(func() { h.write(ctx, t, i, connect(t, turned(w.urls, i))) })
	}
	for i := range readers {
		load.Go(func() { h.read(ctx, t, i, connect(t, w.urls[i%len(w.urls):i%len(w.urls)+1])) })
	}
	for i := range followers {
		following.Go(func() { h.follow(t, i, connect(t, turned(w.urls, i)), version) })
	}
	w.haunt(t, rand.New(rand.NewPCG(seed, 1)))
	stop()
	load.Wait()

	last := connect(t, w.urls)
	h.final(t, last)
	following.Wait()
	h.check(t)
}

// turned is the list beginning elsewhere.
func turned(urls []string, i int) []string {
	i %= len(urls)
	return append(append([]string{}, urls[i:]...), urls[:i]...)
}

func connect(t *testing.T, urls []string) client.Set[api.Role, *api.Role] {
	t.Helper()
	c, err := client.New(client.Config{URL: strings.Join(urls, ","), Timeout: 8 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return client.Of[api.Role](c)
}

func register(i int) *api.Role {
	r := api.New[api.Role]()
	r.Metadata.Name = fmt.Sprint("register-", i)
	r.Metadata.Labels = api.Labels{"value": "v0"}
	return r
}

// haunt does harm, to one process at a time so that there is always a majority, and waits a while in between.
func (w *world) haunt(t *testing.T, random *rand.Rand) {
	for i := range faults {
		all := append(append([]*process{}, w.members...), w.servers...)
		p := all[random.IntN(len(all))]
		away := time.Duration(200+random.IntN(3000)) * time.Millisecond
		what, heal := p.harm(t, random)
		t.Logf("%2d: %s %s for %s", i, p.name, what, away)
		time.Sleep(away)
		heal()
		time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
	}
}

// harm does one thing to a process, which the returned function undoes.
func (p *process) harm(t *testing.T, random *rand.Rand) (what string, heal func()) {
	kinds := 3
	if len(p.others) > 0 {
		kinds = 4
	}
	switch random.IntN(kinds) {
	case 0:
		p.kill()
		return "is killed", p.start
	case 1:
		p.signal(syscall.SIGSTOP)
		return "hangs", func() { p.signal(syscall.SIGCONT) }
	case 2:
		return "is cut off", p.cut(t)
	default:
		return "is cut off from etcd", p.cutFromEtcd(t)
	}
}

// told is an event as a watch told it.
type told struct {
	register int
	value    string
	version  string
}

// history is all that clients did and saw.
type history struct {
	started time.Time
	values  atomic.Int64

	mu         sync.Mutex
	operations []porcupine.Operation
	unknown    int
	watched    [][]told
	end        map[int]string // the last value of each register
}

// input is a write of a value, or a read.
type input struct {
	register int
	write    string // empty for a read
}

func (h *history) now() int64 { return time.Since(h.started).Nanoseconds() }

func (h *history) add(client int, in input, out string, called, returned int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: in, Output: out, Call: called, Return: returned})
}

// write writes values that nobody has written before. One of unknown fate may be carried out at any time from then on.
func (h *history) write(ctx context.Context, t *testing.T, me int, roles client.Set[api.Role, *api.Role]) {
	random := rand.New(rand.NewPCG(uint64(me), 2))
	for ctx.Err() == nil {
		i := random.IntN(registers)
		value := fmt.Sprint("v", h.values.Add(1))
		r := register(i)
		called := h.now()
		_, err := roles.Patch(context.WithoutCancel(ctx), r, map[string]any{"metadata": map[string]any{"labels": map[string]string{"value": value}}})
		switch {
		case err == nil:
			h.add(me, input{i, value}, "", called, h.now())
		case uncertain(err):
			h.add(me, input{i, value}, "", called, forever)
			h.mu.Lock()
			h.unknown++
			h.mu.Unlock()
			me += 1000 // a client in the checker does one thing at a time
		case !client.Unreachable(err):
			t.Errorf("a write was refused: %v", err)
		}
		time.Sleep(time.Duration(random.IntN(10)) * time.Millisecond)
	}
}

const forever = int64(1) << 62

// uncertain says whether a write that failed may have been carried out.
func uncertain(err error) bool {
	var u *client.UnreachableError
	var p *api.Problem
	return errors.As(err, &u) && u.Sent || errors.As(err, &p) && p.Status >= 500
}

// read reads through one server, as long as that answers.
func (h *history) read(ctx context.Context, t *testing.T, me int, roles client.Set[api.Role, *api.Role]) {
	random := rand.New(rand.NewPCG(uint64(me), 3))
	for ctx.Err() == nil {
		i := random.IntN(registers)
		called := h.now()
		r, err := roles.Get(context.WithoutCancel(ctx), "", register(i).Metadata.Name)
		if err == nil {
			h.add(100+me, input{register: i}, r.Metadata.Labels["value"], called, h.now())
		} else if client.NotFound(err) {
			t.Errorf("register %d is gone", i)
		}
		time.Sleep(time.Duration(random.IntN(10)) * time.Millisecond)
	}
}

var errDone = errors.New("done")

// follow collects what a watch tells until the last write.
func (h *history) follow(t *testing.T, me int, roles client.Set[api.Role, *api.Role], version string) {
	err := roles.Watch(t.Context(), "", version, func(e client.Event[*api.Role]) error {
		if e.Object.Metadata.Name == "end" {
			return errDone
		}
		var i int
		if _, err := fmt.Sscanf(e.Object.Metadata.Name, "register-%d", &i); err != nil {
			return err
		}
		h.watched[me] = append(h.watched[me], told{i, e.Object.Metadata.Labels["value"], e.Object.Metadata.ResourceVersion})
		return nil
	})
	if !errors.Is(err, errDone) {
		t.Errorf("watch %d ended with %v", me, err)
	}
}

// final reads all registers once everything is quiet, and lets the watches end.
func (h *history) final(t *testing.T, roles client.Set[api.Role, *api.Role]) {
	h.end = map[int]string{}
	deadline := time.Now().Add(patience)
	for i := 0; i < registers; {
		called := h.now()
		r, err := roles.Get(t.Context(), "", register(i).Metadata.Name)
		if err != nil {
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
			continue
		}
		h.add(999, input{register: i}, r.Metadata.Labels["value"], called, h.now())
		h.end[i] = r.Metadata.Labels["value"]
		i++
	}
	last := register(0)
	last.Metadata.Name = "end"
	for {
		_, err := roles.Create(t.Context(), last)
		if err == nil || client.Exists(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
