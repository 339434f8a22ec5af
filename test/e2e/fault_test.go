package e2e

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/server"
)

// applied holds when the condition Applied has a status, and these words.
func applied(want api.ConditionStatus, words ...string) fact {
	return condition(api.Applied, want, "", words...)
}

// Every call takes five seconds: too long to ask the cluster how it is, and short enough for no call to be given up.
func TestASlowClusterHoldsUpNoOther(t *testing.T) {
	on := sites(t, "berlin", "bratislava")
	t.Parallel()
	s := sceneOn(t, ownKrake(t, server.Config{Settings: quick}))
	f, kubeconfig := frontOf(s, on[0])
	s.place(on[0])
	s.register("slow", kubeconfig)
	s.awaitCluster("slow", api.ClusterOnline)
	s.join("well", on[1])
	const many = 30
	name := func(site string, i int) string { return fmt.Sprintf("%s-%d", site, i) }
	f.suffer(f.slowness(5 * time.Second))
	for i := range many {
		for _, site := range []string{"slow", "well"} {
			s.create(name(site, i), site, named(name(site, i)))
		}
	}
	for i := range many {
		s.awaitApp(name("well", i), running("well"))
	}
	if f.under.Load() == 0 {
		s.Error("nothing is being held by the slow cluster")
	}
	f.suffer(nil)
	for i := range many {
		s.awaitApp(name("slow", i), running("slow"))
	}
}

// What a cluster answers for a while, and what is said of it.
func TestAnswersThatPassAreWaitedFor(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	writes := http.MethodPatch
	for name, test := range map[string]struct {
		answer metav1.Status
		while  fact
	}{
		"429": {
			metav1.Status{Code: 429, Reason: metav1.StatusReasonTooManyRequests, Message: "too many requests", Details: &metav1.StatusDetails{RetryAfterSeconds: 1}},
			applied(api.Unknown, "too many requests"),
		},
		"500": {
			metav1.Status{Code: 500, Reason: metav1.StatusReasonInternalError, Message: "etcdserver: no leader"},
			applied(api.Unknown, "etcdserver: no leader"),
		},
		"401": {
			metav1.Status{Code: 401, Reason: metav1.StatusReasonUnauthorized, Message: "Unauthorized"},
			applied(api.Unknown, "Unauthorized"),
		},
		"403": { // the cluster's word on the manifest, until it has another
			metav1.Status{Code: 403, Reason: metav1.StatusReasonForbidden, Message: "patches are forbidden"},
			refusedWith(api.KubernetesError, "patches are forbidden"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			f, kubeconfig := frontOf(s, berlin)
			s.place(berlin)
			s.register("here", kubeconfig)
			s.awaitCluster("here", api.ClusterOnline)
			f.suffer(answering(test.answer, writes))
			s.create("web", "", web)
			s.awaitApp("web", test.while)
			if left := berlin.marked(s, deployments, s.space); len(left) > 0 {
				s.Errorf("it was made all the same: %v", left)
			}
			f.suffer(nil)
			s.awaitApp("web", running("here"), healthy)
		})
	}
}

// A cluster that was never reached is OFFLINE at its first answer that is none.
func TestAnyAnswerThatIsAnErrorIsAnOutage(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	for name, code := range map[string]int32{"G3 404": 404, "G3 408": 408, "G3 503": 503, "G3 504": 504, "401": 401, "403": 403, "429": 429} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			f, kubeconfig := frontOf(s, berlin)
			f.suffer(answering(metav1.Status{Code: code, Message: "an answer of " + name}))
			s.register("here", kubeconfig)
			c := s.awaitCluster("here", api.ClusterOffline)
			if err := says(c.Status.Reason, api.ClusterNotReachable, "an answer of "+name); err != nil {
				s.Error(err)
			}
			f.suffer(nil)
			s.awaitCluster("here", api.ClusterOnline)
		})
	}
}

func TestAnApplicationFailsWhileItsOnlyClusterWasNeverReached(t *testing.T) { // G16
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	l, kubeconfig := lineTo(s, berlin)
	l.cut() // a wrong port
	s.register("here", kubeconfig)
	s.create("web", "", web, func(a *api.Application) { a.Spec.BackoffLimit = 1 })
	s.awaitCluster("here", api.ClusterOffline)
	a := s.awaitApp("web", refusedWith(api.NoSuitableResource, "1 not online"))
	if a.Status.ScheduledTo != nil || a.Status.RunningOn != nil {
		s.Errorf("bound to %v, runs on %v", a.Status.ScheduledTo, a.Status.RunningOn)
	}
}

