package controller

import (
	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// For connects a controller with the cache of the kind that it works on: every object is looked at when the controller
// starts and whenever it changes, also when it is gone. Of the changes of objects that stay, only those are looked at
// that pass all the filters. A controller that notes in an object how an attempt has failed needs one: its own note would
// wake it again at once, and no retry would ever wait.
func For[P api.Resource](c *Controller, cache *client.CacheOf[P], filters ...func(before, after P) bool) {
	c.sources = append(c.sources, source{synced: cache.Synced(), keys: func() []Key { return KeysOf(cache.List(nil)) }})
	cache.Handle(func(before, after P) {
		none := any(*new(P))
		switch {
		case any(after) == none:
			c.Enqueue(KeyOf(before))
		case any(before) == none || passes(before, after, filters):
			c.Enqueue(KeyOf(after))
		}
	})
}

func passes[P api.Resource](before, after P, filters []func(before, after P) bool) bool {
	for _, f := range filters {
		if !f(before, after) {
			return false
		}
	}
	return true
}

// OnChange connects a controller with a cache of objects that its work depends on: keys returns which of the
// controller's objects may be concerned by a change. It must not block; before is nil for a new object, after for one
// that is gone. The controller does not start before the cache is complete.
func OnChange[P api.Resource](c *Controller, cache *client.CacheOf[P], keys func(before, after P) []Key) {
	c.sources = append(c.sources, source{synced: cache.Synced(), keys: func() []Key { return nil }})
	cache.Handle(func(before, after P) { c.Enqueue(keys(before, after)...) })
}
