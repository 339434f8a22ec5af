package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

func TestAddressesThatAreNone(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:8080", "ftp://host", "http://", "://", "host", "/path"} {
		if c, err := client.New(client.Config{URL: url}); err == nil {
			t.Errorf("%q leads to %s", url, c.URL())
		} else if !strings.Contains(err.Error(), "such as http://127.0.0.1:8080") {
			t.Errorf("%q: %v", url, err)
		}
	}
	c, err := client.New(client.Config{URL: "https://krake.example/"})
	if err != nil || c.URL() != "https://krake.example" {
		t.Errorf("%v", err)
	}
}

func TestTheLifeOfAnObject(t *testing.T) {
	ctx := t.Context()
	address, _ := serve(t)
	apps := client.Of[api.Application](connect(t, address))

	created, err := apps.Create(ctx, application("x"))
	if err != nil {
		t.Fatal(err)
	}
	if created.Metadata.UID == "" || created.Metadata.ResourceVersion == "" || created.Status.State != api.AppPending {
		t.Errorf("%+v", created.Metadata)
	}
	read, err := apps.Get(ctx, "solar", "x")
	if err != nil || cmp.Diff(created.Metadata, read.Metadata) != "" {
		t.Errorf("%v: %s", err, cmp.Diff(created.Metadata, read.Metadata))
	}

	changed := *read
	changed.Spec.Backoff = 7
	updated, err := apps.Update(ctx, &changed)
	if err != nil || updated.Spec.Backoff != 7 || updated.Metadata.Generation != 2 {
		t.Fatalf("%+v, %v", updated, err)
	}
	patched, err := apps.Patch(ctx, updated, map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": "b"}}})
	if err != nil || patched.Metadata.Labels["a"] != "b" {
		t.Fatalf("%+v, %v", patched, err)
	}
	reported, err := apps.PatchStatus(ctx, patched, map[string]any{"status": map[string]any{"state": "RUNNING"}})
	if err != nil || reported.Status.State != api.AppRunning {
		t.Fatalf("%+v, %v", reported, err)
	}
	target := api.ClusterKind.Ref("solar", "edge-1")
	bound, err := apps.Do(ctx, "solar", "x", "binding", api.ClusterBinding{
		Cluster: target, UID: reported.Metadata.UID, Generation: reported.Metadata.Generation, Expected: api.Expect(nil),
	})
	if err != nil || !api.SameRef(bound.Status.ScheduledTo, &target) {
		t.Fatalf("%+v, %v", bound, err)
	}
	list, version, err := apps.List(ctx, "")
	if err != nil || len(list) != 1 || version != bound.Metadata.ResourceVersion {
		t.Errorf("%d objects at %s, %v", len(list), version, err)
	}
	if list, _, err := apps.List(ctx, "wind"); err != nil || len(list) != 0 {
		t.Errorf("%d objects in another namespace, %v", len(list), err)
	}
	deleted, err := apps.Delete(ctx, "solar", "x", client.DeleteOptions{IfMatch: bound.Metadata.ResourceVersion})
	if err != nil || deleted.Metadata.Deleted == nil {
		t.Fatalf("%+v, %v", deleted, err)
	}
	if _, err := apps.Delete(ctx, "solar", "x", client.DeleteOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := apps.Get(ctx, "solar", "x"); !client.NotFound(err) {
		t.Errorf("%v", err)
	}
}

func TestObjectsOfAKindThatIsKnownFromTheTableOnly(t *testing.T) {
	address, _ := serve(t)
	for _, k := range api.Kinds {
		objects := client.OfKind(connect(t, address), k)
		if list, version, err := objects.List(t.Context(), ""); err != nil || len(list) != 0 || version == "" || objects.Kind() != k {
			t.Errorf("%s: %d at %q, %v", k.Name, len(list), version, err)
		}
		if _, err := objects.Get(t.Context(), "solar", "x"); !client.NotFound(err) {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
}

// reads notes the queries of reads.
type reads struct{ queries []url.Values }

func (r *reads) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		r.queries = append(r.queries, req.URL.Query())
	}
	return http.DefaultTransport.RoundTrip(req)
}

func TestTheMetadataOfAKindAlone(t *testing.T) {
	ctx := t.Context()
	address, _ := serve(t)
	created, err := client.Of[api.Application](connect(t, address)).Create(ctx, application("x"))
	if err != nil {
		t.Fatal(err)
	}
	seen := &reads{}
	c, err := client.New(client.Config{URL: "http://" + address, Transport: seen})
	if err != nil {
		t.Fatal(err)
	}
	bare := client.MetadataOfKind(c, api.ApplicationKind)
	got, err := bare.Get(ctx, "solar", "x")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&created.Envelope, got); d != "" {
		t.Errorf("created and read: %s", d)
	}
	list, version, err := bare.List(ctx, "solar")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]*api.Envelope{&created.Envelope}, list); d != "" {
		t.Errorf("created and listed: %s", d)
	}
	if _, err := bare.Patch(ctx, got, map[string]any{"metadata": map[string]any{"labels": map[string]string{"a": "b"}}}); err != nil {
		t.Fatal(err)
	}
	err = bare.Watch(ctx, "solar", version, func(e client.Event[*api.Envelope]) error {
		if e.Type != client.Modified || e.Object.Metadata.UID != got.Metadata.UID || e.Object.Metadata.Labels["a"] != "b" {
			t.Errorf("an event %s of %+v", e.Type, e.Object)
		}
		return io.EOF
	})
	if !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	for _, query := range seen.queries {
		if query.Get("view") != "metadata" {
			t.Errorf("a read asked for %v", query)
		}
	}
	if len(seen.queries) != 3 {
		t.Errorf("%d reads, want 3", len(seen.queries))
	}
}

