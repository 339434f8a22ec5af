package client

import "github.com/rak-n-rok/krake/api"

// IndexOf finds the objects of a cache by what can be computed from them. It is as old as the cache, never older.
type IndexOf[K comparable, P api.Resource] struct {
	cache *CacheOf[P]
	keys  func(P) []K
	found map[K]map[string]P // guarded by the cache
}

// Index adds an index to a cache, which must not run yet. keys gives the keys that an object is found by, none or several;
// it looks at nothing but the object.
func Index[K comparable, P api.Resource](c *CacheOf[P], keys func(P) []K) *IndexOf[K, P] {
	x := &IndexOf[K, P]{cache: c, keys: keys, found: map[K]map[string]P{}}
	c.indexes = append(c.indexes, x)
	return x
}

// Get returns the objects that are found by a key, in no order.
func (x *IndexOf[K, P]) Get(key K) []P {
	x.cache.mu.RLock()
	defer x.cache.mu.RUnlock()
	out := make([]P, 0, len(x.found[key]))
	for _, o := range x.found[key] {
		out = append(out, o)
	}
	return out
}

// An index follows the changes of a cache, under its lock.
type index[P api.Resource] interface {
	add(name string, o P)
	remove(name string, o P)
}

func (x *IndexOf[K, P]) add(name string, o P) {
	for _, k := range x.keys(o) {
		if x.found[k] == nil {
			x.found[k] = map[string]P{}
		}
		x.found[k][name] = o
	}
}

func (x *IndexOf[K, P]) remove(name string, o P) {
	for _, k := range x.keys(o) {
		delete(x.found[k], name)
		if len(x.found[k]) == 0 {
			delete(x.found, k)
		}
	}
}
