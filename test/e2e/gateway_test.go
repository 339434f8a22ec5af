package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// passage is the path of a way to where an application runs.
func (s *scene) passage(name, way string) string {
	return api.ApplicationKind.Path(s.space, name) + "/" + way
}

// through asks for a way as each of them is asked for, and returns the problem, nil if there was none.
func (s *scene) through(name, way string, query url.Values) *api.Problem {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	r := client.Request{Method: http.MethodGet, Path: s.passage(name, way), Query: query}
	var err error
	switch way {
	case api.ExecPassage, api.PortForwardPassage:
		conn, e := s.client.Connect(ctx, r)
		if err = e; err == nil {
			conn.Drop()
		}
	default:
		stream, e := s.client.Stream(ctx, r)
		if err = e; err == nil {
			_, err = io.Copy(io.Discard, stream)
			_ = stream.Close()
		}
	}
	var p *api.Problem
	if err != nil && !errors.As(err, &p) {
		s.Fatalf("%s of %s: %v", way, name, err)
	}
	return p
}

// usual are queries that are right as far as they go.
var usual = map[string]url.Values{
	api.LogPassage: {}, api.DiffPassage: {}, api.ExecPassage: {"command": {"true"}}, api.PortForwardPassage: {"ports": {"8080"}},
}

// refused says whether a problem is as it should be.
func refused(t *testing.T, what string, p *api.Problem, status int, words ...string) {
	t.Helper()
	if p == nil {
		t.Errorf("%s: there is no problem, want %d", what, status)
		return
	}
	if p.Status != status || p.Type == "" {
		t.Errorf("%s: %d %s, want %d", what, p.Status, p.Detail, status)
	}
	for _, word := range words {
		if !strings.Contains(p.Detail, word) {
			t.Errorf("%s does not speak of %q: %s", what, word, p.Detail)
		}
	}
}

func (s *scene) diff(name string, manifest string) map[string]string {
	s.Helper()
	r := client.Request{Method: http.MethodGet, Path: s.passage(name, api.DiffPassage)}
	if manifest != "" {
		r.Method, r.Body = http.MethodPost, map[string]any{"manifest": s.manifest(manifest)}
	}
	data, err := s.client.Do(s.Context(), r)
	if err != nil {
		s.Fatal(err)
	}
	var d api.ApplicationDiff
	if err := json.Unmarshal(data, &d); err != nil {
		s.Fatal(err)
	}
	out := map[string]string{}
	for _, o := range d.Objects {
		text := strings.TrimSpace(string(o.Action) + " " + o.Reason)
		for _, c := range o.Changes {
			text += fmt.Sprintf(" %s: %v -> %v", c.Path, c.Before, c.After)
		}
		out[o.Kind+" "+o.Name] = text
	}
	return out
}

func TestADiffTellsWhatWouldChangeAndChangesNothing(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("app", "here", settingsMap+"\n---\n"+web)
	s.awaitApp("app", running("here"))
	berlin.create(s, configMaps, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: taken, namespace: "+s.space+"}\ndata: {whose: theirs}")
	before := berlin.get(s, configMaps, s.space, "settings").GetResourceVersion()

	for object, got := range s.diff("app", "") {
		if got != "nothing" {
			t.Errorf("of what is stored, %s: %s", object, got)
		}
	}
	got := s.diff("app", strings.Replace(settingsMap, "a: b", "a: c", 1)+"\n---\n"+
		strings.Replace(settingsMap, "name: settings", "name: fresh", 1)+"\n---\n"+strings.Replace(settingsMap, "name: settings", "name: taken", 1))
	for object, words := range map[string][]string{
		"ConfigMap settings": {"update data.a: b -> c"},
		"ConfigMap fresh":    {"create data.a: <nil> -> b"},
		"ConfigMap taken":    {"refuse", "not managed by Krake"},
		"Deployment web":     {"remove"},
		"Service web":        {"remove"},
	} {
		for _, word := range words {
			if !strings.Contains(got[object], word) {
				t.Errorf("%s: %q, want %q", object, got[object], word)
			}
		}
		if strings.Contains(got[object], "theirs") {
			t.Errorf("what others have was told: %s", got[object])
		}
	}
	if len(got) != 5 {
		t.Errorf("told of %v", got)
	}

	if now := berlin.get(s, configMaps, s.space, "settings").GetResourceVersion(); now != before {
		t.Errorf("settings was written: version %s, then %s", before, now)
	}
	if berlin.find(s, configMaps, s.space, "fresh") != nil || berlin.find(s, deployments, s.space, "web") == nil {
		t.Error("something was made or removed")
	}
	if names := len(s.inventory("app")); names != 3 {
		t.Errorf("the inventory has %d objects", names)
	}
	if a := s.app("app"); len(a.Spec.Manifest) != 3 {
		t.Errorf("the manifest has %d objects", len(a.Spec.Manifest))
	}
	s.takeDown("app")
}

