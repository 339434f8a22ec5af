package conformance

import (
	"context"
	"net/http"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

// Where several things are wrong with a request, clients rely on which one they are told (section 4.1).
func TestWhatIsToldFirst(t *testing.T) {
	s := start(t)
	created := s.ask(t, "POST", apps, app("x")).want(t, 200).document(t)
	s.ask(t, "POST", apps, app("going")).want(t, 200)
	going := s.ask(t, "DELETE", apps+"/going", nil).want(t, 200).document(t)
	invalid := created.with("spec.backoff", "x")
	for name, c := range map[string]struct {
		method, path string
		body         any
		status       int
		detail       string // empty: any
	}{
		"create: a body that cannot be read, before a name that is taken":    {"POST", "", `{`, 415, ""},
		"create: a body that is wrong, before a name that is taken":          {"POST", "", invalid, 422, ""},
		"create: a name that is taken":                                       {"POST", "", app("x"), 409, "Application 'x' already exists in namespace 'solar'"},
		"update: a body that cannot be read, before the object is absent":    {"PUT", "/nothing", `{`, 415, ""},
		"update: a body that is wrong, before the object is absent":          {"PUT", "/nothing", invalid, 422, ""},
		"update: the object is absent":                                       {"PUT", "/nothing", created, 404, ""},
		"update: finalizers, before nothing changed":                         {"PUT", "/going", going.with("metadata.finalizers", []string{"new"}), 409, "Finalizers can only be removed if a deletion is in progress."},
		"update: finalizers, before a field that is immutable":               {"PUT", "/going", going.with("metadata.finalizers", []string{"new"}).with("metadata.name", "y"), 409, "Finalizers can only be removed if a deletion is in progress."},
		"update: nothing changed":                                            {"PUT", "/x", created, 400, "The body contained no update."},
		"update: the name, before the namespace":                             {"PUT", "/x", created.with("metadata.name", "y").with("metadata.namespace", "y"), 400, "Trying to update an immutable field: name"},
		"update: a namespace of null is another one":                         {"PUT", "/x", created.with("metadata.namespace", nil), 400, "Trying to update an immutable field: namespace"},
		"update: a namespace that is absent is another one":                  {"PUT", "/x", created.without("metadata.namespace"), 400, "Trying to update an immutable field: namespace"},
		"status: a body that is wrong, before the object is absent":          {"PUT", "/nothing/status", invalid, 422, ""},
		"status: the object is absent":                                       {"PUT", "/nothing/status", created, 404, ""},
		"status: name and namespace are not compared":                        {"PUT", "/x/status", created.with("metadata.name", "y").with("metadata.namespace", "y"), 200, ""},
		"binding: a body that is wrong, before the object is absent":         {"PUT", "/nothing/binding", `{}`, 422, `{'cluster': ['Missing data for required field.']}`},
		"binding: the object is absent":                                      {"PUT", "/nothing/binding", `{"cluster":` + edge + `}`, 404, ""},
		"complete: a body that is wrong, before the object is absent":        {"PUT", "/nothing/complete", `{"token":5}`, 422, `{'token': ['Not a valid string.']}`},
		"complete: the object is absent, before the token is wrong":          {"PUT", "/nothing/complete", `{}`, 404, ""},
		"complete: the token":                                                {"PUT", "/x/complete", `{}`, 401, "401: No token has been provided or the provided one is invalid."},
		"shutdown: the token":                                                {"PUT", "/x/shutdown", `{"token":null}`, 401, "401: No token has been provided or the provided one is invalid."},
		"retry: the object is absent":                                        {"PUT", "/nothing/retry", `{`, 404, ""},
		"retry: the body is not looked at":                                   {"PUT", "/x/retry", `{`, 400, "No migration or deletion retry needed"},
		"delete: the body is not looked at":                                  {"DELETE", "/nothing", `{`, 404, ""},
		"patch: the object is absent":                                        {"PATCH", "/nothing", `{}`, 404, ""},
		"patch: a body that cannot be read, before the object is absent":     {"PATCH", "/nothing", `{`, 415, ""},
		"patch: the object is absent, before what would be wrong with it":    {"PATCH", "/nothing", `{"spec":{"backoff":"x"}}`, 404, ""},
		"a method that the path does not have, before anything in the body":  {"POST", "/x", `{`, 405, ""},
		"a path that does not exist, before a method that nothing has":       {"FOO", "/x/y/z", `{`, 404, ""},
		"dots that lead to no path, before what is wrong with the body":      {"PUT", "/../x", `{`, 404, ""},
		"update: a kind that is not that of the path, though it would exist": {"PUT", "/x", created.with("kind", "Cluster"), 422, `{'kind': ['Must be equal to Application.']}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.ask(t, c.method, apps+c.path, c.body).want(t, c.status)
			if c.detail != "" && got.document(t).text("detail") != c.detail {
				t.Errorf("told %s", got.body)
			}
		})
	}
}

// A watch has no end, so the answer to HEAD must not wait for one: the connection would be lost to its client.
func TestHeadOfAWatchEnds(t *testing.T) {
	s := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for _, request := range [][2]string{{"HEAD", apps + "?watch&heartbeat=1"}, {"GET", "/me"}} {
		req, err := http.NewRequestWithContext(ctx, request[0], s.url+request[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s %s: %v", request[0], request[1], err)
		}
		if resp.StatusCode != 200 {
			t.Errorf("%s %s answered %s", request[0], request[1], resp.Status)
		}
		_ = resp.Body.Close()
	}
}

func TestACompletionAsksForTheDeletion(t *testing.T) { // section 10, S-9
	s := start(t)
	created := s.ask(t, "POST", apps, app("job")).want(t, 200).document(t)
	s.ask(t, "PUT", apps+"/job/status", created.with("status.complete_token", "c-1").with("status.state", "RUNNING")).want(t, 200)
	first := s.ask(t, "PUT", apps+"/job/complete", `{"api":"kubernetes","kind":"Complete","token":"c-1"}`).want(t, 200).document(t)
	same(t, "finalizers", []string{api.FinalizerCascade}, first.at("metadata.finalizers"))
	if first.text("status.state") != "READY_FOR_ACTION" || first.text("metadata.deleted") == "" || first.text("metadata.modified") != created.text("metadata.modified") {
		t.Errorf("%v", first)
	}
	second := s.ask(t, "PUT", apps+"/job/complete", `{"token":"c-1"}`).want(t, 200).document(t)
	if second.text("metadata.deleted") <= first.text("metadata.deleted") {
		t.Errorf("deleted at %s, then at %s", first.text("metadata.deleted"), second.text("metadata.deleted"))
	}
	same(t, "finalizers", []string{api.FinalizerCascade}, second.at("metadata.finalizers"))
}
