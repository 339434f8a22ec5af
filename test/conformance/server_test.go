package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/objectrule"
	"github.com/rak-n-rok/krake/internal/store"
	"github.com/rak-n-rok/krake/test/conformance/closed"
)

// tb is what tests and rapid's properties have in common.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// A server is a real API over a real store.
type server struct {
	url    string
	client *http.Client
	data   *store.Store
}

// checks are those of the whole server.
var checks = map[*api.Kind]func(next, stored api.Resource) error{api.GlobalObjectRuleKind: objectrule.Check}

// start runs a server with a store of its own until the test ends.
func start(t testing.TB, options ...func(*apiserver.Options)) *server {
	t.Helper()
	return startIn(t, filepath.Join(t.TempDir(), "data"), options...)
}

// startIn is start with a data directory that may exist.
func startIn(t testing.TB, dir string, options ...func(*apiserver.Options)) *server {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	st, err := store.Open(t.Context(), store.Options{Dir: dir, UnsafeNoFsync: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	o := apiserver.Options{Store: st, Log: quiet, Checks: checks}
	for _, change := range options {
		change(&o)
	}
	h := httptest.NewServer(apiserver.New(o))
	t.Cleanup(func() {
		h.CloseClientConnections()
		if err := st.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		h.Close()
	})
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(client.CloseIdleConnections)
	return &server{url: h.URL, client: client, data: st}
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request and checks of the answer what holds for all answers. The body is JSON text or a value; headers are
// pairs.
func (s *server) ask(t tb, method, path string, body any, headers ...string) answer {
	t.Helper()
	a, err := s.send(method, path, body, headers...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return a
}

// store changes what lies in the store under a key, past the server.
func (s *server) store(t testing.TB, key string, change func(document) document) {
	t.Helper()
	before := document{}
	if record, err := s.data.Get(t.Context(), key); err == nil {
		before = parse(t, record.Value)
	}
	after, err := json.Marshal(change(before))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.data.Commit(t.Context(), store.Txn{Do: []store.Op{store.Put(key, after)}}); err != nil {
		t.Fatal(err)
	}
}

// put puts any bytes under a key, past the server.
func (s *server) put(t testing.TB, key, value string) {
	t.Helper()
	if _, err := s.data.Commit(t.Context(), store.Txn{Do: []store.Op{store.Put(key, []byte(value))}}); err != nil {
		t.Fatal(err)
	}
}

// status is the status of GET with another Host header.
func (s *server) status(t tb, path, host string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	req.Host = host
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// send is ask for goroutines that may not end a test.
func (s *server) send(method, path string, body any, headers ...string) (answer, error) {
	req, err := http.NewRequest(method, s.url+path, reader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	a := answer{resp.StatusCode, resp.Header, data}
	if err := a.sound(method, path); err != nil {
		return a, fmt.Errorf("%s %s answered %d %s\nwhich an old client cannot read: %w", method, path, a.status, a.body, err)
	}
	return a, nil
}

func reader(body any) io.Reader {
	switch b := body.(type) {
	case nil:
		return nil
	case string:
		return strings.NewReader(b)
	case []byte:
		return bytes.NewReader(b)
	}
	data, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return bytes.NewReader(data)
}

// sound says whether an old client can read the answer.
func (a answer) sound(method, path string) error {
	kind, isList := kindOfPath(path)
	switch {
	case method == http.MethodHead, method == http.MethodOptions && a.status == http.StatusOK:
		return nil
	case a.status >= 300:
		return closed.Check("Problem", a.body)
	case !closed.Known(kind):
		return nil
	case isList && method == http.MethodGet:
		return closed.Check(kind+"List", a.body)
	}
	return closed.Check(kind, a.body)
}

// kindOfPath is the kind whose documents a path has, empty for parts and for paths beside the kinds.
func kindOfPath(path string) (kind string, isList bool) {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) > 3 && parts[1] == "namespaces" {
		parts = append(parts[:1], parts[3:]...)
	}
	if len(parts) < 2 {
		return "", false
	}
	for _, k := range api.Kinds {
		if k.Group == parts[0] && k.Plural == parts[1] && (len(parts) < 4 || k.Part(parts[3]) == nil) {
			return k.Name, len(parts) == 2
		}
	}
	return "", false
}

// want fails the test unless the answer has this status.
func (a answer) want(t tb, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("answered %d %s, want %d", a.status, a.body, status)
	}
	return a
}

// problem compares the answer with a problem document; an empty title means none.
func (a answer) problem(t tb, status int, title, detail string) {
	t.Helper()
	p := *api.NewProblem(status, title, "%s", detail).WithType(api.DefaultProblemBase)
	var got api.Problem
	if err := json.Unmarshal(a.body, &got); err != nil {
		t.Fatalf("answered %d %s: %v", a.status, a.body, err)
	}
	if diff := cmp.Diff(p, got); diff != "" || a.status != status {
		t.Errorf("answered %d: %s", a.status, diff)
	}
	if got, want := a.header.Get("Content-Type"), "application/problem+json; charset=utf-8"; got != want {
		t.Errorf("the content type is %q, want %q", got, want)
	}
}

// A document is the JSON tree of an object, to look into and to change.
type document map[string]any

// document reads the answer's body.
func (a answer) document(t tb) document {
	t.Helper()
	return parse(t, a.body)
}

func parse(t tb, text []byte) document {
	t.Helper()
	d := document{}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// at follows a path such as "metadata.name".
func (d document) at(path string) any {
	var v any = map[string]any(d)
	for _, key := range strings.Split(path, ".") {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// text is at for texts; null is the empty one.
func (d document) text(path string) string {
	s, _ := d.at(path).(string)
	return s
}

// with returns a copy with one field replaced.
func (d document) with(path string, value any) document {
	out := d.copy()
	m := map[string]any(out)
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		inner, ok := m[key].(map[string]any)
		if !ok {
			inner = map[string]any{}
			m[key] = inner
		}
		m = inner
	}
	m[keys[len(keys)-1]] = value
	return out
}

// without returns a copy that lacks a key.
func (d document) without(path string) document {
	out := d.copy()
	parent, key := "", path
	if i := strings.LastIndex(path, "."); i >= 0 {
		parent, key = path[:i], path[i+1:]
	}
	m := map[string]any(out)
	if parent != "" {
		m = out.at(parent).(map[string]any)
	}
	delete(m, key)
	return out
}

func (d document) copy() document {
	data, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	out := document{}
	if err := json.Unmarshal(data, &out); err != nil {
		panic(err)
	}
	return out
}

// stripped is what an old client keeps of a document.
func stripped(t tb, kind string, d document) document {
	t.Helper()
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatalf("%v", err)
	}
	data, err = closed.Strip(kind, data)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return parse(t, data)
}

// same compares two JSON values.
func same(t tb, what string, want, got any) {
	t.Helper()
	tree := func(v any) (out any) {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if err := json.Unmarshal(data, &out); err != nil {
			t.Fatalf("%v", err)
		}
		return out
	}
	if diff := cmp.Diff(tree(want), tree(got)); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
