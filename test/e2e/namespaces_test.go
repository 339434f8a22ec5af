package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/server"
)

// unnamed is web without a namespace.
var unnamed = strings.ReplaceAll(web, ", namespace: SPACE", "")

// apart are settings of a server on which each namespace has a Kubernetes namespace of its own.
func apart() server.Settings {
	s := quick
	s.OwnNamespaces = true
	return s
}

// home is the Kubernetes namespace of the scene's namespace, which goes when the test ends.
func (s *scene) home(on ...*site) string {
	s.Helper()
	home := fleet.HomeOf(s.space)
	for _, site := range on {
		s.Cleanup(func() { site.remove(s, namespaces, "", home) })
	}
	return home
}

func TestEachNamespaceHasAKubernetesNamespaceOfItsOwn(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	settings := apart()
	settings.ClusterWideKinds = []string{"PriorityClass.scheduling.k8s.io"}
	k := ownKrake(t, server.Config{Settings: settings})
	a, b := sceneOn(t, k), sceneOn(t, k)
	b.space += ":b" // which is no name for Kubernetes
	for _, s := range []*scene{a, b} {
		s.register("here", berlin.Kubeconfig(t))
		s.awaitCluster("here", api.ClusterOnline)
		s.create("web", "", unnamed)
	}
	for _, s := range []*scene{a, b} {
		s.awaitApp("web", running("here"), healthy, reachable(berlin, s.home(berlin)))
	}
	if a.home() == b.home() {
		t.Fatal("they share a namespace")
	}
	for name, c := range map[string]struct {
		manifest string
		words    []string
	}{
		"another namespace":  {strings.ReplaceAll(settingsMap, "SPACE", b.home()), []string{"names the namespace " + b.home(), "keeps what is of its namespace " + a.space + " in " + a.home()}},
		"the default one":    {strings.ReplaceAll(settingsMap, "SPACE", "default"), []string{"leave metadata.namespace out"}},
		"a namespace itself": {"apiVersion: v1\nkind: Namespace\nmetadata: {name: SPACE}", []string{"Namespace SPACE belongs to no namespace"}},
		"a role everywhere": {"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: SPACE}",
			[]string{"--cluster-wide-kinds ClusterRole.rbac.authorization.k8s.io would allow it"}},
	} {
		words := append([]string{}, c.words...)
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "SPACE", a.space)
		}
		_, err := a.client.Do(a.Context(), client.Request{Method: http.MethodPost, Path: a.passage("web", api.DiffPassage),
			Body: map[string]any{"manifest": a.manifest(c.manifest)}})
		for _, word := range words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s: asked for the difference that it would make, Krake says %v, and nothing of %q", name, err, word)
			}
		}
		a.create("bad", "", c.manifest)
		a.awaitApp("bad", refusedWith(api.InvalidResource, words...), func(*api.Application) error {
			if left := a.inventory("bad"); len(left) > 0 {
				return fmt.Errorf("%s: %v", name, left)
			}
			return nil
		})
		a.takeDown("bad")
	}
	a.create("class", "", "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: SPACE}\nvalue: 1")
	a.awaitApp("class", running("here"))
	a.takeDown("class")

	berlin.create(t, configMaps, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: strangers, namespace: "+a.home()+"}")
	for _, s := range []*scene{a, b} {
		s.takeDown("web")
		if left := berlin.marked(t, deployments, s.home()); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		if ns := berlin.get(t, namespaces, "", s.home()); ns.GetDeletionTimestamp() != nil {
			t.Errorf("%s went with the last application", s.home())
		}
	}
	berlin.get(t, configMaps, a.home(), "strangers")
}

func TestANamespaceThatIsThereIsUsedOnlyIfItIsHandedOver(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := sceneOn(t, ownKrake(t, server.Config{Settings: apart()}))
	home := s.home(berlin)
	berlin.create(t, namespaces, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+home+"}")
	s.register("here", berlin.Kubeconfig(t))
	s.awaitCluster("here", api.ClusterOnline)
	s.create("web", "", unnamed)
	command := "kubectl annotate namespace " + home + " "
	a := s.awaitApp("web", refusedWith(api.KubernetesError, "Namespace "+home, command))
	if left := berlin.marked(t, services, home); len(left) > 0 {
		t.Errorf("made all the same: %v", left)
	}
	_, pairs, _ := strings.Cut(a.Status.Reason.Message, command)
	for _, pair := range strings.Fields(pairs) {
		key, value, _ := strings.Cut(pair, "=")
		berlin.patch(t, namespaces, "", home, fmt.Sprintf(`{"metadata": {"annotations": {%q: %q}}}`, key, value))
	}
	s.awaitApp("web", running("here"), healthy)
	s.takeDown("web")
}

// The option is turned on, and later off again, under an application that runs.
func TestWhatIsThereBeforeNamespacesAreKeptApartIsNotMadeTwiceOrLost(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	cfg := server.Config{DataDir: t.TempDir(), Settings: quick}
	k := ownKrake(t, cfg)
	s := sceneOn(t, k)
	restart := func(settings server.Settings) {
		t.Helper()
		if err := s.krake.end(); err != nil {
			t.Fatal(err)
		}
		cfg.Settings = settings
		s.use(ownKrake(t, cfg))
	}
	s.join("here", on[0])
	s.join("there", on[1])
	s.create("web", "here", web)
	s.awaitApp("web", running("here"), healthy)
	before := on[0].get(t, deployments, s.space, "web").GetUID()
	inventory := s.inventory("web")

	restart(apart())
	same := func(namespace string, on *site) {
		t.Helper()
		if after := on.get(t, deployments, namespace, "web").GetUID(); after != before {
			t.Fatalf("it was made again: %s, was %s", after, before)
		}
		if now := s.inventory("web"); len(now) != len(inventory) {
			t.Fatalf("the inventory was %v and is %v", inventory, now)
		}
	}
	for _, manifest := range []string{web, unnamed} { // an application that names the namespace, and then does so no more
		s.edit("web", func(a *api.Application) {
			a.Spec.Manifest = s.manifest(strings.Replace(manifest, "replicas: 1", "replicas: 2", 1))
		})
		s.awaitApp("web", running("here"), healthy)
		same(s.space, on[0])
	}
	more := "\n---\n" + strings.ReplaceAll(settingsMap, ", namespace: SPACE", "")
	s.edit("web", func(a *api.Application) { a.Spec.Manifest = s.manifest(unnamed + more) })
	s.awaitApp("web", refusedWith(api.InvalidResource, "from before this Krake kept namespaces apart"))
	same(s.space, on[0])
	s.edit("web", func(a *api.Application) { a.Spec.Manifest = s.manifest(unnamed) })
	s.awaitApp("web", running("here"), healthy)
	same(s.space, on[0])

	home := s.home(on[1])
	s.send("web", "there")
	s.awaitApp("web", running("there"), healthy, reachable(on[1], home))
	s.awaitEmpty(on[0])
	s.edit("web", func(a *api.Application) { a.Spec.Manifest = s.manifest(unnamed + more) })
	s.awaitApp("web", running("there"), healthy)
	on[1].get(t, configMaps, home, "settings")

	restart(quick)
	before, inventory = on[1].get(t, deployments, home, "web").GetUID(), s.inventory("web")
	s.edit("web", func(a *api.Application) {
		a.Spec.Manifest = s.manifest(strings.Replace(unnamed, "replicas: 1", "replicas: 2", 1) + more)
	})
	s.awaitApp("web", running("there"), healthy)
	same(home, on[1])
	s.takeDown("web")
	if left := on[1].marked(t, deployments, home); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