// gadgets defines a kind whose fields are not written in lower case alone.
const gadgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.SPACE.example.org}
spec:
  group: SPACE.example.org
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {maxSize: {type: integer}, nodeNames: {type: array, items: {type: string}}}}}
`

const twoGadgets = `
apiVersion: SPACE.example.org/v1
kind: Gadget
metadata: {name: one, namespace: SPACE}
spec: {maxSize: 3, nodeNames: [a, b]}
---
apiVersion: SPACE.example.org/v1
kind: Gadget
metadata: {name: two, namespace: SPACE}
spec: {maxSize: 5}
`

func TestCustomResourcesAreManagedLikeOtherObjects(t *testing.T) { // G12, G14
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	definition := "gadgets." + s.space + ".example.org"
	kind := schema.GroupVersionResource{Group: s.space + ".example.org", Version: "v1", Resource: "gadgets"}
	berlin.create(s, definitions, strings.ReplaceAll(gadgets, "SPACE", s.space))
	s.Cleanup(func() { berlin.remove(s, definitions, "", definition) })
	s.set("here", func(c *api.Cluster) { c.Spec.CustomResources = []string{definition} })
	s.create("app", "", twoGadgets, func(a *api.Application) { a.Spec.Constraints.Cluster.CustomResources = []string{definition} })
	s.awaitApp("app", running("here"))
	berlin.get(s, kind, s.space, "two")
	size := func(want int64) {
		s.Helper()
		s.await("the size of the gadget", func() error {
			one, err := berlin.look(kind, s.space, "one")
			if err == nil && at(one, "spec", "maxSize") != want {
				err = fmt.Errorf("it is %v, not %d", at(one, "spec", "maxSize"), want)
			}
			return err
		})
	}
	size(3)
	berlin.patch(s, kind, s.space, "one", `{"spec": {"maxSize": 9}}`)
	s.awaitEvent("Application", "app", "Repaired", "Gadget "+s.space+"/one", "spec.maxSize")
	size(3)
	s.edit("app", func(a *api.Application) { a.Spec.Manifest[0]["spec"].(map[string]any)["maxSize"] = 4 })
	size(4)
	s.takeDown("app")
	if berlin.find(s, kind, s.space, "one") != nil || berlin.find(s, kind, s.space, "two") != nil {
		s.Error("the record is gone before the objects are")
	}
}

func TestCredentialsThatHaveEndedChangeNothing(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	f, kubeconfig := frontOf(s, berlin)
	s.place(berlin)
	s.register("here", kubeconfig)
	s.awaitCluster("here", api.ClusterOnline)
	s.create("web", "", web)
	s.awaitApp("web", running("here"), healthy)
	before := berlin.get(s, deployments, s.space, "web")
	f.suffer(answering(metav1.Status{Code: 401, Reason: metav1.StatusReasonUnauthorized, Message: "Unauthorized"}))
	c := s.awaitCluster("here", api.ClusterOffline)
	if err := says(c.Status.Reason, api.ClusterNotReachable, "Unauthorized"); err != nil {
		s.Error(err)
	}
	if err := running("here")(s.app("web")); err != nil {
		s.Errorf("it has changed the application: %v", err)
	}
	s.edit("web", func(a *api.Application) { a.Spec.Manifest[0]["spec"].(map[string]any)["replicas"] = 2 })
	s.give("here", berlin.Kubeconfig(s)) // new ones
	s.awaitCluster("here", api.ClusterOnline)
	s.awaitApp("web", running("here"), healthy)
	if after := berlin.get(s, deployments, s.space, "web"); after.GetUID() != before.GetUID() || at(after, "spec", "replicas") != int64(2) {
		s.Errorf("UID %s, it was %s; %v replicas", after.GetUID(), before.GetUID(), at(after, "spec", "replicas"))
	}
}

// The cluster's database was restored from a backup: one object is as it was before and has another UID, one is missing,
// and where a third one was there is somebody else's.
func TestAClusterThatReturnsWithAnOldStateIsRepairedAndNothingForeignIsTouched(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	l := s.away("here", berlin, web+"---"+settingsMap)
	app := s.app("web")
	l.cut()
	for _, kind := range []schema.GroupVersionResource{deployments, services, configMaps} {
		name := "web"
		if kind == configMaps {
			name = "settings"
		}
		berlin.remove(s, kind, s.space, name)
		s.await("the end of "+kind.Resource, func() error {
			o, err := berlin.look(kind, s.space, name)
			if err == nil && o != nil {
				err = errors.New("it is there")
			}
			return err
		})
	}
	old := strings.Replace(strings.Split(web, "\n---\n")[0], "metadata: {name: web", "metadata: {labels: {krake.cloud/app-uid: "+app.Metadata.UID+"}, name: web", 1)
	restored := berlin.create(s, deployments, strings.ReplaceAll(strings.Replace(old, "web:1.10", "web:1.8", 1), "SPACE", s.space))
	foreign := berlin.create(s, configMaps, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: "+s.space+"}\ndata: {a: theirs}")
	l.mend(s)
	s.awaitApp("web", refusedWith(api.KubernetesError, "ConfigMap "+s.space+"/settings", "not managed by Krake"))
	if after := berlin.get(s, configMaps, s.space, "settings"); after.GetResourceVersion() != foreign.GetResourceVersion() {
		s.Error("the foreign object was touched")
	}
	berlin.remove(s, configMaps, s.space, "settings")
	s.awaitApp("web", running("here"), healthy, reachable(berlin, s.space))
	after := berlin.get(s, deployments, s.space, "web")
	if image := containerOf(after.Object["spec"].(map[string]any))["image"]; image != "web:1.10" || after.GetUID() != restored.GetUID() {
		s.Errorf("image %v; UID %s, restored was %s", image, after.GetUID(), restored.GetUID())
	}
	for _, e := range s.inventory("web") {
		if e.Kind == "Deployment" && e.UID != string(restored.GetUID()) {
			s.Errorf("the inventory has %s", e.UID)
		}
	}
	s.takeDown("web")
	s.awaitEmpty(berlin)
}

var webhooks = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations"}

// refuser is a webhook that refuses everything in the scene's namespace.
func (s *scene) refuser(on *site, words string) *httptest.Server {
	s.Helper()
	hook := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review struct{ Request struct{ UID string } }
		_ = json.NewDecoder(r.Body).Decode(&review)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": map[string]any{
			"uid": review.Request.UID, "allowed": false, "status": map[string]any{"code": 403, "message": words}}})
	}))
	s.Cleanup(hook.Close)
	authority, err := json.Marshal(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw})) // base64
	if err != nil {
		s.Fatal(err)
	}
	on.create(s, webhooks, fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: %[1]s}
webhooks:
- name: refuse.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  clientConfig: {url: "%[2]s/", caBundle: %[3]s}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}]
`, s.space, hook.URL, authority))
	s.Cleanup(func() { on.remove(s, webhooks, "", s.space) })
	return hook
}

