package client_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/client"
)

// How often a request is sent to a server that answers in the same way every time.
func TestWhatIsTriedAgain(t *testing.T) {
	broken := func(w http.ResponseWriter) { panic(http.ErrAbortHandler) }
	answer := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(status) }
	}
	for name, c := range map[string]struct {
		method string
		answer func(http.ResponseWriter)
		sent   int64
	}{
		"a read that is answered":                   {http.MethodGet, answer(200), 1},
		"a read of what is not there":               {http.MethodGet, answer(404), 1},
		"a read that a server fails at":             {http.MethodGet, answer(500), 1},
		"a read while a proxy finds no server":      {http.MethodGet, answer(502), 3},
		"a read while a server stops":               {http.MethodGet, answer(503), 3},
		"a read while there are too many":           {http.MethodGet, answer(429), 3},
		"a read whose connection breaks":            {http.MethodGet, broken, 3},
		"a write while there are too many":          {http.MethodPut, answer(429), 3},
		"a write while a server stops":              {http.MethodPut, answer(503), 1},
		"a write whose connection breaks":           {http.MethodPost, broken, 1},
		"a write that somebody else's came before":  {http.MethodPut, answer(409), 1},
		"a deletion whose connection breaks":        {http.MethodDelete, broken, 1},
		"a deletion while a proxy finds no server":  {http.MethodDelete, answer(504), 1},
		"a change while there are too many changes": {http.MethodPatch, answer(429), 3},
	} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				sent.Add(1)
				c.answer(w)
			}))
			defer h.Close()
			// A transport sends some requests again by itself if their connection had been used before.
			to, err := client.New(client.Config{URL: h.URL, Transport: &http.Transport{DisableKeepAlives: true}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = to.Do(t.Context(), client.Request{Method: c.method, Path: "/"})
			if got := sent.Load(); got != c.sent || (err == nil) != (name == "a read that is answered") {
				t.Errorf("sent %d times, want %d; %v", got, c.sent, err)
			}
		})
	}
}

// A server that says when to come again is not asked before.
func TestAServerIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	var sent atomic.Int64
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if sent.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer h.Close()
	began := time.Now()
	if _, err := connect(t, h.Listener.Addr().String()).Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/"}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); sent.Load() != 2 || took < time.Second {
		t.Errorf("asked %d times within %s", sent.Load(), took)
	}
	impatient, err := client.New(client.Config{URL: h.URL, Timeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	sent.Store(0)
	if _, err := impatient.Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/"}); err == nil || sent.Load() != 1 {
		t.Errorf("asked %d times although there was no time for it: %v", sent.Load(), err)
	}
}
