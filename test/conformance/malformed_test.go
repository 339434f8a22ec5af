package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

// forEveryEntry runs a test for every kind on one server. The object x exists, and is as read.
func forEveryEntry(t *testing.T, test func(t *testing.T, s *server, e entry, read document)) {
	s := start(t)
	for _, e := range slices.Concat(entries, ourEntries) {
		t.Run(e.kind, func(t *testing.T) {
			test(t, s, e, s.ask(t, "POST", e.path(""), e.body("x")).want(t, 200).document(t))
		})
	}
}

const (
	missing = "['Missing data for required field.']"
	isNull  = "['Field may not be null.']"
	noText  = "['Not a valid string.']"
	noTime  = "['Not a valid datetime.']"
	noInput = "['Invalid input type.']"
	badName = "['Invalid character in resource name.']"
)

// wrongMetadata says what every kind answers to a field of metadata that is wrong, on create and on update.
var wrongMetadata = []struct {
	field  string
	value  any // removed leaves the field out
	detail string
}{
	{"metadata", removed, "{'metadata': " + missing + "}"},
	{"metadata", nil, "{'metadata': " + isNull + "}"},
	{"metadata", []any{}, "{'metadata': {'_schema': " + noInput + "}}"},
	{"metadata", "x", "{'metadata': {'_schema': " + noInput + "}}"},
	{"metadata.name", removed, "{'metadata': {'name': " + missing + "}}"},
	{"metadata.name", nil, "{'metadata': {'name': " + isNull + "}}"},
	{"metadata.name", 5, "{'metadata': {'name': " + noText + "}}"},
	{"metadata.name", "", "{'metadata': {'name': " + badName + "}}"},
	{"metadata.name", "a b", "{'metadata': {'name': " + badName + "}}"},
	{"metadata.name", "-a", "{'metadata': {'name': " + badName + "}}"},
	{"metadata.name", "a.", "{'metadata': {'name': " + badName + "}}"},
	{"metadata.name", "a/b", "{'metadata': {'name': " + badName + "}}"},
	{"metadata.name", "a\n", "{'metadata': {'name': " + badName + "}}"},
	{"metadata.name", "é", "{'metadata': {'name': " + badName + "}}"},
	{"metadata.name", strings.Repeat("a", 256), "{'metadata': {'name': " + badName + "}}"},
	{"metadata.namespace", "a b", "{'metadata': {'namespace': ['Invalid character in resource namespace.']}}"},
	{"metadata.namespace", 5, "{'metadata': {'namespace': " + noText + "}}"},
	{"metadata.labels", nil, "{'metadata': {'labels': " + isNull + "}}"},
	{"metadata.labels", []any{}, "{'metadata': {'labels': ['Not a valid mapping type.']}}"},
	{"metadata.labels", document{"a": 5}, `{'metadata': {'labels': [{'5': "expected string or bytes-like object, got 'int'"}]}}`},
	{"metadata.inherit_labels", "perhaps", "{'metadata': {'inherit_labels': ['Not a valid boolean.']}}"},
	{"metadata.inherit_labels", nil, "{'metadata': {'inherit_labels': " + isNull + "}}"},
	{"metadata.finalizers", nil, "{'metadata': {'finalizers': " + isNull + "}}"},
	{"metadata.finalizers", "a", "{'metadata': {'finalizers': ['Not a valid list.']}}"},
	{"metadata.finalizers", []any{"a", nil, 5}, "{'metadata': {'finalizers': {1: " + isNull + ", 2: " + noText + "}}}"},
	{"metadata.owners", document{}, "{'metadata': {'owners': ['Not a valid list.']}}"},
	{"metadata.owners", []any{"x"}, "{'metadata': {'owners': {0: {'_schema': " + noInput + "}}}}"},
	{"metadata.owners", []any{document{"name": nil}}, "{'metadata': {'owners': {0: {'api': " + missing + ", 'kind': " + missing + ", 'name': " + isNull + "}}}}"},
}

