package client_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// Whatever happens to objects and connections, an index finds what going through all objects finds, no more and no less.
func TestAnIndexFindsWhatAScanFinds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	address, data := serve(t)
	p := between(t, address)
	direct := client.Of[api.Application](connect(t, address))
	colours := func(a *api.Application) []string {
		var out []string
		for label := range a.Metadata.Labels {
			out = append(out, label)
		}
		return out
	}
	cache := client.NewCache(client.Of[api.Application](connect(t, p.address())), quiet)
	byColour := client.Index(cache, colours)
	cache.Handle(func(before, after *api.Application) { // is told when the index knows already
		for _, c := range []string{"red", "green", "blue"} {
			if after != nil && slices.Contains(colours(after), c) != slices.Contains(byColour.Get(c), after) {
				t.Errorf("the index has not heard of %s yet", after.Metadata.Name)
			}
			if before != nil && slices.Contains(byColour.Get(c), before) {
				t.Errorf("the index still has an older %s", before.Metadata.Name)
			}
		}
	})
	var running errgroup.Group
	running.Go(func() error { return cache.Run(ctx) })
	defer func() { cancel(); _ = running.Wait() }()
	<-cache.Synced()
	random := rand.New(rand.NewPCG(3, 5))
	paint := func(a *api.Application) {
		a.Metadata.Labels = api.Labels{}
		for _, c := range []string{"red", "green", "blue"} {
			if random.IntN(2) == 0 {
				a.Metadata.Labels[c] = "yes"
			}
		}
	}
	for i := range 120 {
		name := fmt.Sprint("a", random.IntN(9))
		a, err := direct.Get(ctx, "solar", name)
		switch {
		case client.NotFound(err):
			a = application(name)
			paint(a)
			_, err = direct.Create(ctx, a)
		case err == nil && random.IntN(3) == 0:
			_, err = direct.Delete(ctx, "solar", name, client.DeleteOptions{Force: true})
		case err == nil:
			paint(a)
			_, err = direct.Patch(ctx, a, map[string]any{"metadata": map[string]any{"labels": nil}})
			if err == nil {
				a, _ = direct.Get(ctx, "solar", name)
				paint(a)
				_, err = direct.Patch(ctx, a, map[string]any{"metadata": map[string]any{"labels": a.Metadata.Labels}})
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		switch i % 40 {
		case 10:
			p.lead("") // and then the cache lists again, because the history is gone
		case 30:
			revision, err := data.Revision(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := data.Compact(ctx, revision); err != nil {
				t.Fatal(err)
			}
			p.lead(address)
		}
	}
	list, _, err := direct.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	level(t, cache, list)
	for _, c := range []string{"red", "green", "blue", "no such colour"} {
		want := cache.List(func(a *api.Application) bool { return slices.Contains(colours(a), c) })
		got := byColour.Get(c)
		byName := func(a, b *api.Application) int {
			return slices.Compare([]byte(a.Metadata.Name), []byte(b.Metadata.Name))
		}
		slices.SortFunc(want, byName)
		slices.SortFunc(got, byName)
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %d, there are %d", c, len(got), len(want))
		}
	}
}
