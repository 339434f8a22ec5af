package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

func TestStrictRequestsNameWhatIsNotKnown(t *testing.T) {
	s := start(t)
	base := parse(t, []byte(app("x")))
	for name, c := range map[string]struct {
		body   document
		detail string
	}{
		"at the top":         {base.with("specs", 1), `{'specs': ["Unknown field. Did you mean 'spec'?"]}`},
		"below":              {base.with("spec.manifst", []any{}), `{'spec': {'manifst': ["Unknown field. Did you mean 'manifest'?"]}}`},
		"far from all":       {base.with("spec.constraints.cluster.xyzzy", 1), `{'spec': {'constraints': {'cluster': {'xyzzy': ['Unknown field.']}}}}`},
		"in the metadata":    {base.with("metadata.lables", document{}), `{'metadata': {'lables': ["Unknown field. Did you mean 'labels'?"]}}`},
		"in a list":          {base.with("metadata.owners", []document{{"api": "a", "kind": "b", "name": "c", "nmae": "d"}}), `{'metadata': {'owners': {0: {'nmae': ["Unknown field. Did you mean 'name'?"]}}}}`},
		"before other rules": {base.without("spec.constraints").with("spec.constrains", document{}), `{'spec': {'constrains': ["Unknown field. Did you mean 'constraints'?"]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			s.ask(t, "POST", apps+"?strict=true", c.body).problem(t, 422, "", c.detail)
			if name != "before other rules" {
				s.ask(t, "POST", apps, c.body).want(t, 200) // as ever
				s.ask(t, "DELETE", apps+"/x?force=True", nil)
			}
		})
	}
	t.Run("in a container", func(t *testing.T) {
		s.ask(t, "POST", "/core/globalmetricsproviders?strict=true", `{"metadata":{"name":"p"},"spec":{"type":"static","static":{"metrics":{}},"prometheus":{"url":"x"}}}`).
			problem(t, 422, "", `{'spec': {'prometheus': ['Unknown field, for the type is another one.']}}`)
		s.ask(t, "POST", "/core/globalmetricsproviders?strict=true", `{"metadata":{"name":"p"},"spec":{"type":"prometheus","prometheus":{"ulr":"x"}}}`).
			problem(t, 422, "", `{'spec': {'ulr': ["Unknown field. Did you mean 'url'?"]}}`)
	})
	created := s.ask(t, "POST", apps+"?strict=true", base).want(t, 200).document(t)
	unknown := `{'statu': ["Unknown field. Did you mean 'status'?"]}`
	s.ask(t, "PUT", apps+"/x?strict=true", created.with("statu", 1)).problem(t, 422, "", unknown)
	s.ask(t, "PUT", apps+"/x/status?strict=true", created.with("statu", 1)).problem(t, 422, "", unknown)
	s.ask(t, "PATCH", apps+"/x?strict=true", `{"statu":1}`).problem(t, 422, "", unknown)
	s.ask(t, "PATCH", apps+"/x/status?strict=true", `{"statu":1}`).problem(t, 422, "", unknown)
	s.ask(t, "PATCH", apps+"/x/status?strict=true", `{"parts":{"inventory":{"objecs":[]}}}`).
		problem(t, 422, "", `{'objecs': ["Unknown field. Did you mean 'objects'?"]}`)
	s.ask(t, "PUT", apps+"/x/binding?strict=true", `{"cluster":`+edge+`,"clustr":1}`).
		problem(t, 422, "", `{'clustr': ["Unknown field. Did you mean 'cluster'?"]}`)
	s.ask(t, "PUT", apps+"/x/inventory?strict=true", `{"objects":[],"objcts":1}`).
		problem(t, 422, "", `{'objcts': ["Unknown field. Did you mean 'objects'?"]}`)
	s.ask(t, "POST", apps+"?strict=perhaps", base).problem(t, 422, "", `{"query": {"strict": ["Not a valid boolean."]}}`)
}

// What a strict client reads it may write, whatever the kind.
func TestWhatIsReadIsStrictlyKnown(t *testing.T) {
	forEveryKind(t, func(t *rapid.T, s *server, k *api.Kind) {
		name := fresh()
		object := k.Path(namespaceOf(k, "solar"), name)
		s.ask(t, "POST", k.Path(namespaceOf(k, "solar"), "")+"?strict=true", drawBody(t, k, name)).want(t, 200)
		d := s.ask(t, "GET", object, nil).want(t, 200).document(t)
		s.ask(t, "PUT", object+"?strict=true", d.with("metadata.labels", document{"a": "b", "c": "d"})).want(t, 200)
	})
}

func TestListsOfASelection(t *testing.T) {
	s := start(t)
	for name, labels := range map[string]document{"a": {"tier": "web"}, "b": {"tier": "db", "zone": "1"}, "c": {}} {
		s.ask(t, "POST", apps, parse(t, []byte(app(name))).with("metadata.labels", labels)).want(t, 200)
	}
	s.ask(t, "PUT", apps+"/b/binding", `{"cluster":`+edge+`}`).want(t, 200)
	s.ask(t, "DELETE", apps+"/c", nil).want(t, 200)
	for query, want := range map[string]string{
		"label_selector=tier is web":                                       "a",
		"label_selector=tier in (web, db)":                                 "a b",
		"label_selector=tier is not web":                                   "b",
		"label_selector=tier in (web, db)&label_selector=zone=1":           "b",
		"field_selector=metadata.name=a":                                   "a",
		"field_selector=metadata.name!=a":                                  "b c",
		"field_selector=status.scheduled_to.name=edge-1":                   "b",
		"field_selector=status.scheduled_to.name=":                         "a c",
		"field_selector=metadata.deleted=":                                 "a b",
		"field_selector=metadata.deleted!=":                                "c",
		"field_selector=status.state=PENDING&label_selector=tier is db":    "b",
		"field_selector=metadata.name=a&field_selector=metadata.name!=a":   "",
		"field_selector=metadata.namespace=solar&label_selector=zone == 1": "b",
		"unknown=parameter":                                                "a b c",
	} {
		t.Run(query, func(t *testing.T) {
			var got []string
			for _, item := range s.ask(t, "GET", apps+"?"+encoded(query), nil).want(t, 200).document(t)["items"].([]any) {
				got = append(got, document(item.(map[string]any)).text("metadata.name"))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("got %v, want %s", got, want)
			}
		})
	}
	for query, detail := range map[string]string{
		"label_selector=tier over web": `{"query": {"label_selector": ["Invalid label constraint"]}}`,
		"field_selector=spec.csar=x": `{"query": {"field_selector": ["Application cannot be selected by \"spec.csar\", but by metadata.name, metadata.namespace, ` +
			`metadata.uid, metadata.deleted, status.state, status.scheduled_to.namespace, status.scheduled_to.name, status.running_on.namespace, status.running_on.name."]}}`,
		"field_selector=metadata.name": `{"query": {"field_selector": ["Must be FIELD=VALUE or FIELD!=VALUE."]}}`,
		"view=names":                   `{"query": {"view": ["Must be metadata."]}}`,
		"limit=x":                      `{"query": {"limit": ["Not a valid integer."]}}`,
		"limit=-1":                     `{"query": {"limit": ["Must be greater than or equal to 0."]}}`,
		"continue=x":                   `{"query": {"continue": ["Not the continuation of this list."]}}`,
	} {
		t.Run(query, func(t *testing.T) { s.ask(t, "GET", apps+"?"+encoded(query), nil).problem(t, 422, "", detail) })
	}
}

// encoded escapes the values of a query.
func encoded(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		pairs[i] = name + "=" + url.QueryEscape(value)
	}
	return strings.Join(pairs, "&")
}

func TestPagesOfAListAreOfOneMoment(t *testing.T) {
	s := start(t)
	rapid.Check(t, func(t *rapid.T) {
		namespace := fresh()
		collection := api.ApplicationKind.Path(namespace, "")
		count := rapid.IntRange(0, 9).Draw(t, "objects")
		for i := range count {
			body := parse(t, []byte(app(fmt.Sprint("a", i)))).with("metadata.labels", document{"odd": fmt.Sprint(i % 2)})
			s.ask(t, "POST", collection, body).want(t, 200)
		}
		query := rapid.SampledFrom([]string{"", "&label_selector=odd+is+1"}).Draw(t, "selection")
		whole := s.ask(t, "GET", collection+"?"+query, nil).want(t, 200).document(t)
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		var items []any
		next := ""
		for pages := 0; ; pages++ {
			page := s.ask(t, "GET", fmt.Sprintf("%s?limit=%d&continue=%s%s", collection, limit, next, query), nil).want(t, 200).document(t)
			same(t, "the version", whole.at("metadata.resource_version"), page.at("metadata.resource_version"))
			some := page["items"].([]any)
			items = append(items, some...)
			if next = page.text("metadata.continue"); next == "" {
				break
			}
			if len(some) != limit || pages > count {
				t.Fatalf("a page of %d with more to come", len(some))
			}
			s.ask(t, "PATCH", collection+"/a0", document{"metadata": document{"labels": document{"page": fmt.Sprint("p", pages), "odd": "0"}}})
			s.ask(t, "POST", collection, app(fresh())).want(t, 200) // which no later page has
		}
		same(t, "all pages", whole["items"], append([]any{}, items...))
	})
	t.Run("of another list", func(t *testing.T) {
		for i := range 3 {
			s.ask(t, "POST", apps, app(fmt.Sprint("x", i))).want(t, 200)
		}
		next := s.ask(t, "GET", apps+"?limit=1", nil).want(t, 200).document(t).text("metadata.continue")
		s.ask(t, "GET", "/kubernetes/namespaces/wind/applications?continue="+next, nil).want(t, 422)
		s.ask(t, "GET", "/kubernetes/clusters?continue="+next, nil).want(t, 422)
		s.ask(t, "GET", apps+"?continue="+next+"A", nil).want(t, 422)
		s.ask(t, "POST", apps, app("later")).want(t, 200)
		if err := s.data.Compact(t.Context(), mustRevision(t, s)); err != nil {
			t.Fatal(err)
		}
		s.ask(t, "GET", apps+"?continue="+next, nil).want(t, 410)
	})
}

func mustRevision(t *testing.T, s *server) int64 {
	t.Helper()
	revision, err := s.data.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

func TestTheMetadataAlone(t *testing.T) {
	s := start(t)
	watch := s.watch(t, apps+"?watch&view=metadata&heartbeat=0")
	defer watch.close()
	created := s.ask(t, "POST", apps, app("x")).want(t, 200).document(t)
	want := document{"api": "kubernetes", "kind": "Application", "metadata": created["metadata"]}
	get := func(path string) document { // no old client asks for this, so the answer need not be for one
		resp, err := s.client.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status, err)
		}
		return parse(t, body)
	}
	same(t, "the object", want, get(apps+"/x?view=metadata"))
	same(t, "the list", []any{map[string]any(want)}, get(apps + "?view=metadata")["items"])
	var line struct{ Object document }
	if err := json.Unmarshal([]byte(watch.line(t)), &line); err != nil {
		t.Fatal(err)
	}
	same(t, "the event", want, line.Object)
}

func TestADryRunAnswersAsIfAndChangesNothing(t *testing.T) {
	forEveryKind(t, func(t *rapid.T, s *server, k *api.Kind) {
		name := fresh()
		namespace := namespaceOf(k, "solar")
		collection, object := k.Path(namespace, ""), k.Path(namespace, name)
		body := drawBody(t, k, name)
		tried := s.ask(t, "POST", collection+"?dry_run=true", body).want(t, 200).document(t)
		s.ask(t, "GET", object, nil).want(t, 404)
		created := s.ask(t, "POST", collection, body).want(t, 200).document(t)
		made := func(d document) document {
			for _, path := range []string{"uid", "created", "modified", "deleted", "resource_version"} {
				d = d.without("metadata." + path)
			}
			return d
		}
		same(t, "what would be created", made(created), made(tried))
		s.ask(t, "POST", collection+"?dry_run=true", body).want(t, 409)

		revision, err := s.data.Revision(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		changed := created.with("metadata.labels", document{"dry": "run"})
		requests := map[string]answer{
			"PUT":    s.ask(t, "PUT", object+"?dry_run=true", changed),
			"PATCH":  s.ask(t, "PATCH", object+"?dry_run=true", `{"metadata":{"labels":{"dry":"run"}}}`),
			"DELETE": s.ask(t, "DELETE", object+"?dry_run=true", nil),
		}
		if k.Force {
			requests["DELETE by force"] = s.ask(t, "DELETE", object+"?dry_run=true&force=True", nil)
		}
		if k.Status {
			requests["PUT status"] = s.ask(t, "PUT", object+"/status?dry_run=true", created)
			requests["PATCH status"] = s.ask(t, "PATCH", object+"/status?dry_run=true", document{"status": drawStatus(t, k)})
		}
		for _, p := range k.Parts {
			requests["PUT "+p.Name] = s.ask(t, "PUT", object+"/"+p.Name+"?dry_run=true", drawPart(t, k, p))
		}
		for what, a := range requests {
			d := a.want(t, 200).document(t)
			version := d.text("metadata.resource_version")
			if want := created.text("metadata.resource_version"); version != want && !(version == "0" && d["content"] != nil) {
				t.Errorf("%s: version %s instead of %s", what, version, want)
			}
		}
		if requests["PUT"].document(t).text("metadata.labels.dry") != "run" || requests["DELETE"].document(t).text("metadata.deleted") == "" {
			t.Errorf("%s\n%s", requests["PUT"].body, requests["DELETE"].body)
		}
		if now, err := s.data.Revision(t.Context()); err != nil || now != revision {
			t.Errorf("something was written: revision %d after %d, %v", now, revision, err)
		}
		same(t, "the object", created, s.ask(t, "GET", object, nil).want(t, 200).document(t))
	})
}

func TestStaleReadsAreServed(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	d := s.ask(t, "GET", apps+"/x", nil).want(t, 200).document(t) // which the store has caught up with
	same(t, "the object", d, s.ask(t, "GET", apps+"/x?resource_version=0", nil).want(t, 200).document(t))
	items := s.ask(t, "GET", apps+"?resource_version=0", nil).want(t, 200).document(t)["items"].([]any)
	if !slices.ContainsFunc(items, func(v any) bool { return document(v.(map[string]any)).text("metadata.uid") == d.text("metadata.uid") }) {
		t.Error(items)
	}
}

// Of a kind that may be crowded, the objects that were written longest ago make room, and no others.
func TestACrowdStaysSmall(t *testing.T) {
	s := start(t)
	const events = "/core/namespaces/solar/events"
	event := func(name string) string { return `{"metadata":{"name":"` + name + `"},"spec":{"reason":"R"}}` }
	s.ask(t, "POST", events, event("other.1")).want(t, 200)
	s.ask(t, "POST", events, event("uid")).want(t, 200)
	s.ask(t, "POST", "/core/namespaces/lunar/events", event("uid.0")).want(t, 200)
	for i := range api.EventKind.Crowd {
		s.ask(t, "POST", events, event(fmt.Sprint("uid.", i))).want(t, 200)
	}
	s.ask(t, "POST", events+"?dry_run=true", event("uid.dry")).want(t, 200)
	s.ask(t, "PATCH", events+"/uid.0", `{"spec":{"count":2}}`).want(t, 200)
	w := s.watch(t, events+"?watch&heartbeat=0")
	defer w.close()
	s.ask(t, "POST", events, event("uid.one")).want(t, 200)
	s.ask(t, "POST", events, event("uid.two")).want(t, 200)
	for _, want := range []string{"DELETED uid.1", "ADDED uid.one", "DELETED uid.2", "ADDED uid.two"} {
		e := w.next(t)
		if got := e.Type + " " + e.Object["metadata"].(map[string]any)["name"].(string); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for name, status := range map[string]int{"uid": 200, "uid.0": 200, "uid.1": 404, "uid.2": 404, "uid.3": 200, "other.1": 200} {
		s.ask(t, "GET", events+"/"+name, nil).want(t, status)
	}
	s.ask(t, "GET", "/core/namespaces/lunar/events/uid.0", nil).want(t, 200)
}