// wrongReadOnly is what is wrong on update alone: on create nobody looks at these fields.
var wrongReadOnly = []struct {
	field  string
	value  any
	detail string
}{
	{"metadata.uid", removed, "{'metadata': {'uid': " + missing + "}}"},
	{"metadata.uid", nil, "{'metadata': {'uid': " + isNull + "}}"},
	{"metadata.uid", 5, "{'metadata': {'uid': " + noText + "}}"},
	{"metadata.created", removed, "{'metadata': {'created': " + missing + "}}"},
	{"metadata.created", "soon", "{'metadata': {'created': " + noTime + "}}"},
	{"metadata.modified", nil, "{'metadata': {'modified': " + isNull + "}}"},
	{"metadata.modified", 5, "{'metadata': {'modified': " + noTime + "}}"},
	{"metadata.deleted", "never", "{'metadata': {'deleted': " + noTime + "}}"},
}

// removed stands for a field that is left out.
var removed = new(struct{})

func (d document) broken(field string, value any) document {
	if value == removed {
		return d.without(field)
	}
	return d.with(field, value)
}

func TestMetadataOfTheWrongFormIsRefusedByEveryKind(t *testing.T) {
	forEveryEntry(t, func(t *testing.T, s *server, e entry, read document) {
		puts := []string{e.path("x"), e.path("nothing")}
		if e.hasStatus() {
			puts = append(puts, e.path("x")+"/status", e.path("nothing")+"/status")
		}
		for _, c := range wrongMetadata {
			s.ask(t, "POST", e.path(""), e.body("y").broken(c.field, c.value)).problem(t, 422, "", c.detail)
			for _, put := range puts {
				s.ask(t, "PUT", put, read.broken(c.field, c.value)).problem(t, 422, "", c.detail)
			}
		}
		for _, c := range wrongReadOnly {
			for _, put := range puts {
				s.ask(t, "PUT", put, read.broken(c.field, c.value)).problem(t, 422, "", c.detail)
			}
			s.ask(t, "POST", e.path(""), e.body(fresh()).broken(c.field, c.value)).want(t, 200)
		}
		if e.hasStatus() {
			for value, detail := range map[any]string{removed: missing, nil: isNull, 5: "{'_schema': " + noInput + "}", "x": "{'_schema': " + noInput + "}"} {
				if e.statusAdded() && (value == removed || value == nil) {
					continue // as of any addition: it stays as it is, or is emptied
				}
				for _, put := range puts {
					s.ask(t, "PUT", put, read.broken("status", value)).problem(t, 422, "", "{'status': "+detail+"}")
				}
				s.ask(t, "POST", e.path(""), e.body(fresh()).broken("status", value)).want(t, 200)
			}
		}
		same(t, "the object", read, s.ask(t, "GET", e.path("x"), nil).want(t, 200).document(t))
	})
}

