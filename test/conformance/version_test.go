package conformance

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/apiserver"
)

func TestEveryAnswerWithOneObjectHasItsVersion(t *testing.T) {
	s := start(t)
	last := ""
	check := func(a answer, changed bool) document {
		t.Helper()
		d := a.want(t, 200).document(t)
		version := d.text("metadata.resource_version")
		if a.header.Get("ETag") != `"`+version+`"` || version == "" || (version != last) != changed {
			t.Errorf("version %q after %q, ETag %s", version, last, a.header.Get("ETag"))
		}
		last = version
		return d
	}
	created := check(s.ask(t, "POST", apps, app("x")), true)
	check(s.ask(t, "GET", apps+"/x", nil), false)
	check(s.ask(t, "PUT", apps+"/x", created.with("spec.backoff", 5)), true)
	check(s.ask(t, "PATCH", apps+"/x", `{"spec":{"backoff":6}}`), true)
	check(s.ask(t, "PUT", apps+"/x/status", created.with("status.state", "RUNNING")), true)
	check(s.ask(t, "PATCH", apps+"/x/status", `{"status":{"retries":3}}`), true)
	check(s.ask(t, "PUT", apps+"/x/binding", `{"cluster":`+edge+`}`), true)
	deleted := check(s.ask(t, "DELETE", apps+"/x", nil), true)
	check(s.ask(t, "DELETE", apps+"/x", nil), false)
	check(s.ask(t, "PUT", apps+"/x", deleted.with("metadata.finalizers", []string{})), true)
}

func TestAPreconditionThatDoesNotHoldStopsEveryWrite(t *testing.T) {
	s := start(t)
	created := s.ask(t, "POST", apps, app("x")).want(t, 200).document(t)
	stale := `"` + created.text("metadata.resource_version") + `"`
	s.ask(t, "PUT", apps+"/x/status", created.with("status.complete_token", "c").with("status.state", "DEGRADED")).want(t, 200)
	current := s.ask(t, "GET", apps+"/x", nil)
	for _, request := range []struct {
		method, path string
		body         any
	}{
		{"PUT", "", created.with("spec.backoff", 5)},
		{"PUT", "", created}, // though it changes nothing
		{"PATCH", "", `{"spec":{"backoff":5}}`},
		{"PATCH", "", `{}`},
		{"DELETE", "", nil},
		{"DELETE", "?force=True", nil},
		{"PUT", "/status", created},
		{"PATCH", "/status", `{"status":{"state":"RUNNING"}}`},
		{"PUT", "/binding", `{"cluster":` + edge + `}`},
		{"PUT", "/complete", `{"token":"c"}`},
		{"PUT", "/retry", nil},
	} {
		got := s.ask(t, request.method, apps+"/x"+request.path, request.body, "If-Match", stale).want(t, 409)
		if !strings.Contains(string(got.body), api.TitleTransaction) {
			t.Errorf("%s %s: %s", request.method, request.path, got.body)
		}
		nothing := s.ask(t, request.method, apps+"/nothing"+request.path, request.body, "If-Match", stale).want(t, 404)
		if !strings.Contains(string(nothing.body), api.TitleNotFound) {
			t.Errorf("%s %s: %s", request.method, request.path, nothing.body)
		}
	}
	same(t, "the object", current.document(t), s.ask(t, "GET", apps+"/x", nil).document(t))
	tag := current.header.Get("ETag")
	for _, match := range []string{tag, "*", "W/" + tag, `"1", ` + tag} {
		a := s.ask(t, "PATCH", apps+"/x", `{}`, "If-Match", match).want(t, 200)
		if a.header.Get("ETag") != tag {
			t.Errorf("If-Match %s: ETag %s", match, a.header.Get("ETag"))
		}
	}
	s.ask(t, "PATCH", apps+"/x", `{}`, "If-Match", `"`+strings.Trim(tag, `"`)+`0"`).want(t, 409)
}

