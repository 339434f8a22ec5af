package cli_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/scheduler/preview"
	"github.com/rak-n-rok/krake/internal/store"
)

// recorder notes what reaches the server.
type recorder struct {
	next http.Handler
	url  string

	mu    sync.Mutex
	lines []string
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	req.Body = io.NopCloser(bytes.NewReader(body))
	r.mu.Lock()
	r.lines = append(r.lines, strings.TrimSpace(req.Method+" "+req.URL.RequestURI()+" "+string(body)))
	r.mu.Unlock()
	r.next.ServeHTTP(w, req)
}

// newServer starts a Krake API on a store of its own, in which it is always the same moment.
func newServer(dir string) (r *recorder, stop func(), err error) {
	quiet := slog.New(slog.DiscardHandler)
	st, err := store.Open(context.Background(), store.Options{Dir: dir, UnsafeNoFsync: true, Logger: quiet})
	if err != nil {
		return nil, nil, err
	}
	now := time.Date(2022, 3, 30, 16, 0, 21, 851661000, time.UTC)
	clock := func() time.Time { return now }
	krake := apiserver.New(apiserver.Options{Store: st, Log: quiet, Now: clock})
	c, err := client.New(client.Config{URL: "http://krake.internal", Transport: krake.Local("system:preview")})
	if err != nil {
		return nil, nil, err
	}
	krake.MountAnswers(map[string]apiserver.Answer{api.PlacementsQuestion: preview.New(preview.Options{Client: c, Now: clock}).Answer})
	r = &recorder{next: krake}
	s := httptest.NewServer(r)
	r.url = s.URL
	return r, func() {
		s.Close()
		st.Close()
	}, nil
}
