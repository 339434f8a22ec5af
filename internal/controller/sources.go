package controller

import (
	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// For connects a controller with the cache of the kind that it works on: every object is looked at when the controller
// starts and whenever it changes, also when it is gone.
func For[P api.Resource](c *Controller, cache *client.CacheOf[P]) {
	c.sources = append(c.sources, source{synced: cache.Synced(), keys: func() []Key {
		objects := cache.List(nil)
		keys := make([]Key, len(objects))
		for i, o := range objects {
			keys[i] = KeyOf(o)
		}
		return keys
	}})
	cache.Handle(func(before, after P) {
		if none := *new(P); any(after) == any(none) {
			after = before
		}
		c.Enqueue(KeyOf(after))
	})
}

// OnChange connects a controller with a cache of objects that its work depends on: keys returns which of the
// controller's objects may be concerned by a change. It must not block; before is nil for a new object, after for one
// that is gone. The controller does not start before the cache is complete.
func OnChange[P api.Resource](c *Controller, cache *client.CacheOf[P], keys func(before, after P) []Key) {
	c.sources = append(c.sources, source{synced: cache.Synced(), keys: func() []Key { return nil }})
	cache.Handle(func(before, after P) { c.Enqueue(keys(before, after)...) })
}