func TestAWriteOfWhatOthersHaveChangedIsAConflict(t *testing.T) {
	ctx := t.Context()
	address, _ := serve(t)
	apps := client.Of[api.Application](connect(t, address))
	stale, err := apps.Create(ctx, application("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := apps.Create(ctx, application("x")); !client.Exists(err) || client.Conflict(err) {
		t.Errorf("created twice: %v", err)
	}
	if _, err := apps.PatchStatus(ctx, stale, map[string]any{"status": map[string]any{"retries": 1}}); err != nil {
		t.Fatal(err)
	}
	changed := *stale
	changed.Spec.Backoff = 7
	for name, write := range map[string]func() (*api.Application, error){
		"update":       func() (*api.Application, error) { return apps.Update(ctx, &changed) },
		"patch":        func() (*api.Application, error) { return apps.Patch(ctx, stale, map[string]any{}) },
		"status patch": func() (*api.Application, error) { return apps.PatchStatus(ctx, stale, map[string]any{}) },
		"delete": func() (*api.Application, error) {
			return apps.Delete(ctx, "solar", "x", client.DeleteOptions{IfMatch: stale.Metadata.ResourceVersion})
		},
	} {
		if _, err := write(); !client.Conflict(err) || client.NotFound(err) || client.Unreachable(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	blind := changed
	blind.Metadata.ResourceVersion = "" // nothing was read, nothing is stated
	if _, err := apps.Update(ctx, &blind); err != nil {
		t.Errorf("a write that states no version: %v", err)
	}
	var p *api.Problem
	if _, err := apps.Create(ctx, application("two words")); !errors.As(err, &p) || p.Status != 422 || !strings.Contains(err.Error(), "Invalid character") {
		t.Errorf("%v", err)
	}
}

func TestPartsAreReadAndWrittenWithTheirVersions(t *testing.T) {
	ctx := t.Context()
	address, _ := serve(t)
	apps := client.Of[api.Application](connect(t, address))
	app, err := apps.Create(ctx, application("x"))
	if err != nil {
		t.Fatal(err)
	}
	var got api.Inventory
	version, err := apps.GetPart(ctx, app, api.InventoryPart, &got)
	if err != nil || version != "0" || len(got.Objects) != 0 {
		t.Fatalf("%q, %+v, %v", version, got, err)
	}
	want := api.Inventory{Objects: []api.InventoryObject{{Cluster: "id", Kind: "Secret", Name: "s"}}}
	version, err = apps.PutPart(ctx, app, api.InventoryPart, want, version)
	if err != nil || version == "0" {
		t.Fatalf("%q, %v", version, err)
	}
	if _, err := apps.PutPart(ctx, app, api.InventoryPart, want, "0"); !client.Conflict(err) {
		t.Errorf("%v", err)
	}
	if again, err := apps.GetPart(ctx, app, api.InventoryPart, &got); err != nil || again != version || cmp.Diff(want, got) != "" {
		t.Errorf("%q, %v: %s", again, err, cmp.Diff(want, got))
	}
	if _, err := apps.Delete(ctx, "solar", "x", client.DeleteOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := apps.Create(ctx, application("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := apps.PutPart(ctx, app, api.InventoryPart, want, "0"); !client.NotFound(err) {
		t.Errorf("a part of an application that is gone was written to a later one: %v", err)
	}
}

func TestNamesThatAreNoneLeadNowhereElse(t *testing.T) {
	address, _ := serve(t)
	apps := client.Of[api.Application](connect(t, address))
	if _, err := apps.Create(t.Context(), application("x")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x/status", "../applications/x", "x?force=True", "x#", "x%2F", "."} {
		if _, err := apps.Get(t.Context(), "solar", name); !client.NotFound(err) {
			t.Errorf("get %s: %v", name, err)
		}
		if _, err := apps.Delete(t.Context(), "solar", name, client.DeleteOptions{}); !client.NotFound(err) {
			t.Errorf("delete %s: %v", name, err)
		}
	}
	if a, err := apps.Get(t.Context(), "solar", "x"); err != nil || a.Metadata.Deleted != nil {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAServerThatDoesNotAnswer(t *testing.T) {
	ctx := t.Context()
	address, _ := serve(t)
	p := between(t, address)
	apps := client.Of[api.Application](connect(t, p.address()))
	if _, _, err := apps.List(ctx, ""); err != nil {
		t.Fatal(err)
	}
	p.lead("")
	_, _, err := apps.List(ctx, "")
	if !client.Unreachable(err) || client.NotFound(err) || client.Conflict(err) || !strings.Contains(err.Error(), p.address()) {
		t.Errorf("%v", err)
	}
	p.lead(address)
	if _, _, err := apps.List(ctx, ""); err != nil {
		t.Errorf("after it came back: %v", err)
	}
}

func TestARequestThatTakesTooLongIsGivenUp(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	c, err := client.New(client.Config{URL: silent.URL, Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Of[api.Application](c).Get(t.Context(), "solar", "x")
	if !client.Unreachable(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestAServerThatIsNoKrake(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"a page that was not found":  {404, "<html>not found</html>"},
		"a gateway that is confused": {502, ""},
		"a document of another kind": {403, `{"error":"forbidden"}`},
	} {
		t.Run(name, func(t *testing.T) {
			other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer other.Close()
			_, err := client.Of[api.Application](connect(t, strings.TrimPrefix(other.URL, "http://"))).Get(t.Context(), "solar", "x")
			var p *api.Problem
			if !errors.As(err, &p) || p.Status != c.status || client.NotFound(err) || !strings.Contains(err.Error(), "is this a Krake API?") {
				t.Errorf("%v", err)
			}
		})
	}
	for _, body := range []string{"<html>hello</html>", `{}`, `[]`, `{"items":5}`} {
		page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		apps := client.Of[api.Application](connect(t, strings.TrimPrefix(page.URL, "http://")))
		if _, _, err := apps.List(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "cannot be read") || strings.Contains(err.Error(), "nil") {
			t.Errorf("%s: %v", body, err)
		}
		page.Close()
	}
}

// TestARedirectIsNoAnswer: a browser's habit of asking the new address with GET would make a read of every write.
func TestARedirectIsNoAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		status   int
		location string
		want     string
	}{
		"moved for good":           {301, "https://krake.example/apps", "a redirect to https://krake.example/apps (301 Moved Permanently)"},
		"moved for now":            {302, "/login", "a redirect to /login (302 Found)"},
		"to be read elsewhere":     {303, "/login", "a redirect to /login (303 See Other)"},
		"moved with its method":    {308, "https://krake.example/", "a redirect to https://krake.example/ (308 Permanent Redirect)"},
		"moved nobody knows where": {301, "", "a redirect to nowhere (301 Moved Permanently)"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				if c.location != "" {
					w.Header().Set("Location", c.location)
				}
				w.WriteHeader(c.status)
			}))
			defer other.Close()
			apps := client.Of[api.Application](connect(t, strings.TrimPrefix(other.URL, "http://")))
			for method, call := range map[string]func() error{
				"GET":    func() error { _, err := apps.Get(t.Context(), "solar", "x"); return err },
				"POST":   func() error { _, err := apps.Create(t.Context(), application("x")); return err },
				"DELETE": func() error { _, err := apps.Delete(t.Context(), "solar", "x", client.DeleteOptions{}); return err },
				"watch":  func() error { return apps.Watch(t.Context(), "", "0", nil) },
			} {
				asked = 0
				err := call()
				var r *client.RedirectError
				if !errors.As(err, &r) || !strings.Contains(err.Error(), c.want) || client.Unreachable(err) || asked != 1 {
					t.Errorf("%s, asked %d times: %v", method, asked, err)
				}
			}
		})
	}
}

// TestProblemsAreKnownByTheirContentType: what a problem document leaves out has a meaning (RFC 7807, section 3.1).
func TestProblemsAreKnownByTheirContentType(t *testing.T) {
	const document = "application/problem+json; charset=utf-8"
	foreign := api.Problem{Status: 403, Detail: "403 Forbidden (no problem document; is this a Krake API?)"}
	for name, c := range map[string]struct {
		contentType, body string
		want              api.Problem
	}{
		"everything is there":    {document, `{"type":"t","title":"T","status":403,"detail":"d"}`, api.Problem{Type: "t", Title: "T", Status: 403, Detail: "d"}},
		"no status":              {document, `{"type":"t","title":"T","detail":"d"}`, api.Problem{Type: "t", Title: "T", Status: 403, Detail: "d"}},
		"no type":                {document, `{"title":"T","status":403}`, api.Problem{Type: "about:blank", Title: "T", Status: 403}},
		"neither":                {"application/problem+json", `{"detail":"d"}`, api.Problem{Type: "about:blank", Status: 403, Detail: "d"}},
		"no JSON":                {document, `<html>`, foreign},
		"another kind of JSON":   {"application/json", `{"status":403,"title":"T"}`, foreign},
		"a content type of none": {"/", `{"status":403,"title":"T"}`, foreign},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				w.WriteHeader(403)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			_, err := client.Of[api.Application](connect(t, strings.TrimPrefix(server.URL, "http://"))).Get(t.Context(), "solar", "x")
			var p *api.Problem
			if !errors.As(err, &p) || *p != c.want {
				t.Errorf("got %+v, want %+v", err, c.want)
			}
		})
	}
}