func TestVersionsInABodyAreIgnored(t *testing.T) {
	s := start(t)
	body := parse(t, []byte(app("x"))).with("metadata.resource_version", "77").with("metadata.generation", 9)
	got := s.ask(t, "POST", apps, body).want(t, 200).document(t)
	if got.text("metadata.resource_version") == "77" || got.at("metadata.generation") != 1.0 {
		t.Errorf("%v", got["metadata"])
	}
	for _, field := range []string{"metadata.resource_version", "metadata.generation", "status.scheduled_generation"} {
		for _, value := range []any{"5", 5, nil, document{}} {
			s.ask(t, "PUT", apps+"/x", got.with(field, value)).problem(t, 400, api.TitleUpdate, "The body contained no update.")
		}
	}
}

func TestGenerationsCountWhatWasAskedFor(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	step := func(what string, generation float64, touched bool, do func(before document) answer) {
		t.Helper()
		before := s.ask(t, "GET", apps+"/x", nil).document(t)
		got := do(before).want(t, 200).document(t)
		if got.at("metadata.generation") != generation {
			t.Errorf("%s: generation %v, want %v", what, got.at("metadata.generation"), generation)
		}
		if (got.text("metadata.modified") != before.text("metadata.modified")) != touched {
			t.Errorf("%s: modified at %s, before at %s", what, got.text("metadata.modified"), before.text("metadata.modified"))
		}
	}
	put := func(path string, value any) func(document) answer {
		return func(d document) answer { return s.ask(t, "PUT", apps+"/x", d.with(path, value)) }
	}
	patch := func(body string) func(document) answer {
		return func(document) answer { return s.ask(t, "PATCH", apps+"/x", body) }
	}
	step("a new specification", 2, true, put("spec.backoff", 5))
	step("new labels", 2, true, put("metadata.labels", document{"a": "b"}))
	step("new finalizers", 2, true, put("metadata.finalizers", []string{"f"}))
	step("a stale time alone", 2, false, put("metadata.modified", "2000-01-01T00:00:00+00:00"))
	step("another uid alone", 2, false, put("metadata.uid", "x"))
	step("a status alone", 2, false, put("status.state", "RUNNING"))
	step("a patch of the specification", 3, true, patch(`{"spec":{"backoff":6}}`))
	step("a patch of labels", 3, false, patch(`{"metadata":{"labels":{"c":"d"}}}`))
	step("a patch of finalizers", 3, false, patch(`{"metadata":{"finalizers":[]}}`))
	step("a patch that changes nothing", 3, false, patch(`{"spec":{"backoff":6}}`))
	step("a patch of an added field", 4, true, patch(`{"spec":{"migration_strategy":"CREATE_FIRST"}}`))
	step("a status", 4, false, func(d document) answer { return s.ask(t, "PUT", apps+"/x/status", d.with("status.state", "FAILED")) })
	step("a binding", 4, false, func(document) answer { return s.ask(t, "PUT", apps+"/x/binding", `{"cluster":`+edge+`}`) })
	step("a deletion", 4, false, func(document) answer { return s.ask(t, "DELETE", apps+"/x", nil) })
}

