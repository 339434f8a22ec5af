package wire

import (
	"bytes"
	"encoding/json"
	"maps"
	"sync"
	"sync/atomic"
)

// Objects have the same keys again and again. Those that were met first are kept, and the trees of all documents share
// them.
const (
	keysKept   = 2048
	longestKey = 48
)

// A keyring keeps keys. Its map is never changed, only replaced, so that finding one takes no lock.
type keyring struct {
	adding sync.Mutex
	kept   atomic.Pointer[map[string]string]
}

var keys keyring

// read gives the text of an object's key, which is valid JSON.
func (r *keyring) read(written []byte) (string, error) {
	plain := written[1 : len(written)-1]
	if bytes.IndexByte(plain, '\\') >= 0 {
		var key string
		err := json.Unmarshal(written, &key)
		return key, err
	}
	kept := r.kept.Load()
	if kept == nil {
		kept = &map[string]string{}
	}
	if key, ok := (*kept)[string(plain)]; ok {
		return key, nil
	}
	key := string(plain)
	if len(*kept) < keysKept && len(key) <= longestKey {
		r.keep(key)
	}
	return key, nil
}

func (r *keyring) keep(key string) {
	r.adding.Lock()
	defer r.adding.Unlock()
	more := map[string]string{key: key}
	if kept := r.kept.Load(); kept != nil {
		maps.Copy(more, *kept)
	}
	r.kept.Store(&more)
}
