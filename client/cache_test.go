package client_test

import (
	"context"
	"fmt"
	"log/slog"
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

// journaled runs a cache until the test ends, like run, and returns what it logs.
func journaled(t *testing.T, address string, m *mirror) (*client.Cache[api.Application, *api.Application], *journal) {
	t.Helper()
	log := &journal{}
	c := client.NewCache(client.Of[api.Application](connect(t, address)), slog.New(slog.NewTextHandler(log, nil)))
	m.versions = map[string]string{}
	c.Handle(m.handle)
	ctx, cancel := context.WithCancel(t.Context())
	var running errgroup.Group
	running.Go(func() error { return c.Run(ctx) })
	t.Cleanup(func() { cancel(); _ = running.Wait() })
	return c, log
}

func TestACacheForgetsWhatCannotBeReadAnyMore(t *testing.T) {
	ctx := t.Context()
	address, _ := serve(t)
	apps := client.Of[api.Application](connect(t, address))
	for _, a := range []*api.Application{application("x"), strange("never")} {
		if _, err := apps.Create(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	m := &mirror{}
	c, log := journaled(t, newer(t, address), m)
	<-c.Synced()
	change := func(mode string) {
		t.Helper()
		a, err := apps.Get(ctx, "solar", "x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := apps.Patch(ctx, a, map[string]any{"spec": map[string]any{"storage_migration": mode}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 { // and again: once is luck
		eventually(t, "an object that can be read", func() bool { return c.Get("solar", "x") != nil })
		change("new")
		eventually(t, "the end of what cannot be read", func() bool { return c.Get("solar", "x") == nil })
		created, err := apps.Create(ctx, application(fmt.Sprint("later", i)))
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "another object", func() bool { return c.Get("solar", created.Metadata.Name) != nil })
		change("old")
	}
	eventually(t, "an object that can be read", func() bool { return c.Get("solar", "x") != nil })
	change("new")
	eventually(t, "the end of what cannot be read", func() bool { return c.Get("solar", "x") == nil })
	if _, err := apps.Delete(ctx, "solar", "x", client.DeleteOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := apps.Create(ctx, application("end")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the last object", func() bool { return c.Get("solar", "end") != nil })
	m.check(t, c.List(nil))
	if log.count("solar/never") == 0 || log.count("disconnected") > 0 {
		t.Errorf("the log says\n%s", log)
	}
}

func TestACacheTellsWhenItIsDisconnectedAndWhenItIsBack(t *testing.T) {
	ctx := t.Context()
	address, _ := serve(t)
	apps := client.Of[api.Application](connect(t, address))
	p := between(t, address)
	c, log := journaled(t, p.address(), &mirror{})
	<-c.Synced()
	for outage := range 2 {
		p.lead("")
		attempts := p.refusals()
		eventually(t, "several attempts", func() bool { return p.refusals() > attempts+3 })
		if got := log.count("disconnected from the API"); got != outage+1 {
			t.Errorf("an outage was told %d times", got-outage)
		}
		if got := log.count("connected to the API again"); got != outage {
			t.Errorf("it is back %d times", got)
		}
		p.lead(address)
		created, err := apps.Create(ctx, application(fmt.Sprint("a", outage)))
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "what was created meanwhile", func() bool { return c.Get("solar", created.Metadata.Name) != nil })
		if got := log.count("connected to the API again"); got != outage+1 {
			t.Errorf("it was told %d times that it is back", got-outage)
		}
	}
}

// A cache that never had a connection says so, too.
func TestACacheTellsThatTheServerWasNeverThere(t *testing.T) {
	address, _ := serve(t)
	p := between(t, "")
	c, log := journaled(t, p.address(), &mirror{})
	eventually(t, "several attempts", func() bool { return p.refusals() > 3 })
	p.lead(address)
	<-c.Synced()
	if log.count("disconnected from the API") != 1 || log.count("connected to the API again") != 1 {
		t.Errorf("the log says\n%s", log)
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