func TestWaysToWhereNothingRunsAreRefused(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.create("early", "nowhere", web)
	for way, query := range usual {
		refused(t, way+" of an application without a place", s.through("early", way, query), http.StatusConflict, "early", "no cluster yet")
		refused(t, way+" of no application", s.through("nobody", way, query), http.StatusNotFound, "nobody")
	}
	line, kubeconfig := lineTo(t, berlin)
	s.place(berlin)
	s.register("here", kubeconfig)
	s.awaitCluster("here", api.ClusterOnline)
	s.create("app", "here", web)
	s.create("quiet", "here", settingsMap)
	s.awaitApp("app", running("here"), healthy)
	s.awaitApp("quiet", running("here"))

	with := func(way, name, value string) url.Values {
		query := url.Values{name: {value}}
		for key, values := range usual[way] {
			query[key] = values
		}
		return query
	}
	for _, way := range []string{api.LogPassage, api.ExecPassage, api.PortForwardPassage} {
		refused(t, way+" of an unknown pod", s.through("app", way, with(way, "pod", "nope")), http.StatusNotFound, "nope", "here", "it has web-")
		refused(t, way+" of an application without pods", s.through("quiet", way, usual[way]), http.StatusConflict, "quiet")
	}
	for _, way := range []string{api.LogPassage, api.ExecPassage} {
		list, err := berlin.admin.Resource(pods).Namespace(s.space).List(t.Context(), metav1.ListOptions{})
		if err != nil || len(list.Items) != 1 {
			t.Fatal(list, err)
		}
		query := with(way, "container", "nope")
		query.Set("pod", list.Items[0].GetName())
		refused(t, way+" of an unknown container", s.through("app", way, query), http.StatusNotFound, "nope", "it has web")
	}
	refused(t, "exec without a command", s.through("app", api.ExecPassage, url.Values{}), http.StatusUnprocessableEntity, "command")
	refused(t, "a port that is none", s.through("app", api.PortForwardPassage, url.Values{"ports": {"0"}}), http.StatusUnprocessableEntity, "ports")
	refused(t, "a tail that is none", s.through("app", api.LogPassage, url.Values{"tail": {"x"}}), http.StatusUnprocessableEntity, "tail")

	line.cut()
	for way, query := range usual {
		refused(t, way+" of a cluster that gives no answer", s.through("app", way, query), http.StatusBadGateway, "here", "cannot be reached")
	}
	line.mend(t)
	s.awaitCluster("here", api.ClusterOnline)
	s.takeDown("app")
	s.takeDown("quiet")
}

var (
	clusterRoles        = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"}
	clusterRoleBindings = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"}
)

// TestWhatTheKubeconfigMayNotIsTold: the user of the kubeconfig sees pods, and may neither read their logs nor run anything.
func TestWhatTheKubeconfigMayNotIsTold(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("app", "here", web)
	s.awaitApp("app", running("here"), healthy)
	berlin.create(s, clusterRoles, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: `+s.space+`}
rules:
- {apiGroups: [""], resources: [namespaces, nodes, pods], verbs: [get, list]}
- {apiGroups: [apps], resources: [replicasets], verbs: [list]}
`)
	s.Cleanup(func() { berlin.remove(s, clusterRoles, "", s.space) })
	berlin.create(s, clusterRoleBindings, `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: `+s.space+`}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: `+s.space+`}
subjects: [{kind: User, name: `+s.space+`}]
`)
	s.Cleanup(func() { berlin.remove(s, clusterRoleBindings, "", s.space) })
	limited := berlin.Kubeconfig(s)
	limited["users"].([]any)[0].(map[string]any)["user"].(map[string]any)["as"] = s.space
	s.give("here", limited)
	for way, words := range map[string]string{api.LogPassage: "pods/log", api.ExecPassage: "pods/exec", api.PortForwardPassage: "pods/portforward"} {
		for _, follow := range []string{"false", "true"} {
			query := url.Values{"follow": {follow}}
			for key, values := range usual[way] {
				query[key] = values
			}
			refused(t, way, s.through("app", way, query), http.StatusForbidden, "here", "does not allow this to Krake", words)
		}
	}
	s.give("here", berlin.Kubeconfig(s))
	s.takeDown("app")
}

// A pod's owners say whose it is. One that has the same labels is somebody else's.
func TestAPodWithTheSameLabelsIsNotTheApplications(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("app", "here", web)
	s.awaitApp("app", running("here"), healthy)
	berlin.create(s, pods, "apiVersion: v1\nkind: Pod\nmetadata: {name: stranger, namespace: "+s.space+", labels: {app: lookalike}}\nspec: {containers: [{name: web, image: x}]}")
	refused(t, "exec in a stranger's pod", s.through("app", api.ExecPassage, url.Values{"command": {"true"}, "pod": {"stranger"}}),
		http.StatusNotFound, "has no pod stranger")
	s.takeDown("app")
}

// Where a node has no kubelet the cluster cannot do what it is asked for; that is told.
func TestAClusterThatCannotReachItsNodeIsTold(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("app", "here", web)
	s.awaitApp("app", running("here"), healthy)
	p := s.through("app", api.LogPassage, nil)
	if p == nil || p.Status != http.StatusBadGateway {
		t.Errorf("a log that there is not: %v", p)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := s.client.Connect(ctx, client.Request{Path: s.passage("app", api.ExecPassage), Query: usual[api.ExecPassage]})
	if err == nil {
		for err == nil {
			_, err = conn.Receive(ctx)
		}
		conn.Drop()
	}
	if ctx.Err() != nil {
		t.Error("a command that cannot run hangs")
	}
	s.takeDown("app")
}

// A browser asks nobody before it opens a WebSocket.
func TestAWebPageOpensNoWayToACluster(t *testing.T) {
	k := sharedKrake(t)
	for origin, status := range map[string]int{"http://attacker.example": http.StatusForbidden, "": http.StatusNotFound} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, k.url+"/kubernetes/namespaces/x/applications/y/exec?command=id", nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": origin} {
			if value != "" {
				req.Header.Set(name, value)
			}
		}
		resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("from %q: %d, want %d", origin, resp.StatusCode, status)
		}
	}
}