func TestAWebhookThatRefusesIsQuotedAndOneThatIsDownIsWaitedFor(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	hook := s.refuser(berlin, "not on a Friday")
	s.create("app", "", settingsMap)
	s.awaitApp("app", refusedWith(api.KubernetesError, "not on a Friday"))
	hook.Close()
	s.awaitApp("app", func(a *api.Application) error {
		if c := a.Status.Conditions.Get(api.Applied); !strings.Contains(c.Message, "failed calling webhook") || c.Status != api.Unknown {
			return fmt.Errorf("applied: %+v", c)
		}
		return nil
	})
	berlin.remove(s, webhooks, "", s.space)
	s.awaitApp("app", running("here"))
}

func TestAQuotaThatIsExceededIsQuotedAndNothingIsLeft(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	berlin.create(s, quotas, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none, namespace: "+s.space+"}\nspec: {hard: {count/deployments.apps: \"0\"}}")
	s.create("web", "", web)
	s.awaitApp("web", refusedWith(api.KubernetesError, "exceeded quota"))
	for _, kind := range []schema.GroupVersionResource{deployments, services} {
		if left := berlin.marked(s, kind, s.space); len(left) > 0 {
			s.Errorf("left on the cluster: %s %v", kind.Resource, left)
		}
	}
	berlin.remove(s, quotas, s.space, "none")
	s.awaitApp("web", running("here"), healthy)
}

func TestANamespaceThatIsStuckInItsEndIsWaitedFor(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	stuck := s.space + "-stuck"
	namespace := "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + stuck + "}"
	berlin.create(s, namespaces, namespace)
	berlin.create(s, configMaps, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: busy, namespace: "+stuck+", finalizers: [example.org/busy]}")
	s.Cleanup(func() {
		_, _ = berlin.change(configMaps, stuck, "busy", unbusy)
		berlin.remove(s, namespaces, "", stuck)
	})
	berlin.remove(s, namespaces, "", stuck)
	s.create("app", "", strings.ReplaceAll(settingsMap, "SPACE", stuck))
	s.awaitApp("app", applied(api.Unknown, "being terminated"))
	if state := s.app("app").Status.State; state == api.AppFailed {
		s.Errorf("it is %s, although that passes", state)
	}
	berlin.patch(s, configMaps, stuck, "busy", unbusy)
	s.await("the end of the namespace", func() error {
		o, err := berlin.look(namespaces, "", stuck)
		if err == nil && o != nil {
			err = errors.New("it is there")
		}
		return err
	})
	berlin.create(s, namespaces, namespace)
	s.awaitApp("app", running("here"))
	s.takeDown("app")
}
