package conformance

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

const (
	appKeys     = "/kubernetes/applications/solar/"
	clusterKeys = "/kubernetes/clusters/solar/"
	clusters    = "/kubernetes/namespaces/solar/clusters"
	cluster     = `{"metadata":{"name":"x"},"spec":{"kubeconfig":` + kc + `,"constraints":{"cloud":{}}}}`
)

// count is how many objects a list has.
func (s *server) count(t tb, path string) int {
	t.Helper()
	return len(s.ask(t, "GET", path, nil).want(t, 200).document(t)["items"].([]any))
}

// What the reference stored, or an earlier version, may break rules that came later. It can be read, changed in
// everything else, and deleted; the rules are asked about what a change brings.
func TestRecordsThatBreakALaterRuleLiveOnAndEnd(t *testing.T) {
	exec := tree(strings.Replace(kc, `{"token":"t"}`, `{"exec":{"command":"get-token"}}`, 1))
	for name, c := range map[string]struct {
		collection, keys, body string
		path                   string // of what breaks a rule
		value, worse           any    // as it is stored, and another value that breaks the rule, too
	}{
		"a kubeconfig that runs a program": {clusters, clusterKeys, cluster, "spec.kubeconfig", exec,
			tree(strings.Replace(kc, `{"token":"t"}`, `{"exec":{"command":"something-else"}}`, 1))},
		"a template of a cluster without an output": {clusters, clusterKeys, cluster, "spec.tosca",
			document{"tosca_definitions_version": "tosca_simple_yaml_1_0"}, document{"tosca_definitions_version": "tosca_simple_yaml_1_2"}},
		"a label constraint of another grammar": {apps, appKeys, app("x"), "spec.constraints.cluster.labels",
			[]string{"location is DE", "location over PL"}, []string{"location over DE"}},
		"a metric constraint that compares with a word": {apps, appKeys, app("x"), "spec.constraints.cluster.metrics",
			[]string{"load > abc"}, []string{"load > abcd"}},
		"a template of another version": {apps, appKeys, app("x"), "spec.tosca",
			document{"tosca_definitions_version": "tosca_simple_yaml_9_0"}, document{"tosca_definitions_version": "tosca_simple_yaml_8_0"}},
		"a template's address of another form": {apps, appKeys, app("x"), "spec.tosca", "http://x/t.json", "http://x/u.json"},
		"a manifest without a kind":            {apps, appKeys, app("x"), "spec.manifest", []document{{"apiVersion": "v1", "metadata": document{"name": "a"}}}, []document{{"apiVersion": "v2", "metadata": document{"name": "a"}}}},
		"an observer schema of nothing":        {apps, appKeys, app("x"), "spec.observer_schema", []document{{"a": 1}}, []document{{"a": 2}}},
		"an archive that is none":              {apps, appKeys, app("x"), "spec.csar", "http://x/a.tar", "http://x/b.tar"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			object := c.collection + "/x"
			s.ask(t, "POST", c.collection, c.body).want(t, 200)
			s.store(t, c.keys+"x", func(d document) document {
				return d.with(c.path, c.value).with("metadata.finalizers", []string{"mine"})
			})
			read := func() document { return s.ask(t, "GET", object, nil).want(t, 200).document(t) }
			stays := func(what string, a answer) document {
				t.Helper()
				d := a.want(t, 200).document(t)
				same(t, c.path+" after "+what, c.value, d.at(c.path))
				return d
			}
			same(t, "what is served", c.value, read().at(c.path))
			if got := s.count(t, c.collection); got != 1 {
				t.Errorf("%d are listed", got)
			}
			stays("PUT", s.ask(t, "PUT", object, read().with("metadata.labels", document{"a": "b"})))
			stays("PUT by an old client", s.ask(t, "PUT", object, stripped(t, kindName(object), read()).with("metadata.labels", document{"c": "d"})))
			stays("PATCH", s.ask(t, "PATCH", object, `{"metadata":{"labels":{"e":"f"}}}`))
			stays("PUT status", s.ask(t, "PUT", object+"/status", read().with("status.retries", 3)))
			stays("PATCH status", s.ask(t, "PATCH", object+"/status", `{"status":{"retries":4}}`))
			s.ask(t, "PUT", object, read().with(c.path, c.worse)).want(t, 422)
			s.ask(t, "PATCH", object, document{}.with(c.path, c.worse)).want(t, 422)

			stays("DELETE", s.ask(t, "DELETE", object, nil))
			stays("the first finalizer", s.ask(t, "PATCH", object, `{"metadata":{"finalizers":["mine"]}}`))
			stays("the last one", s.ask(t, "PUT", object, read().with("metadata.finalizers", []string{})))
			s.ask(t, "GET", object, nil).want(t, 404)
		})
	}
}

func kindName(path string) string {
	kind, _ := kindOfPath(path)
	return kind
}