func TestBodiesOfTheWrongFormAreRefusedByEveryKind(t *testing.T) {
	forEveryEntry(t, func(t *testing.T, s *server, e entry, read document) {
		requests := [][2]string{{"POST", ""}, {"PUT", "/x"}, {"PUT", "/nothing"}, {"PATCH", "/x"}}
		for _, sub := range strings.Fields(e.subs) {
			if sub != "retry" { // whose body is ignored
				requests = append(requests, [2]string{"PUT", "/x/" + sub})
			}
			if sub == "status" {
				requests = append(requests, [2]string{"PATCH", "/x/status"})
			}
		}
		for _, r := range requests {
			for _, body := range []string{"", " ", "soon", `{"metadata":`, "{} {}", "{\"a\":\"\xff\"}", "{'a': 1}", `{"a":01}`, "\x00", "\ufeff{}", `{"a":1,}`} {
				s.ask(t, r[0], e.path("")+r[1], body).problem(t, 415, "", "415: Unsupported Media Type")
			}
			for _, body := range []string{"null", "[]", "5", `"x"`, "true"} {
				s.ask(t, r[0], e.path("")+r[1], body).problem(t, 422, "", "{'_schema': "+noInput+"}")
			}
			s.ask(t, r[0], e.path("")+r[1], strings.Repeat("[", 400)+strings.Repeat("]", 400)).
				problem(t, 422, "", "{'_schema': ['Nested deeper than 300 levels.']}")
			s.ask(t, r[0], e.path("")+r[1], read, "Content-Encoding", "gzip").problem(t, 415, "", "415: Unsupported Media Type")
			s.ask(t, r[0], e.path("")+r[1], read, "Content-Encoding", "deflate").problem(t, 415, "", "415: Unsupported Media Type")
			s.ask(t, r[0], e.path("")+r[1], read, "Content-Type", "application/json; charset=utf-16").
				problem(t, 415, "", `415: Unsupported Media Type: the charset "utf-16" is not known here, send UTF-8`)
		}
		s.ask(t, "POST", e.path(""), e.body("y").with("more", strings.Repeat("a", 1<<20))).want(t, 413)
		s.ask(t, "POST", e.path(""), e.body("y").with("api", "x").with("kind", "x")).
			problem(t, 422, "", fmt.Sprintf("{'api': ['Must be equal to %s.'], 'kind': ['Must be equal to %s.']}", e.group, e.kind))
		for key := range e.body("") { // spec, or the fields in its place
			if key == "metadata" {
				continue
			}
			wrong := map[any]string{nil: isNull}
			if slices.Contains(entries, e) { // ours may do without
				wrong[removed] = missing
			}
			for value, detail := range wrong {
				s.ask(t, "POST", e.path(""), e.body("y").broken(key, value)).problem(t, 422, "", "{'"+key+"': "+detail+"}")
				s.ask(t, "PUT", e.path("x"), read.broken(key, value)).problem(t, 422, "", "{'"+key+"': "+detail+"}")
			}
			s.ask(t, "POST", e.path(""), e.body("y").with(key, 5)).want(t, 422)
		}
		same(t, "the object", read, s.ask(t, "GET", e.path("x"), nil).want(t, 200).document(t))
		s.ask(t, "GET", e.path("y"), nil).want(t, 404)
	})
}

func TestNamesInPathsQueriesAndHeadersOfTheWrongFormAreRefusedByEveryKind(t *testing.T) {
	forEveryEntry(t, func(t *testing.T, s *server, e entry, read document) {
		for _, name := range []string{"a%2Fb", "..%2Fx", "a%20b", "%2E%2E", "-a", "a-", "%C3%A9", "%00", "x%0A", strings.Repeat("a", 256)} {
			for _, method := range []string{"GET", "DELETE", "PUT", "PATCH"} {
				got := s.ask(t, method, e.path(name), read).want(t, 404).document(t)
				if got.text("title") != api.TitleNotFound {
					t.Errorf("%s %s: %v", method, name, got)
				}
			}
			for _, sub := range strings.Fields(e.subs) {
				if sub == "status" {
					s.ask(t, "PUT", e.path(name)+"/status", read).want(t, 404)
				}
			}
			if !e.namespaced {
				continue
			}
			elsewhere := func(name string) string {
				return strings.Replace(e.path(""), "/solar/", "/"+name+"/", 1)
			}
			s.ask(t, "POST", elsewhere(name), e.body("y")).problem(t, 422, "", "{'metadata': {'namespace': ['Invalid character in resource namespace.']}}")
			same(t, "items", []any{}, s.ask(t, "GET", elsewhere(name), nil).want(t, 200).document(t)["items"])
			for _, method := range []string{"GET", "DELETE", "PUT", "PATCH"} {
				s.ask(t, method, elsewhere(name)+"/x", read).want(t, 404)
			}
		}
		for _, path := range []string{e.path("") + "/", e.path("x") + "/", "/" + e.path("x"), e.path("x") + "/x/y", strings.ToUpper(e.path("x"))} {
			s.ask(t, "GET", path, nil).problem(t, 404, "", "404: Not Found")
		}
		for value, message := range map[string]string{"soon": "Not a valid integer.", "": "Not a valid integer.", "1.5": "Not a valid integer.", "-1": "Must be greater than or equal to 0."} {
			for _, query := range []string{"?heartbeat=", "?watch&heartbeat="} {
				s.ask(t, "GET", e.path("")+query+url.QueryEscape(value), nil).problem(t, 422, "", fmt.Sprintf(`{"query": {"heartbeat": [%q]}}`, message))
			}
		}
		for _, match := range []string{`"0"`, "nothing", `W/"0"`, ",", `"`} {
			for _, method := range []string{"PUT", "PATCH", "DELETE"} {
				got := s.ask(t, method, e.path("x"), read.with("metadata.labels", document{"a": "b"}), "If-Match", match)
				if got.want(t, 409).document(t).text("title") != api.TitleTransaction {
					t.Errorf("%s with If-Match %s: %s", method, match, got.body)
				}
			}
		}
		same(t, "the object", read, s.ask(t, "GET", e.path("x"), nil).want(t, 200).document(t))
	})
}

