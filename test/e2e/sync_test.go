package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
)

var (
	mutatingPolicies   = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicies"}
	mutatingBindings   = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicybindings"}
	validatingPolicies = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"}
	validatingBindings = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"}
)

const paint = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: SPACE}
data: {colour: blue}
`

// inSync holds when the condition InSync is so, with this reason, and speaks of all of these words.
func inSync(status api.ConditionStatus, reason string, words ...string) fact {
	return all(condition(api.InSync, status, reason, words...), func(a *api.Application) error {
		if seen := a.Status.Conditions.Get(api.InSync).ObservedGeneration; seen != a.Metadata.Generation {
			return fmt.Errorf("in sync is said of generation %d, not of %d", seen, a.Metadata.Generation)
		}
		return nil
	})
}

// synced holds when everything is as it was asked for.
func synced(a *api.Application) error { return inSync(api.True, "Synced")(a) }

// resources reads how the objects of an application are doing, by their kinds.
func (s *scene) resources(name string) map[string]api.ResourceReport {
	s.Helper()
	var part api.Resources
	if _, err := s.apps.GetPart(s.Context(), s.app(name), api.ResourcesPart, &part); err != nil {
		s.Fatal(err)
	}
	out := map[string]api.ResourceReport{}
	for _, r := range part.Objects {
		out[r.Kind] = r
	}
	return out
}

// opponent changes an object again each time that it is changed back, until the test ends it.
func (s *scene) opponent(on *site, kind schema.GroupVersionResource, name, change string) (end func()) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	events, err := on.admin.Resource(kind).Namespace(s.space).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		s.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range events.ResultChan() {
			_, _ = on.change(kind, s.space, name, change) // one that changes nothing is no event
		}
	}()
	return func() { cancel(); events.Stop(); <-ended }
}

// What is changed again after every repair is told as a fight, is repaired less and less often, and is no matter of the
// state.
func TestAFightOverAFieldIsToldAndFoughtSlowly(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("web", "", web)
	s.awaitApp("web", running("here"), healthy, synced)

	end := s.opponent(berlin, deployments, "web", `{"spec": {"replicas": 2}}`)
	a := s.awaitApp("web", inSync(api.False, "Contested", "Deployment "+s.space+"/web on here", "spec.replicas", "changed by admin",
		"put right 3 times, and undone each time", "since 20"))
	if a.Status.State != api.AppRunning && a.Status.State != api.AppDegraded { // the pods come and go
		t.Errorf("it is %s", a.Status.State)
	}
	r := s.resources("web")["Deployment"]
	if r.InSync != api.False || r.Reason != "Contested" || !slices.Equal(r.Fields, []string{"spec.replicas"}) ||
		!slices.Equal(r.Managers, []string{"admin"}) || r.Since == nil || r.Repairs < 3 || r.Repaired == nil || r.Cluster != "here" {
		t.Errorf("the deployment: %+v", r)
	}
	if other := s.resources("web")["Service"]; other.InSync != api.True || other.Since != nil || other.Health != "Current" {
		t.Errorf("the service: %+v", other)
	}
	end()
	s.awaitApp("web", running("here"), healthy, synced)
	if r := s.resources("web")["Deployment"]; r.InSync != api.True || r.Repairs != 0 || len(r.Fields) > 0 {
		t.Errorf("after the fight: %+v", r)
	}
}

// A cluster that gives a field another value as it is applied leaves the field to us by name only.
func TestWhatTheClusterChangesAsItIsAppliedIsNotInSync(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.policy(berlin, mutatingPolicies, mutatingBindings, `
  reinvocationPolicy: Never
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration: {expression: 'Object{data: {"colour": "red"}}'}
`)
	s.awaitPolicy(berlin, "red")
	s.create("settings", "", paint)
	s.awaitApp("settings", ranOn("here"), inSync(api.False, "Contested", "data.colour", "another value"))
	if r := s.resources("settings")["ConfigMap"]; r.Health != "Current" || len(r.Managers) > 0 {
		t.Errorf("the settings: %+v", r)
	}
	s.unpolicy(berlin, mutatingPolicies, mutatingBindings)
	s.awaitApp("settings", running("here"), synced)
	if colour := at(berlin.get(s, configMaps, s.space, "settings"), "data", "colour"); colour != "blue" {
		t.Errorf("the colour is %v", colour)
	}
}

// policy has the cluster treat ConfigMaps of the scene's namespace in a special way.
func (s *scene) policy(on *site, policies, bindings schema.GroupVersionResource, spec string) {
	s.Helper()
	kind, binding := "MutatingAdmissionPolicy", ""
	if policies == validatingPolicies {
		kind, binding = "ValidatingAdmissionPolicy", "\n  validationActions: [Deny]"
	}
	s.Cleanup(func() { s.unpolicy(on, policies, bindings) })
	on.create(s, policies, `