func TestABindingMarksTheGenerationAsScheduled(t *testing.T) {
	s := start(t)
	created := s.ask(t, "POST", apps, app("x")).want(t, 200).document(t)
	scheduled := func(a answer) any { return a.want(t, 200).document(t).at("status.scheduled_generation") }
	if got := scheduled(s.ask(t, "GET", apps+"/x", nil)); got != 0.0 {
		t.Errorf("new: %v", got)
	}
	if got := scheduled(s.ask(t, "PUT", apps+"/x/binding", `{"cluster":`+edge+`}`)); got != 1.0 {
		t.Errorf("bound: %v", got)
	}
	updated := s.ask(t, "PUT", apps+"/x", created.with("spec.backoff", 5)).want(t, 200).document(t)
	if got := updated.at("status.scheduled_generation"); got != 1.0 {
		t.Errorf("changed: %v", got)
	}
	// The reference's scheduler leaves an application where it is by this.
	seen := updated.with("status.kube_controller_triggered", updated.at("metadata.modified"))
	if got := scheduled(s.ask(t, "PUT", apps+"/x/status", seen)); got != 2.0 {
		t.Errorf("seen by an old scheduler: %v", got)
	}
	for body, want := range map[string]int{
		`{"cluster":` + edge + `,"generation":1}`:                                                     409,
		`{"cluster":` + edge + `,"uid":"another"}`:                                                    409,
		`{"cluster":` + edge + `,"expected":null}`:                                                    409,
		`{"cluster":` + edge + `,"generation":2,"uid":"` + created.text("metadata.uid") + `"}`:        200,
		`{"cluster":` + edge + `,"expected":` + edge + `}`:                                            200,
		`{"cluster":` + edge + `,"expected":` + strings.Replace(edge, "edge-1", "edge-2", 1) + `}`:    409,
		`{"cluster":` + edge + `,"api":"core"}`:                                                       422,
		`{"cluster":` + edge + `,"placement":{"decisions":[{"outcome":"placed","chosen":"edge-1"}]}}`: 200,
	} {
		s.ask(t, "PUT", apps+"/x/binding", body).want(t, want)
	}
	part := s.ask(t, "GET", apps+"/x/placement", nil).want(t, 200).document(t)
	if decisions, _ := part.at("content.decisions").([]any); len(decisions) != 1 {
		t.Errorf("%v", part)
	}
}

func TestBindingsOfClustersStateWhatTheyWereDecidedOn(t *testing.T) {
	s := start(t)
	const record = `,"placement":{"decisions":[{"outcome":"placed","chosen":"x"}]}`
	for _, c := range []struct{ path, object, target string }{
		{"/kubernetes/namespaces/solar/clusters", `{"metadata":{"name":"x"},"spec":{"tosca":` + clusterTosca + `,"constraints":{"cloud":{}}}}`,
			`"cloud":{"api":"infrastructure","kind":"GlobalCloud","name":"north"}`},
		{"/openstack/namespaces/solar/magnumclusters", `{"metadata":{"name":"x"},"spec":{}}`,
			`"template":"t","project":{"api":"openstack","kind":"Project","namespace":"solar","name":"p"}`},
	} {
		uid := s.ask(t, "POST", c.path, c.object).want(t, 200).document(t).text("metadata.uid")
		for _, stale := range []string{`,"generation":2`, `,"uid":"another"`, `,"expected":{"api":"a","kind":"b","name":"c"}`} {
			s.ask(t, "PUT", c.path+"/x/binding", "{"+c.target+stale+"}").want(t, 409)
		}
		bound := s.ask(t, "PUT", c.path+"/x/binding", "{"+c.target+record+`,"generation":1,"expected":null,"uid":"`+uid+`"}`).want(t, 200).document(t)
		if conditions, _ := bound.at("status.conditions").([]any); len(conditions) != 1 {
			t.Errorf("%s: %v", c.path, bound.at("status.conditions"))
		}
		s.ask(t, "PUT", c.path+"/x/binding", "{"+c.target+`,"expected":null}`).want(t, 409)
		part := s.ask(t, "GET", c.path+"/x/placement", nil).want(t, 200).document(t)
		if decisions, _ := part.at("content.decisions").([]any); len(decisions) != 1 {
			t.Errorf("%s: %v", c.path, part)
		}
	}
}

const clusterTosca = `{"tosca_definitions_version":"tosca_simple_yaml_1_0","topology_template":{"outputs":{"kubeconfig":{"value":"x"}}}}`