// Whatever is put anywhere into a good body, the answer is the object or says what is wrong with it.
func TestAWrongValueAnywhereIsAClientsError(t *testing.T) {
	values := rapid.SampledFrom([]any{nil, true, 0, -1, 2.5, 1e300, "", "x", "1", "equals", "mro", []any{}, []any{nil}, []any{1}, []any{document{}},
		document{}, document{"x": nil}, document{"type": "static"}, document{"name": []any{}}, document{"metadata": nil}})
	forEveryKind(t, func(t *rapid.T, s *server, k *api.Kind) {
		name := fresh()
		object := k.Path(namespaceOf(k, "solar"), name)
		body := drawBody(t, k, name)
		created := s.ask(t, "POST", k.Path(namespaceOf(k, "solar"), ""), body).want(t, 200).document(t)
		for range 6 {
			value := values.Draw(t, "value")
			answers := []answer{
				s.ask(t, "POST", k.Path(namespaceOf(k, "solar"), ""), mutated(t, body.with("metadata.name", fresh()), value)),
				s.ask(t, "PUT", object, mutated(t, created, value)),
				s.ask(t, "PATCH", object, mutated(t, body, value)),
			}
			if k.Status {
				answers = append(answers, s.ask(t, "PUT", object+"/status", mutated(t, created.with("status", drawStatus(t, k)), value)),
					s.ask(t, "PATCH", object+"/status", mutated(t, document{"status": drawStatus(t, k)}, value)))
			}
			for _, a := range answers {
				if a.status != 200 && a.status != 400 && a.status != 409 && a.status != 422 {
					t.Errorf("answered %d %s", a.status, a.body)
				}
			}
		}
		s.ask(t, "GET", object, nil).want(t, 200)
		s.ask(t, "GET", k.Path("", ""), nil).want(t, 200)
	})
}

// mutated puts a value somewhere into a document, and gives its text.
func mutated(t *rapid.T, d document, value any) []byte {
	text, err := json.Marshal(replaced(t, map[string]any(d.copy()), value))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return text
}

func replaced(t *rapid.T, at, value any) any {
	if rapid.IntRange(0, 5).Draw(t, "here") == 0 {
		return value
	}
	switch at := at.(type) {
	case map[string]any:
		if len(at) > 0 {
			key := rapid.SampledFrom(slices.Sorted(maps.Keys(at))).Draw(t, "key")
			at[key] = replaced(t, at[key], value)
		}
		return at
	case []any:
		if len(at) > 0 {
			i := rapid.IntRange(0, len(at)-1).Draw(t, "index")
			at[i] = replaced(t, at[i], value)
		}
		return at
	}
	return value
}