apiVersion: admissionregistration.k8s.io/v1
kind: `+kind+`
metadata: {name: `+s.space+`}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: `+s.space+`}}
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}]`+spec)
	on.create(s, bindings, `
apiVersion: admissionregistration.k8s.io/v1
kind: `+kind+`Binding
metadata: {name: `+s.space+`}
spec:
  policyName: `+s.space+binding)
}

func (s *scene) unpolicy(on *site, policies, bindings schema.GroupVersionResource) {
	s.Helper()
	on.remove(s, bindings, "", s.space)
	on.remove(s, policies, "", s.space)
}

// awaitPolicy waits until the cluster heeds a policy by which ConfigMaps that are to be blue become of this colour, or are
// refused if it is empty.
func (s *scene) awaitPolicy(on *site, colour string) {
	s.Helper()
	on.create(s, configMaps, strings.NewReplacer("SPACE", s.space, "settings", "probe", "blue", "green").Replace(paint))
	s.await("the policy", func() error {
		o, err := on.change(configMaps, s.space, "probe", `{"data": {"colour": "blue"}}`)
		if got := at(o, "data", "colour"); colour == "" && err == nil || err == nil && got != colour {
			return fmt.Errorf("the probe is %v", got)
		}
		return nil
	})
}

// A repair that the cluster refuses is told with what the cluster says.
func TestARepairThatIsRefusedIsTold(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("settings", "", paint)
	s.awaitApp("settings", running("here"), synced)
	s.policy(berlin, validatingPolicies, validatingBindings, `
  validations: [{expression: "object.data.colour != 'blue'", message: blue is out of fashion}]
`)
	s.awaitPolicy(berlin, "")
	berlin.patch(s, configMaps, s.space, "settings", `{"data": {"colour": "red"}}`)
	s.awaitApp("settings", refusedWith(api.KubernetesError, "blue is out of fashion"),
		inSync(api.False, "Drifted", "ConfigMap "+s.space+"/settings on here differs in data.colour", "changed by admin", "cannot be put right", "blue is out of fashion"))
	if r := s.resources("settings")["ConfigMap"]; r.Health != "Current" || !strings.Contains(r.Failure, "blue is out of fashion") || r.Repairs != 0 {
		t.Errorf("the settings: %+v", r)
	}
	s.unpolicy(berlin, validatingPolicies, validatingBindings)
	s.awaitApp("settings", running("here"), synced)
}

// What has left the manifest and does not go is in the way of being in sync, and so is what is missing.
func TestWhatHasStillToGoIsNotInSync(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("here", berlin)
	s.create("web", "", web+"\n---\n"+paint)
	s.awaitApp("web", running("here"), healthy, synced)
	berlin.patch(s, configMaps, s.space, "settings", `{"metadata": {"finalizers": ["example.org/slow"]}}`)
	s.edit("web", func(a *api.Application) { a.Spec.Manifest = a.Spec.Manifest[:2] })
	s.awaitApp("web", running("here"), healthy, inSync(api.False, "Surplus", "ConfigMap "+s.space+"/settings on here has still to be removed"))
	s.await("the settings to be told of as going", func() error {
		if r := s.resources("web")["ConfigMap"]; r.Reason != "Surplus" || r.Health != "Terminating" {
			return fmt.Errorf("they are %+v", r)
		}
		return nil
	})
	s.awaitApp("web", running("here"), healthy) // that something old is going is no matter of health
	berlin.patch(s, configMaps, s.space, "settings", `{"metadata": {"finalizers": null}}`)
	s.awaitApp("web", running("here"), synced)
	if r, there := s.resources("web")["ConfigMap"]; there {
		t.Errorf("the settings: %+v", r)
	}
}

// Of a cluster that does not answer it is not known what it holds.
func TestOfAClusterThatIsAwayNothingIsKnown(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	line := s.away("there", berlin, web)
	s.awaitApp("web", running("there"), healthy, synced)
	line.cut()
	a := s.awaitApp("web", inSync(api.Unknown, "Unseen"))
	if a.Status.State != api.AppRunning {
		t.Errorf("it is %s", a.Status.State)
	}
	for kind, r := range s.resources("web") {
		if r.InSync != api.Unknown || r.Health != "Unknown" {
			t.Errorf("%s: %+v", kind, r)
		}
	}
	line.mend(t)
	s.awaitApp("web", running("there"), healthy, synced)
}