// One record that cannot be served takes no other with it, from no list and from no watch.
func TestARecordThatCannotBeReadHurtsNoOther(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("good")).want(t, 200)
	good := s.ask(t, "GET", apps+"/good", nil).document(t)
	for name, value := range map[string]string{
		"a constraint that is null":         jsonText(good.with("spec.constraints.cluster.labels", []any{nil})),
		"a list with null":                  jsonText(good.with("metadata.finalizers", []any{nil})),
		"an object of the manifest is null": jsonText(good.with("spec.manifest", []any{nil})),
		"a name that is no text":            `{"metadata":{"name":5}}`,
		"a state that nobody knows":         jsonText(good.with("status.state", "DREAMING")),
		"no JSON":                           `{"metadata"`,
		"bytes of any kind":                 "\x01\x80\xff\x00",
		"a document that is too deep":       `{"a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := s.watch(t, apps+"?watch&heartbeat=0")
			s.put(t, appKeys+"bad", value)
			s.ask(t, "PATCH", apps+"/good", document{"metadata": document{"labels": document{"step": fresh()}}}).want(t, 200)
			w.want(t, "MODIFIED", "good")
			if got := s.count(t, apps); got != 1 {
				t.Errorf("%d are listed", got)
			}
			for _, request := range [][2]string{{"GET", ""}, {"DELETE", ""}, {"DELETE", "?force=true"}, {"PATCH", ""}, {"GET", "/inventory"}} {
				s.ask(t, request[0], apps+"/bad"+request[1], `{}`).want(t, 500)
			}
			s.ask(t, "POST", apps, app("bad")).want(t, 409)

			s.ask(t, "DELETE", apps+"/bad?force=True", nil, "If-Match", `"1"`).want(t, 409)
			gone := s.ask(t, "DELETE", apps+"/bad?force=True&blocking=deleted", nil).want(t, 200).document(t)
			if gone.text("metadata.name") != "bad" || gone.text("metadata.namespace") != "solar" || gone.text("metadata.deleted") == "" {
				t.Errorf("answered %v", gone)
			}
			s.ask(t, "GET", apps+"/bad", nil).want(t, 404)
			s.ask(t, "DELETE", apps+"/bad?force=True", nil).want(t, 404)
			s.ask(t, "POST", apps, app("bad")).want(t, 200)
			s.ask(t, "DELETE", apps+"/bad?force=True", nil).want(t, 200)
		})
	}
}

func jsonText(d document) string {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// What an unreadable application still has on clusters is not forgotten with its record.
func TestARecordThatCannotBeReadLeavesWhatItHad(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	s.ask(t, "PUT", apps+"/x/inventory", inventory).want(t, 200)
	s.store(t, appKeys+"x", func(d document) document { return d.with("spec.backoff", "often") })
	s.ask(t, "DELETE", apps+"/x?force=True", nil).want(t, 200)
	if got := s.count(t, leftovers); got != 2 {
		t.Errorf("%d leftovers", got)
	}
}

func TestAPartThatCannotBeReadKeepsNoRecordFromBeingForced(t *testing.T) {
	s := start(t)
	created := s.ask(t, "POST", apps, app("x")).want(t, 200).document(t)
	s.put(t, api.ApplicationKind.PartKey(created.text("metadata.uid"), api.InventoryPart), `{"objects":[null]}`)
	s.ask(t, "GET", apps+"/x/inventory", nil).want(t, http.StatusInternalServerError)
	s.ask(t, "DELETE", apps+"/x?force=True", nil).want(t, 200)
	s.ask(t, "GET", apps+"/x", nil).want(t, 404)
	if _, err := s.data.Get(t.Context(), api.ApplicationKind.PartKey(created.text("metadata.uid"), api.InventoryPart)); err == nil {
		t.Error("the part is still there")
	}
}

// Who resumes a watch keeps objects. Of one that cannot be read any more it would never hear again, so it must list.
func TestAResumedWatchEndsWhereARecordCannotBeRead(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	s.ask(t, "POST", otherApps, app("y")).want(t, 200)
	from := s.version(t, apps)
	w := s.watch(t, apps+"?watch&heartbeat=0&resource_version="+from)
	s.put(t, "/kubernetes/applications/other/y", `{}x`) // nobody's here
	s.put(t, appKeys+"x", `{"metadata":{"name":5}}`)
	e := w.change(t)
	if e.Type != "ERROR" || e.Object.at("status") != 410.0 || !strings.Contains(e.Object.text("detail"), appKeys+"x") {
		t.Errorf("got %v", e)
	}
	if _, more := <-w.lines; more {
		t.Error("the watch goes on")
	}
	resumed := s.watch(t, apps+"?watch&heartbeat=0&resource_version="+from)
	if e := resumed.change(t); e.Type != "ERROR" {
		t.Errorf("resumed from before: %v", e)
	}
	later := s.watch(t, apps+"?watch&heartbeat=0&resource_version="+s.version(t, apps))
	s.ask(t, "POST", apps, app("z")).want(t, 200)
	later.want(t, "ADDED", "z")
}
