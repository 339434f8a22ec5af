package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// hand creates an application whose manifest is this JSON, and returns the status of the answer and its beginning.
func (s *scene) hand(name, manifest string) (int, string) {
	s.Helper()
	body := fmt.Sprintf(`{"metadata": {"name": %q, "namespace": %q}, "spec": {"manifest": %s, "constraints": {"cluster": {}}}}`, name, s.space,
		strings.ReplaceAll(manifest, "SPACE", s.space))
	request, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.url+api.ApplicationKind.Path(s.space, ""), bytes.NewReader([]byte(body)))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(answer[:min(len(answer), 300)])
}

// configMapsOf is the JSON of a manifest of n ConfigMaps, each with some more fields.
func configMapsOf(n int, more string) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c%d", "namespace": "SPACE"}%s}`, i, more))
	}
	return "[" + strings.Join(out, ",") + "]"
}

// Each of them is refused at the door, or by name, or runs; and what there is goes again. A neighbour notices nothing.
func TestHostileManifestsHarmNobody(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("neighbour", "", web)
	neighbour := s.awaitApp("neighbour", running("here"), healthy)
	before := berlin.get(t, deployments, s.space, "web")
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	one := func(object string) string { return "[" + object + "]" }
	config := func(metadata, more string) string {
		return one(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "SPACE", ` + metadata + `}` + more + `}`)
	}
	const runs = api.ReasonCode("")
	for name, c := range map[string]struct {
		manifest string
		status   int            // of the answer
		code     api.ReasonCode // of the reason, if it is taken and does not run
		words    string
	}{
		"five hundred objects":        {configMapsOf(500, ""), 200, runs, ""},
		"an object of nearly a MiB":   {configMapsOf(1, `, "data": {"a": "`+strings.Repeat("x", 1000<<10)+`"}`), 200, runs, ""},
		"a body of more than a MiB":   {configMapsOf(1, `, "data": {"a": "`+strings.Repeat("x", 1100<<10)+`"}`), 413, "", ""},
		"too deep":                    {config(`"name": "a"`, `, "data": `+deep(400)), 422, "", ""},
		"deep":                        {config(`"name": "a"`, `, "data": {"a": `+deep(250)+`}`), 200, api.KubernetesError, ".data.a"},
		"null for an object":          {"[null]", 422, "", ""},
		"a text for an object":        {`["x"]`, 422, "", ""},
		"null for the metadata":       {one(`{"apiVersion": "v1", "kind": "ConfigMap", "metadata": null}`), 422, "", ""},
		"a number for the name":       {config(`"name": 7`, ""), 422, "", ""},
		"a list for the kind":         {one(`{"apiVersion": "v1", "kind": ["ConfigMap"], "metadata": {"name": "a"}}`), 200, api.InvalidResource, "it has no kind"},
		"only a name to be made up":   {config(`"generateName": "a-"`, ""), 422, "", ""},
		"infinity":                    {config(`"name": "a"`, `, "data": {"a": 1e999}`), 422, "", ""},
		"a name that climbs":          {config(`"name": "../deployments/web"`, ""), 200, api.InvalidResource, "is no name"},
		"a neighbour's mark":          {config(`"name": "a", "labels": {"krake.cloud/app-uid": "`+neighbour.Metadata.UID+`"}`, ""), 200, runs, ""},
		"a neighbour's object":        {one(`{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "SPACE", "uid": "` + string(before.GetUID()) + `"}}`), 200, api.KubernetesError, "is managed by the Krake application SPACE/neighbour"},
		"a neighbour as its owner":    {config(`"name": "a", "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "`+string(before.GetUID())+`"}]`, ""), 200, api.InvalidResource, "ownerReferences"},
		"an eviction of somebody":     {one(`{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web", "namespace": "SPACE"}}`), 200, api.UnsupportedResource, "Eviction"},
		"a question about rights":     {one(`{"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "metadata": {"name": "a"}, "spec": {}}`), 200, api.UnsupportedResource, "is a request"},
		"a list in a list":            {one(`{"apiVersion": "v1", "kind": "List", "metadata": {"name": "a"}, "items": [{"kind": "List", "items": []}]}`), 200, api.InvalidResource, "put its 1 items into the manifest"},
		"thousands of wrong metadata": {config(`"name": "a", "annotations": {`+manyPairs(5000)+`}`, ""), 200, api.KubernetesError, "bytes more)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			app := "hostile"
			status, answer := s.hand(app, c.manifest)
			if status != c.status {
				t.Fatalf("answered %d: %s", status, answer)
			}
			if status != http.StatusOK {
				return
			}
			words := strings.ReplaceAll(c.words, "SPACE", s.space)
			if c.code == runs {
				s.awaitApp(app, running("here"), healthy)
			} else if a := s.awaitApp(app, refusedWith(c.code, words)); len(a.Status.Reason.Message) > 5000 {
				t.Errorf("the reason has %d bytes", len(a.Status.Reason.Message))
			}
			s.takeDown(app)
		})
	}
	t.Run("an update of several MiB", func(t *testing.T) {
		s := s.in(t)
		s.create("hostile", "", settingsMap)
		s.awaitApp("hostile", running("here"), healthy)
		var large api.Manifest
		content := strings.ReplaceAll(configMapsOf(5, `, "data": {"a": "`+strings.Repeat("x", 1<<19)+`"}`), "SPACE", s.space)
		if err := json.Unmarshal([]byte(content), &large); err != nil {
			t.Fatal(err)
		}
		s.edit("hostile", func(a *api.Application) { a.Spec.Manifest = large })
		s.awaitApp("hostile", running("here"), healthy)
		s.takeDown("hostile")
	})
	if left := berlin.marked(t, configMaps, s.space); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if after := berlin.get(t, deployments, s.space, "web"); after.GetUID() != before.GetUID() || after.GetGeneration() != before.GetGeneration() {
		t.Error("the neighbour was touched")
	}
	s.awaitApp("neighbour", running("here"), healthy)
	for _, line := range s.log.about(s.space) {
		if strings.Contains(line, "panic") {
			t.Error(line)
		}
	}
}

// manyPairs are members of a JSON object that are no annotations.
func manyPairs(n int) string {
	out := map[string]string{}
	for i := range n {
		out[fmt.Sprintf("a b%d", i)] = "x"
	}
	content, _ := json.Marshal(out)
	return strings.Trim(string(content), "{}")
}

// Nobody takes the finalizer off. The application waits for that, says so, and does not hammer at the cluster.
func TestAFinalizerOfOthersIsWaitedForAndNamed(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("kept", "", strings.Replace(settingsMap, "name: settings,", "name: settings, finalizers: [example.org/mine],", 1))
	s.awaitApp("kept", running("here"), healthy)
	if _, err := s.apps.Delete(t.Context(), s.space, "kept", client.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.awaitApp("kept", inState(api.AppDeleting), func(a *api.Application) error {
		if c := a.Status.Conditions.Get(api.Cleaned); !strings.Contains(c.Message, "ConfigMap "+s.space+"/settings is being removed") || !strings.Contains(c.Message, "example.org/mine") {
			return fmt.Errorf("cleaned: %+v", c)
		}
		return nil
	})
	berlin.patch(t, configMaps, s.space, "settings", `{"metadata": {"finalizers": null}}`)
	s.awaitEnd("kept")
}