func TestTimesNeverGoBackWithTheClock(t *testing.T) {
	var seconds atomic.Int64
	seconds.Store(1_000_000)
	s := start(t, func(o *apiserver.Options) {
		o.Now = func() time.Time { return time.Unix(seconds.Load(), 0) }
	})
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	seconds.Add(-100)
	last := s.ask(t, "PUT", apps+"/x/binding", `{"cluster":`+edge+`}`).want(t, 200).document(t)
	if last.text("status.kube_controller_triggered") < last.text("metadata.modified") {
		t.Error("the reference's controller would not act on the binding")
	}
	for i := range 5 {
		seconds.Add(-100)
		next := s.ask(t, "PUT", apps+"/x", last.with("spec.backoff", i+2)).want(t, 200).document(t)
		next = s.ask(t, "PUT", apps+"/x/binding", `{"cluster":`+edge+`}`).want(t, 200).document(t).with("spec", next["spec"])
		for _, stamp := range []string{"metadata.modified", "status.scheduled", "status.kube_controller_triggered"} {
			if next.text(stamp) < last.text(stamp) {
				t.Errorf("%s went from %s to %s", stamp, last.text(stamp), next.text(stamp))
			}
		}
		if next.at("status.scheduled_generation") != next.at("metadata.generation") {
			t.Errorf("generation %v is bound, %v is scheduled", next.at("metadata.generation"), next.at("status.scheduled_generation"))
		}
		last = next
	}
	if deleted := s.ask(t, "DELETE", apps+"/x", nil).want(t, 200).document(t); deleted.text("metadata.deleted") < last.text("metadata.modified") {
		t.Errorf("deleted at %s, modified at %s", deleted.text("metadata.deleted"), last.text("metadata.modified"))
	}
}

