package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/server"
)

var (
	accounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	secrets  = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	roles    = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"}
	bindings = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"}
)

// documentedRole is the Role that docs/operating.md says is enough.
func documentedRole(t testing.TB) *unstructured.Unstructured {
	t.Helper()
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(page), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if o := (&unstructured.Unstructured{Object: objects(t, block)[0]}); o.GetKind() == "Role" {
			return o
		}
	}
	t.Fatal("the documentation has no Role")
	return nil
}

// without takes verbs from all rules of a role.
func without(role *unstructured.Unstructured, verbs ...string) *unstructured.Unstructured {
	out := role.DeepCopy()
	for _, rule := range out.Object["rules"].([]any) {
		rule := rule.(map[string]any)
		rule["verbs"] = slices.DeleteFunc(slices.Clone(rule["verbs"].([]any)), func(v any) bool { return slices.Contains(verbs, v.(string)) })
	}
	return out
}

// projectUser makes two namespaces on a cluster, the scene's and another one, and returns the kubeconfig of a user who
// has the role in these and no other rights.
func (s *scene) projectUser(on *site, role *unstructured.Unstructured) api.Kubeconfig {
	s.Helper()
	second := s.space + "-two"
	for _, namespace := range []string{s.space, second} {
		on.create(s, namespaces, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+namespace+"}")
		s.Cleanup(func() { on.remove(s, namespaces, "", namespace) })
		if _, err := on.admin.Resource(roles).Namespace(namespace).Create(s.Context(), role, metav1.CreateOptions{}); err != nil {
			s.Fatal(err)
		}
		on.create(s, bindings, strings.NewReplacer("HERE", namespace, "SPACE", s.space).Replace(`
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: krake, namespace: HERE}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: krake}
subjects: [{kind: ServiceAccount, name: project, namespace: SPACE}]
`))
	}
	on.create(s, accounts, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: project, namespace: "+s.space+"}")
	request := &unstructured.Unstructured{Object: objects(s, "apiVersion: authentication.k8s.io/v1\nkind: TokenRequest\nmetadata: {name: project}\nspec: {expirationSeconds: 36000}")[0]}
	answer, err := on.admin.Resource(accounts).Namespace(s.space).Create(s.Context(), request, metav1.CreateOptions{}, "token")
	if err != nil {
		s.Fatal(err)
	}
	kubeconfig := on.Kubeconfig(s)
	kubeconfig["users"].([]any)[0].(map[string]any)["user"] = map[string]any{"token": at(answer, "status", "token")}
	kubeconfig["contexts"].([]any)[0].(map[string]any)["context"].(map[string]any)["namespace"] = s.space
	return kubeconfig
}

// inTwo is an application with objects in both namespaces of a project user; those of web name none.
const inTwo = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: SPACE-two}
data: {a: b}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: SPACE-two}
stringData: {a: b}
`

func TestRightsInTwoNamespacesAreEnough(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	role := documentedRole(t)
	for name, role := range map[string]*unstructured.Unstructured{
		"with the Role of the documentation":       role,
		"where objects may not even be listed":     without(role, "list", "watch"),
		"where objects may be listed, not watched": without(role, "watch"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.register("here", s.projectUser(on[0], role))
			s.register("there", s.projectUser(on[1], role))
			for i, name := range []string{"here", "there"} {
				c := s.awaitCluster(name, api.ClusterOnline)
				if want := s.space + ":" + string(on[i].get(s, namespaces, "", s.space).GetUID()); c.Status.Identity != want {
					s.Errorf("the identity is %q, not %q", c.Status.Identity, want)
				}
				h := c.Status.Conditions.Get(api.Healthy)
				if h.Status != api.Unknown || h.Reason != "NodesHidden" || !strings.Contains(h.Message, `resources: ["nodes"], verbs: ["list"]`) {
					s.Errorf("healthy: %+v", h)
				}
			}
			s.create("web", "here", strings.ReplaceAll(web, ", namespace: SPACE", "")+"\n---\n"+inTwo)
			s.awaitApp("web", running("here"), healthy, reachable(on[0], s.space))
			s.edit("web", func(a *api.Application) { a.Spec.Manifest[0]["spec"].(map[string]any)["replicas"] = 2 })
			s.awaitApp("web", running("here"), healthy, func(a *api.Application) error {
				if a.Status.ContainerHealth.RunningPods != 2 {
					return fmt.Errorf("pods: %+v", a.Status.ContainerHealth)
				}
				return nil
			})
			on[0].remove(s, services, s.space, "web") // somebody has made a mistake
			s.awaitEvent("Application", "web", "Repaired", "missing on the cluster")
			s.awaitApp("web", running("here"), healthy, reachable(on[0], s.space))
			s.send("web", "there")
			s.awaitApp("web", running("there"), healthy, reachable(on[1], s.space))
			s.takeDown("web")
			for _, site := range on {
				for _, kind := range []schema.GroupVersionResource{deployments, services, configMaps, secrets} {
					for _, namespace := range []string{s.space, s.space + "-two"} {
						if left := site.marked(s, kind, namespace); len(left) > 0 {
							s.Errorf("left on %s in %s: %s %v", site.Name, namespace, kind.Resource, left)
						}
					}
				}
			}
			for _, name := range []string{"here", "there"} {
				s.removeCluster(name)
			}
		})
	}
}

func TestAMissingRightIsNamedWithTheRuleThatGivesIt(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	role := documentedRole(t)
	for name, c := range map[string]struct {
		role     *unstructured.Unstructured
		manifest string
		words    []string
	}{
		"A10 to see an object": {
			without(role, "none"), "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}",
			[]string{"ServiceAccount SPACE/a", `{apiGroups: [""], resources: ["serviceaccounts"], verbs: ["get"]} of a Role in the namespace SPACE`},
		},
		"in another namespace": {
			without(role, "none"), strings.ReplaceAll(settingsMap, "SPACE", "default"),
			[]string{"ConfigMap default/settings", `resources: ["configmaps"], verbs: ["get"]} of a Role in the namespace default`},
		},
		"to create": {
			without(role, "create"), settingsMap, []string{`resources: ["configmaps"], verbs: ["create"]} of a Role in the namespace SPACE`},
		},
		"to write a Secret, of which nothing else is told": {
			without(role, "patch"), "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {a: hidden}",
			[]string{"Secret SPACE/key", `{apiGroups: [""], resources: ["secrets"], verbs: ["patch"]}`},
		},
		"to see anything cluster-wide": {
			without(role, "none"), "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: SPACE}",
			[]string{`{apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"], verbs: ["get"]} of a ClusterRole`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.register("here", s.projectUser(berlin, c.role))
			s.awaitCluster("here", api.ClusterOnline)
			s.create("bad", "", c.manifest)
			words := slices.Clone(c.words)
			for i := range words {
				words[i] = strings.ReplaceAll(words[i], "SPACE", s.space)
			}
			a := s.awaitApp("bad", refusedWith(api.KubernetesError, words...))
			if text, _ := json.Marshal(a.Status); strings.Contains(string(text), "hidden") {
				s.Errorf("what is in a Secret is told: %s", text)
			}
			s.takeDown("bad")
		})
	}
}

