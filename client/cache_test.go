package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// A mirror is what one learns from a cache's handler alone.
type mirror struct {
	mu       sync.Mutex
	versions map[string]string
	broken   []string // what the handler was told that contradicts what it had been told before
}

func (m *mirror) handle(before, after *api.Application) {
	m.mu.Lock()
	defer m.mu.Unlock()
	version := func(a *api.Application) (name, version string) {
		if a == nil {
			return "", ""
		}
		return a.Metadata.Name, a.Metadata.ResourceVersion
	}
	name, was := version(before)
	if after != nil {
		name, _ = version(after)
	}
	if m.versions[name] != was {
		m.broken = append(m.broken, fmt.Sprintf("%s: told of %q before the change, had been told of %q", name, was, m.versions[name]))
	}
	delete(m.versions, name)
	if after != nil {
		_, m.versions[name] = version(after)
	}
}

func (m *mirror) check(t *testing.T, list []*api.Application) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.broken {
		t.Error(b)
	}
	if len(m.versions) != len(list) {
		t.Errorf("the handler knows of %d objects, there are %d", len(m.versions), len(list))
	}
	for _, a := range list {
		if m.versions[a.Metadata.Name] != a.Metadata.ResourceVersion {
			t.Errorf("the handler knows %s at %q, it is at %s", a.Metadata.Name, m.versions[a.Metadata.Name], a.Metadata.ResourceVersion)
		}
	}
}

// run fills a cache through an address until the test ends, and returns it when its first list is complete.
func run(t *testing.T, address string, m *mirror) *client.Cache[api.Application, *api.Application] {
	t.Helper()
	c := client.NewCache(client.Of[api.Application](connect(t, address)), quiet)
	if m != nil {
		m.versions = map[string]string{}
		c.Handle(m.handle)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running errgroup.Group
	running.Go(func() error { return c.Run(ctx) })
	t.Cleanup(func() { cancel(); _ = running.Wait() })
	<-c.Synced()
	return c
}

// level waits until a cache holds exactly these objects.
func level(t *testing.T, c *client.Cache[api.Application, *api.Application], list []*api.Application) {
	t.Helper()
	eventually(t, "a cache that equals the list", func() bool {
		if len(c.List(nil)) != len(list) {
			return false
		}
		for _, a := range list {
			held := c.Get("solar", a.Metadata.Name)
			if held == nil || held.Metadata.ResourceVersion != a.Metadata.ResourceVersion || *orZero(held.Status.Retries) != *orZero(a.Status.Retries) {
				return false
			}
		}
		return true
	})
}

func orZero(n *int64) *int64 {
	if n == nil {
		return new(int64)
	}
	return n
}

func TestACacheEqualsTheListAfterAStormOfWrites(t *testing.T) {
	ctx := t.Context()
	address, _ := serve(t)
	apps := client.Of[api.Application](connect(t, address))
	if err := storm(ctx, apps, 20, rand.New(rand.NewPCG(1, 1))); err != nil {
		t.Fatal(err)
	}
	p := between(t, address)
	m := &mirror{}
	c := run(t, p.address(), m)
	var writers errgroup.Group
	for i := range 4 {
		writers.Go(func() error { return storm(ctx, apps, 60, rand.New(rand.NewPCG(2, uint64(i)))) })
	}
	for range 5 {
		carried := p.connections()
		p.cut()
		eventually(t, "a new connection", func() bool { return p.connections() > carried })
	}
	if err := writers.Wait(); err != nil {
		t.Fatal(err)
	}
	list, _, err := apps.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	level(t, c, list)
	m.check(t, list)
}

// A backup that was put back ends the history that a watch was in.
func TestACacheStartsAgainWhenItsPastIsGone(t *testing.T) {
	ctx := t.Context()
	first, _ := serve(t)
	second, _ := serve(t)
	old, restored := client.Of[api.Application](connect(t, first)), client.Of[api.Application](connect(t, second))
	for i := range 12 { // the newer history is longer
		if _, err := old.Create(ctx, application(fmt.Sprint("a", i))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a0", "a1", "b"} {
		if _, err := restored.Create(ctx, application(name)); err != nil {
			t.Fatal(err)
		}
	}
	p := between(t, first)
	m := &mirror{}
	c := run(t, p.address(), m)
	if got := len(c.List(nil)); got != 12 {
		t.Fatalf("%d objects", got)
	}
	p.lead(second)
	list, _, err := restored.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	level(t, c, list)
	m.check(t, list)
}

func TestACacheKeepsWhatItKnowsWhileTheServerIsGone(t *testing.T) {
	ctx := t.Context()
	address, _ := serve(t)
	apps := client.Of[api.Application](connect(t, address))
	if _, err := apps.Create(ctx, application("x")); err != nil {
		t.Fatal(err)
	}
	p := between(t, address)
	c := run(t, p.address(), nil)
	p.lead("")
	if _, err := apps.Create(ctx, application("y")); err != nil {
		t.Fatal(err)
	}
	if c.Get("solar", "x") == nil || c.Get("solar", "y") != nil || c.Get("wind", "x") != nil {
		t.Errorf("it holds %v", c.List(nil))
	}
	p.lead(address)
	eventually(t, "the object that was created meanwhile", func() bool { return c.Get("solar", "y") != nil })
	if got := c.List(func(a *api.Application) bool { return a.Metadata.Name == "y" }); len(got) != 1 {
		t.Errorf("%d objects are kept by the filter", len(got))
	}
}

func TestACacheDropsWhatItsReadersDoNotNeed(t *testing.T) {
	ctx := t.Context()
	address, _ := serve(t)
	apps := client.Of[api.Application](connect(t, address))
	if _, err := apps.Create(ctx, application("listed")); err != nil {
		t.Fatal(err)
	}
	c := client.NewCache(apps, quiet, client.Project(func(a *api.Application) { a.Spec.Manifest = nil }))
	ctx, cancel := context.WithCancel(ctx)
	var running errgroup.Group
	running.Go(func() error { return c.Run(ctx) })
	t.Cleanup(func() { cancel(); _ = running.Wait() })
	<-c.Synced()
	if _, err := apps.Create(ctx, application("watched")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second object", func() bool { return c.Get("solar", "watched") != nil })
	for _, a := range c.List(nil) {
		if a.Spec.Manifest != nil {
			t.Errorf("%s was kept whole", a.Metadata.Name)
		}
	}
}