func TestPatches(t *testing.T) {
	s := start(t)
	for name, c := range map[string]struct {
		path, patch string
		status      int
		detail      string         // of a refusal
		want        map[string]any // fields afterwards
	}{
		"a field":                          {"", `{"spec":{"backoff":"7"}}`, 200, "", map[string]any{"spec.backoff": 7.0, "spec.backoff_delay": 1.0}},
		"null takes away":                  {"", `{"spec":{"backoff":null,"csar":null},"metadata":{"labels":{"a":null}}}`, 200, "", map[string]any{"spec.backoff": 1.0, "metadata.labels": document{"b": "2"}}},
		"labels are merged":                {"", `{"metadata":{"labels":{"c":"3"}}}`, 200, "", map[string]any{"metadata.labels": document{"a": "1", "b": "2", "c": "3"}}},
		"lists are replaced":               {"", `{"spec":{"hooks":["complete"]}}`, 200, "", map[string]any{"spec.hooks": []string{"complete"}}},
		"unknown keys are dropped":         {"", `{"zzz":1,"spec":{"zzz":{"a":1}}}`, 200, "", nil},
		"the server's fields are ignored":  {"", `{"metadata":{"uid":"x","created":"2000-01-01T00:00:00Z","generation":7,"resource_version":"1","deleted":"2000-01-01T00:00:00Z"}}`, 200, "", map[string]any{"metadata.deleted": nil, "metadata.generation": 1.0}},
		"the status is another path":       {"", `{"status":{"state":"RUNNING"}}`, 200, "", map[string]any{"status.state": "PENDING"}},
		"a value that is refused":          {"", `{"spec":{"backoff":"x"}}`, 422, `{'spec': {'backoff': ['Not a valid integer.']}}`, nil},
		"a rule that is broken":            {"", `{"spec":{"manifest":[]}}`, 422, `{'spec': {'_schema': ['The application should be defined by a manifest file, a TOSCA template or a CSAR file.']}}`, nil},
		"what is required is taken away":   {"", `{"spec":{"constraints":null}}`, 422, `{'spec': {'constraints': ['Missing data for required field.']}}`, nil},
		"everything is taken away":         {"", `{"spec":null}`, 422, `{'spec': ['Missing data for required field.']}`, nil},
		"another name":                     {"", `{"metadata":{"name":"y"}}`, 400, `Trying to update an immutable field: name`, nil},
		"another namespace":                {"", `{"metadata":{"namespace":"y"}}`, 400, `Trying to update an immutable field: namespace`, nil},
		"another kind":                     {"", `{"kind":"Cluster"}`, 422, `{'kind': ['Must be equal to Application.']}`, nil},
		"a list for a patch":               {"", `[]`, 422, `{'_schema': ['Invalid input type.']}`, nil},
		"null for a patch":                 {"", `null`, 422, `{'_schema': ['Invalid input type.']}`, nil},
		"a status":                         {"/status", `{"status":{"state":"RUNNING","container_health":{"desired_pods":2}}}`, 200, "", map[string]any{"status.state": "RUNNING", "status.container_health.desired_pods": 2.0, "status.container_health.failed_pods": 0.0, "status.retries": 4.0}},
		"a part of a status is taken away": {"/status", `{"status":{"retries":null,"state":null}}`, 200, "", map[string]any{"status.retries": nil, "status.state": "PENDING"}},
		"a status changes nothing else":    {"/status", `{"spec":{"backoff":9},"metadata":{"labels":null,"name":"y"},"status":{"migration_retries":1}}`, 200, "", map[string]any{"spec.backoff": 2.0, "metadata.labels": document{"a": "1", "b": "2"}, "metadata.name": "x", "status.migration_retries": 1.0}},
		"a status that is refused":         {"/status", `{"status":{"state":"running"}}`, 422, `{'status': {'state': ['Invalid enum member running']}}`, nil},
		"a condition moves the state":      {"/status", `{"status":{"scheduled_to":` + edge + `,"conditions":[{"type":"Applied","status":"True"}]}}`, 200, "", map[string]any{"status.state": "RUNNING"}},
		"a part that does not exist":       {"/status", `{"parts":{"nothing":{}}}`, 422, `{'parts': {'nothing': ['Unknown part.']}}`, nil},
		"parts that are a list":            {"/status", `{"parts":[]}`, 422, `{'parts': ['Not a valid mapping type.']}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			body := parse(t, []byte(app("x"))).with("metadata.labels", document{"a": "1", "b": "2"}).with("spec.backoff", 2)
			created := s.ask(t, "POST", apps, body).want(t, 200).document(t)
			s.ask(t, "PUT", apps+"/x/status", created.with("status.retries", 4)).want(t, 200)
			defer s.ask(t, "DELETE", apps+"/x?force=True", nil)
			before := s.ask(t, "GET", apps+"/x", nil).document(t)
			got := s.ask(t, "PATCH", apps+"/x"+c.path, c.patch, "Content-Type", "application/merge-patch+json").want(t, c.status)
			after := s.ask(t, "GET", apps+"/x", nil).document(t)
			if c.status != http.StatusOK {
				if !strings.Contains(got.document(t).text("detail"), c.detail) {
					t.Errorf("refused with %s", got.body)
				}
				same(t, "the object", before, after)
				return
			}
			same(t, "the answer", after, got.document(t))
			for path, want := range c.want {
				same(t, path, want, after.at(path))
			}
			if len(c.want) == 0 {
				same(t, "the object", before, after)
			}
			same(t, "what nobody may set", []any{before.at("metadata.uid"), before.at("metadata.created")}, []any{after.at("metadata.uid"), after.at("metadata.created")})
		})
	}
	s.ask(t, "PATCH", apps+"/nothing", `{}`).problem(t, 404, api.TitleNotFound, "'Application' 'nothing' does not exist in namespace 'solar'")
}

func TestFinalizersMayBePatchedAwayDuringADeletion(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, parse(t, []byte(app("x"))).with("metadata.finalizers", []string{"mine"})).want(t, 200)
	s.ask(t, "DELETE", apps+"/x", nil).want(t, 200)
	s.ask(t, "PATCH", apps+"/x", `{"metadata":{"finalizers":["mine","cascade_deletion","new"]}}`).
		problem(t, 409, api.TitleUpdate, "Finalizers can only be removed if a deletion is in progress.")
	s.ask(t, "PATCH", apps+"/x", `{"metadata":{"finalizers":["mine"]}}`).want(t, 200)
	s.ask(t, "PATCH", apps+"/x", `{"metadata":{"finalizers":[]}}`).want(t, 200)
	s.ask(t, "GET", apps+"/x", nil).want(t, 404)
}