func TestAKubeconfigThatTellsNoIdentityIsOfflineAndSaysWhatItNeeds(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	role := documentedRole(t)
	role.Object["rules"] = role.Object["rules"].([]any)[1:]
	s.register("here", s.projectUser(berlin, role))
	c := s.awaitCluster("here", api.ClusterOffline)
	err := says(c.Status.Reason, api.ClusterNotReachable, "does not tell its identity",
		`{apiGroups: [""], resources: ["namespaces"], verbs: ["get"]} of a Role in the namespace `+s.space)
	if err != nil {
		s.Error(err)
	}
}

// The same cluster is registered by its administrator and by a project user. What moves from one record to the other is the
// same before and after.
func TestOneClusterKnownByTwoIdentitiesLosesNothingInAMove(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.register("limited", s.projectUser(berlin, documentedRole(t)))
	s.register("whole", berlin.Kubeconfig(s))
	s.awaitCluster("limited", api.ClusterOnline)
	s.awaitCluster("whole", api.ClusterOnline)
	s.create("web", "limited", web)
	s.awaitApp("web", running("limited"), healthy)
	before := berlin.get(s, deployments, s.space, "web").GetUID()
	for _, to := range []string{"whole", "limited"} {
		s.send("web", to)
		s.awaitApp("web", running(to), healthy, func(a *api.Application) error {
			if len(s.inventory("web")) != 2 {
				return fmt.Errorf("the inventory has %v", s.inventory("web"))
			}
			return nil
		})
		if after := berlin.get(s, deployments, s.space, "web"); after.GetUID() != before || after.GetDeletionTimestamp() != nil {
			s.Fatalf("the deployment was made again: %s, was %s", after.GetUID(), before)
		}
	}
	s.takeDown("web")
	if berlin.find(s, deployments, s.space, "web") != nil {
		s.Error("it is still on the cluster")
	}
}

func TestRightsThatComeLaterChangeNoIdentity(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	cfg := server.Config{DataDir: t.TempDir(), Settings: quick}
	first := ownKrake(t, cfg)
	s := sceneOn(t, first)
	s.register("here", s.projectUser(berlin, documentedRole(t)))
	before := s.awaitCluster("here", api.ClusterOnline).Status.Identity
	s.create("web", "", web)
	s.awaitApp("web", running("here"), healthy)
	berlin.create(s, bindings, strings.ReplaceAll(`
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: SPACE, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: project, namespace: SPACE}]
`, "SPACE", s.space))
	s.Cleanup(func() { berlin.remove(s, bindings, "kube-system", s.space) })
	if err := first.end(); err != nil {
		s.Fatal(err)
	}
	s.use(ownKrake(t, cfg)) // it has no connections from before
	s.edit("web", func(a *api.Application) { a.Spec.Manifest[0]["spec"].(map[string]any)["replicas"] = 2 })
	s.awaitApp("web", running("here"), healthy)
	if c := s.awaitCluster("here", api.ClusterOnline); c.Status.Identity != before {
		s.Errorf("the identity is %s, was %s", c.Status.Identity, before)
	}
	s.takeDown("web")
}
