package apiserver

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/store"
)

// canaries are records that no path may lead to: beside all kinds, beside a kind whose plural begins alike, and below a
// kind, where no object can be.
var canaries = []string{
	"/canary", "/krake/canary", "/krake/applications/canary/inventory", "/core/rolescanary/x", "/core/roles/a/canary",
	"/kubernetes/applications/canary", "/kubernetes/applications/a/b/canary", "/kubernetes/applications/..", "/core/roles/", "/core/roles//x",
}

const canary = `{"metadata":{"name":"tweet"}}` // which could be served as an object

// Whatever the path is, a request gets an answer, never an error of the server, and stays with its kind's objects.
func FuzzPaths(f *testing.F) {
	for _, path := range []string{
		"/", "/me", "/core/roles", "/core/roles/x", "/core/roles/x/status", "/core/metrics", "/core/namespaces/solar/metrics/x",
		"/kubernetes/namespaces/solar/applications/x/binding", "/kubernetes/namespaces/solar/applications/x/inventory",
		"/kubernetes/namespaces/a%2Fb/applications/canary", "/kubernetes/namespaces/a/applications/b%2Fcanary", "/core/roles/..%2F..%2Fcanary",
		"/core/roles%2Fx", "/core/roles/%2E%2E", "/core/roles/../../canary", "//core/roles", "/core//roles", "/core/roles/", "/%6bubernetes/applications",
		"/core/namespaces/solar/roles/x", "/namespaces/namespaces/namespaces", "/kubernetes/namespaces/namespaces/applications", "/core/roles/%00", "/core/roles/%",
		"/core/roles/\xff", "/core/roles/é", "/openstack/namespaces/x/magnumclusters/y/binding", "/infrastructure/globalclouds/x/status/y", "*", "/krake/canary",
	} {
		f.Add(path)
	}
	quiet := slog.New(slog.DiscardHandler)
	st, err := store.Open(f.Context(), store.Options{Dir: f.TempDir(), UnsafeNoFsync: true, Logger: quiet})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = st.Close() })
	for _, key := range canaries {
		if _, err := st.Commit(f.Context(), store.Txn{Do: []store.Op{store.Put(key, []byte(canary))}}); err != nil {
			f.Fatal(err)
		}
	}
	s := New(Options{Store: st, Log: quiet, AnyHost: true})
	f.Fuzz(func(t *testing.T, path string) {
		checkTarget(t, path)
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return // net/http does not let it in
		}
		u.RawQuery = "force=True"
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			r := httptest.NewRequest(method, "/", strings.NewReader(`{"metadata":{"name":"x"}}`))
			r.URL = u
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code >= http.StatusInternalServerError || strings.Contains(w.Body.String(), "tweet") {
				t.Errorf("%s %q was answered with %d %s", method, path, w.Code, w.Body)
			}
		}
		for _, key := range canaries {
			if record, err := st.Get(t.Context(), key); err != nil || string(record.Value) != canary {
				t.Errorf("%q touched %s: %s, %v", path, key, record.Value, err)
			}
		}
	})
}

// checkTarget checks that what a path names is in its kind's part of the store.
func checkTarget(t *testing.T, path string) {
	target, ok := match(path)
	if !ok {
		return
	}
	rest, within := strings.CutPrefix(target.key(), target.kind.Key("", ""))
	if !within {
		t.Errorf("%q leads to %q, which is no %s", path, target.key(), target.kind.Name)
	}
	if target.name == "" || !target.valid() {
		return
	}
	names := strings.Split(rest, "/")
	if want := map[bool]int{true: 2, false: 1}[target.kind.Namespaced]; len(names) != want {
		t.Errorf("%q leads to %q", path, target.key())
	}
	for _, name := range names {
		if !api.ValidName(name) {
			t.Errorf("%q leads to %q", path, target.key())
		}
	}
}
