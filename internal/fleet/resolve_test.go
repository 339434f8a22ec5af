package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

func TestManifestsAreResolved(t *testing.T) {
	b := newBench(t)
	objects := b.resolve(b.owner, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: SPACE}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: null, labels: null}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: web, namespace: SPACE}
---
apiVersion: v1
kind: Namespace
metadata: {name: web, namespace: SPACE}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: SPACE}
`)
	for i, want := range []string{
		"apps/v1 Deployment default/web 3", "rbac.authorization.k8s.io/v1 RoleBinding SPACE/web 2", "/v1 Service default/web 1",
		"rbac.authorization.k8s.io/v1 ClusterRole web 1", "/v1 Namespace web 0",
		"autoscaling/v2 HorizontalPodAutoscaler SPACE/web 3",
	} {
		o := objects[i]
		got := fmt.Sprintf("%s/%s %s %d", o.Entry.Group, o.Entry.Version, o.Key(), o.Entry.Wave)
		if want := strings.ReplaceAll(want, "SPACE", b.space); got != want || o.Index != i || o.Entry.Cluster != b.Identity() {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestManifestsThatAreNotResolved(t *testing.T) {
	b := newBench(t)
	good := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n"
	for name, c := range map[string]struct {
		manifest string
		code     api.ReasonCode
		says     string
	}{
		"a kind that no group has": {
			good + "apiVersion: v1\nkind: Gadget\nmetadata: {name: a}", api.UnsupportedResource,
			"the cluster does not know the kind Gadget of v1 (index 1 of the manifest)",
		},
		"a group that is not there": {
			"apiVersion: example.org/v1\nkind: Deployment\nmetadata: {name: a}", api.UnsupportedResource, "index 0",
		},
		"a version that is not served": {
			"apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}", api.UnsupportedResource, "apps/v1beta1",
		},
		"a list":               {"apiVersion: v1\nkind: List\nmetadata: {name: a}\nitems: []", api.InvalidResource, "it is a list"},
		"no apiVersion":        {good + "kind: ConfigMap\nmetadata: {name: a}", api.InvalidResource, "index 1 of the manifest is not valid: it has no apiVersion"},
		"no kind":              {"apiVersion: v1\nmetadata: {name: a}", api.InvalidResource, "it has no kind"},
		"no name":              {"apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: a}", api.InvalidResource, "it has no name"},
		"no metadata":          {"apiVersion: v1\nkind: ConfigMap\nmetadata: a", api.InvalidResource, "it has no metadata"},
		"a namespace of ten":   {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: 10}", api.InvalidResource, "namespace is no text"},
		"a label of one":       {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {b: 1}}", api.InvalidResource, "the value of b is no text"},
		"a list of labels":     {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: [b]}", api.InvalidResource, "labels is no mapping"},
		"a strange apiVersion": {"apiVersion: a/b/c\nkind: ConfigMap\nmetadata: {name: a}", api.InvalidResource, "more than one slash"},
		"the same object twice, once by default": {
			good + "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}", api.InvalidResource,
			"ConfigMap default/a is at index 0 already",
		},
		"the same object in two versions": {
			"apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n---\n" +
				"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}", api.InvalidResource, "already",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.Resolve(b.ctx, Wish{Manifest: manifest(t, c.manifest)}, b.owner)
			if err == nil || Reason(err).Code != c.code || !Final(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestAKindThatComesLaterIsFound(t *testing.T) {
	b := newBench(t)
	group := b.space + ".example.org"
	thing := "apiVersion: " + group + "/v1\nkind: Thing\nmetadata: {name: a}"
	if _, err := b.Resolve(b.ctx, Wish{Manifest: manifest(t, thing)}, b.owner); Reason(err).Code != api.UnsupportedResource {
		t.Fatalf("before: %v", err)
	}
	second := *b
	second.Member = b.aside()
	second.apply(second.resolve(someOwner("setup"), `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.`+group+`}
spec:
  group: `+group+`
  scope: Namespaced
  names: {kind: Thing, plural: things, singular: thing, listKind: ThingList}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
`)[0])
	b.eventually("the kind being found", func() bool {
		_, err := b.Resolve(b.ctx, Wish{Manifest: manifest(t, thing)}, b.owner)
		return err == nil
	})
}

// aside is a second connection to the same cluster, which shares nothing with the first.
func (b *bench) aside() *Member {
	b.Helper()
	f := New(Options{})
	b.Cleanup(f.Close)
	m, err := f.Member(b.ctx, b.cluster.Kubeconfig(b))
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func TestAGroupWhoseServerIsDownIsNotUnsupported(t *testing.T) {
	b := newBench(t)
	group := b.space + ".example.org"
	service := b.resolve(b.owner, `
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.`+group+`}
spec: {group: `+group+`, version: v1, groupPriorityMinimum: 1, versionPriority: 1, insecureSkipTLSVerify: true, service: {name: none, namespace: SPACE}}
`)[0]
	service.Entry = b.apply(service).Entry
	defer b.delete(service, b.owner.UID)
	thing := manifest(t, "apiVersion: "+group+"/v1\nkind: Thing\nmetadata: {name: a}")
	b.eventually("the group being unknown, not missing", func() bool {
		_, err := b.Resolve(b.ctx, Wish{Manifest: thing}, b.owner)
		var transient *TransientError
		return errors.As(err, &transient)
	})
	entry := api.InventoryObject{Cluster: b.Identity(), Group: group, Version: "v1", Kind: "Thing", Name: "a", Namespace: b.space}
	if gone, err := b.Delete(b.ctx, entry, b.owner.UID, Itself); gone || err == nil || Final(err) {
		t.Errorf("Delete = %t, %v", gone, err)
	}
	b.resolve(b.owner, configMap)
}

func TestObjectsReadFromAClusterCanBeApplied(t *testing.T) {
	b := newBench(t)
	live := b.apply(b.resolve(someOwner("first"), deployment)[0]).Live
	elsewhere := live.DeepCopy()
	elsewhere.SetName("copy")
	objects, err := b.Resolve(b.ctx, Wish{Manifest: api.Manifest{elsewhere.Object}}, b.owner)
	if err != nil {
		t.Fatal(err)
	}
	if a := b.apply(objects[0]); a.Outcome != Created || a.Live.GetUID() == live.GetUID() {
		t.Errorf("applied: %+v", a)
	}
}

func TestTheManifestItselfStaysAsItIs(t *testing.T) {
	b := newBench(t)
	given := b.manifest("apiVersion: v1\nkind: Secret\nmetadata: {name: a, uid: x, labels: {b: c}}\nstringData: {d: e}")
	before, _ := json.Marshal(given)
	objects, err := b.Resolve(b.ctx, Wish{Manifest: given}, b.owner)
	if err != nil {
		t.Fatal(err)
	}
	objects[0].form.SetName("other")
	if after, _ := json.Marshal(given); string(after) != string(before) {
		t.Errorf("%s\nbecame\n%s", before, after)
	}
}
