package conformance

import (
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

const (
	inventory = `{"objects":[{"cluster":"id-1","version":"v1","kind":"ConfigMap","namespace":"solar","name":"panel","uid":"u","hash":"h"},` +
		`{"cluster":"id-2","kind":"Secret","namespace":"solar","name":"key"}]}`
	leftovers = "/kubernetes/namespaces/solar/leftovers"
)

func TestPartsHaveVersionsOfTheirOwn(t *testing.T) {
	s := start(t)
	created := s.ask(t, "POST", apps, app("x")).want(t, 200).document(t)
	for _, part := range api.ApplicationKind.Parts {
		got := s.ask(t, "GET", apps+"/x/"+part.Name, nil).want(t, 200)
		if got.document(t).text("metadata.resource_version") != "0" || got.header.Get("ETag") != `"0"` {
			t.Errorf("%s, which was never written: %s", part.Name, got.body)
		}
	}
	first := s.ask(t, "PUT", apps+"/x/inventory", inventory, "If-Match", `"0"`).want(t, 200)
	version := first.document(t).text("metadata.resource_version")
	if version == "0" || first.header.Get("ETag") != `"`+version+`"` {
		t.Errorf("%s", first.body)
	}
	same(t, "the part", first.document(t), s.ask(t, "GET", apps+"/x/inventory", nil).want(t, 200).document(t))
	s.ask(t, "PUT", apps+"/x/inventory", `{}`, "If-Match", `"0"`).want(t, 409)
	s.ask(t, "PUT", apps+"/x/inventory", `{"objects":[{}]}`).problem(t, 422, "",
		`{'objects': {0: {'cluster': ['Missing data for required field.'], 'kind': ['Missing data for required field.'], 'name': ['Missing data for required field.']}}}`)
	for _, cluster := range []string{"", "a/b", "two words", "-", strings.Repeat("i", 182)} { // no leftover could be called so
		s.ask(t, "PUT", apps+"/x/inventory", document{"objects": []document{{"cluster": cluster, "kind": "Secret", "name": "key"}}}).
			problem(t, 422, "", `{'objects': {0: {'cluster': ['Not the identity of a cluster.']}}}`)
	}
	s.ask(t, "PATCH", apps+"/x/status", `{"parts":{"inventory":{"objects":[{"cluster":"a/b","kind":"Secret","name":"key"}]}}}`).want(t, 422)
	s.ask(t, "PUT", apps+"/x/inventory?uid=another", inventory).want(t, 404)
	s.ask(t, "PUT", apps+"/x/inventory?uid="+created.text("metadata.uid"), inventory, "If-Match", `"`+version+`"`).want(t, 200)
	s.ask(t, "GET", apps+"/nothing/inventory", nil).want(t, 404)
	s.ask(t, "PUT", apps+"/nothing/inventory", inventory).want(t, 404)
	s.ask(t, "GET", apps+"/x/nothing", nil).problem(t, 404, "", "404: Not Found")
	same(t, "the object", created, s.ask(t, "GET", apps+"/x", nil).document(t))
}

func TestPartsAreWrittenWithTheStatusOrNotAtAll(t *testing.T) {
	s := start(t)
	created := s.ask(t, "POST", apps, app("x")).want(t, 200)
	both := `{"status":{"retries":1},"parts":{"inventory":` + inventory + `,"migration":{"phase":"Creating"}}}`
	for _, refused := range []string{
		`{"status":{"state":"x"},"parts":{"inventory":` + inventory + `}}`, `{"status":{"retries":1},"parts":{"inventory":` + inventory + `,"migration":{"phase":"x"}}}`,
	} {
		s.ask(t, "PATCH", apps+"/x/status", refused).want(t, 422)
	}
	s.ask(t, "PATCH", apps+"/x/status", both, "If-Match", `"1"`).want(t, 409)
	if got := s.ask(t, "GET", apps+"/x/inventory", nil).document(t); got.text("metadata.resource_version") != "0" {
		t.Errorf("half of a refused patch was written: %v", got)
	}
	after := s.ask(t, "PATCH", apps+"/x/status", both, "If-Match", created.header.Get("ETag")).want(t, 200).document(t)
	for _, part := range []string{"inventory", "migration"} {
		got := s.ask(t, "GET", apps+"/x/"+part, nil).document(t)
		if got.text("metadata.resource_version") != after.text("metadata.resource_version") {
			t.Errorf("%s was written at %v, the status at %s", part, got.at("metadata"), after.text("metadata.resource_version"))
		}
	}
	if phase := s.ask(t, "GET", apps+"/x/migration", nil).document(t).text("content.phase"); phase != "Creating" {
		t.Errorf("the phase is %q", phase)
	}
}

func TestWhatIsStillSomewhereOutlivesTheRecord(t *testing.T) {
	for name, remove := range map[string]func(t *testing.T, s *server){
		"by force": func(t *testing.T, s *server) { s.ask(t, "DELETE", apps+"/x?force=True", nil).want(t, 200) },
		"in order": func(t *testing.T, s *server) {
			s.ask(t, "DELETE", apps+"/x", nil).want(t, 200)
			s.ask(t, "PATCH", apps+"/x", `{"metadata":{"finalizers":[]}}`).want(t, 200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			created := s.ask(t, "POST", apps, app("x")).want(t, 200).document(t)
			s.ask(t, "PUT", apps+"/x/inventory", inventory).want(t, 200)
			remove(t, s)
			items, _ := s.ask(t, "GET", leftovers, nil).want(t, 200).document(t)["items"].([]any)
			if len(items) != 2 {
				t.Fatalf("%d leftovers", len(items))
			}
			for i, identity := range []string{"id-1", "id-2"} {
				l := document(items[i].(map[string]any))
				if l.text("spec.identity") != identity || l.text("spec.application_uid") != created.text("metadata.uid") || l.text("metadata.uid") == "" {
					t.Errorf("%v", l)
				}
			}
			s.ask(t, "POST", apps, app("x")).want(t, 200)
			if got := s.ask(t, "GET", apps+"/x/inventory", nil).document(t); got.text("metadata.resource_version") != "0" {
				t.Errorf("a later application of that name has %v", got)
			}
		})
	}
}

func TestF4AForcedDeletionRemovesTheRecordAtOnce(t *testing.T) {
	s := start(t)
	const clusters = "/kubernetes/namespaces/solar/clusters"
	for collection, body := range map[string]string{
		apps: app("x"), clusters: `{"metadata":{"name":"x"},"spec":{"kubeconfig":` + kc + `,"constraints":{"cloud":{}}}}`,
	} {
		for what, before := range map[string]func(){
			"one that nobody has deleted": func() {},
			"one whose deletion waits": func() {
				s.ask(t, "PATCH", collection+"/x", `{"metadata":{"finalizers":["somebody_has_work_left"]}}`).want(t, 200)
				s.ask(t, "DELETE", collection+"/x", nil).want(t, 200)
				s.ask(t, "GET", collection+"/x", nil).want(t, 200)
			},
		} {
			s.ask(t, "POST", collection, body).want(t, 200)
			before()
			if d := s.ask(t, "DELETE", collection+"/x?force=True", nil).want(t, 200).document(t); d.text("metadata.deleted") == "" {
				t.Errorf("%s of %s: the answer does not say when it was deleted", what, collection)
			}
			s.ask(t, "GET", collection+"/x", nil).want(t, 404)
		}
	}
}

func TestAForcedDeletionOfAClusterKeepsTheWayToIt(t *testing.T) {
	s := start(t)
	const clusters = "/kubernetes/namespaces/solar/clusters"
	s.ask(t, "POST", clusters, `{"metadata":{"name":"edge-1"},"spec":{"kubeconfig":`+kc+`,"constraints":{"cloud":{}}}}`).want(t, 200)
	s.ask(t, "PATCH", clusters+"/edge-1/status", `{"status":{"identity":"id-1"}}`).want(t, 200)
	s.ask(t, "DELETE", clusters+"/edge-1?force=True", nil).want(t, 200)
	got := s.ask(t, "GET", leftovers, nil).want(t, 200)
	if !strings.Contains(string(got.body), `"identity":"id-1"`) || !strings.Contains(string(got.body), `"current-context"`) {
		t.Errorf("%s", got.body)
	}
}
