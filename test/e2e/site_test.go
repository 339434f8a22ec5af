package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

// site is a cluster as its administrator sees it: past Krake, and past every line that a test cuts.
type site struct {
	*kubelabtest.Cluster
	admin dynamic.Interface
}

// The kinds that tests look at.
var (
	namespaces   = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	configMaps   = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	pods         = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	nodes        = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
	quotas       = schema.GroupVersionResource{Version: "v1", Resource: "resourcequotas"}
	services     = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	deployments  = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	statefulSets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}
	definitions  = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

// sites returns running clusters.
func sites(t testing.TB, names ...string) []*site {
	t.Helper()
	out := make([]*site, len(names))
	for i, c := range kubelabtest.Clusters(t, names...) {
		config, err := clientcmd.BuildConfigFromFlags("", c.Path)
		if err != nil {
			t.Fatal(err)
		}
		config.QPS = -1
		admin, err := dynamic.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = &site{c, admin}
	}
	return out
}

// find returns a live object, nil when there is none. The namespace of cluster-wide objects is empty.
func (s *site) find(t testing.TB, kind schema.GroupVersionResource, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	o, err := s.look(kind, namespace, name)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// look is find for those who can wait.
func (s *site) look(kind schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	o, err := s.admin.Resource(kind).Namespace(namespace).Get(context.Background(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return o, nil
}

// marked names the objects of a kind in a namespace that carry an application's label.
func (s *site) marked(t testing.TB, kind schema.GroupVersionResource, namespace string) []string {
	t.Helper()
	list, err := s.admin.Resource(kind).Namespace(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: fleet.AppUIDLabel})
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	var names []string
	for _, o := range list.Items {
		names = append(names, o.GetName())
	}
	return names
}

// get returns a live object, which must exist.
func (s *site) get(t testing.TB, kind schema.GroupVersionResource, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	o := s.find(t, kind, namespace, name)
	if o == nil {
		t.Fatalf("%s: there is no %s %s/%s", s.Name, kind.Resource, namespace, name)
	}
	return o
}

// create makes an object as the administrator.
func (s *site) create(t testing.TB, kind schema.GroupVersionResource, document string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{Object: objects(t, document)[0]}
	made, err := s.admin.Resource(kind).Namespace(o.GetNamespace()).Create(t.Context(), o, metav1.CreateOptions{FieldManager: "admin"})
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return made
}

// patch changes an object as the administrator.
func (s *site) patch(t testing.TB, kind schema.GroupVersionResource, namespace, name, change string) *unstructured.Unstructured {
	t.Helper()
	o, err := s.change(kind, namespace, name, change)
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return o
}

// change is patch for what need not be there.
func (s *site) change(kind schema.GroupVersionResource, namespace, name, change string) (*unstructured.Unstructured, error) {
	return s.admin.Resource(kind).Namespace(namespace).Patch(context.Background(), name, types.MergePatchType, []byte(change),
		metav1.PatchOptions{FieldManager: "admin"})
}

// remove deletes an object as the administrator. It need not be gone when this returns.
func (s *site) remove(t testing.TB, kind schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	background := metav1.DeletePropagationBackground
	err := s.admin.Resource(kind).Namespace(namespace).Delete(context.Background(), name, metav1.DeleteOptions{PropagationPolicy: &background})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatalf("%s: %v", s.Name, err)
	}
}

// objects reads YAML documents.
func objects(t testing.TB, documents string) api.Manifest {
	t.Helper()
	var out api.Manifest
	for _, document := range strings.Split(documents, "\n---\n") {
		content, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if err := json.Unmarshal(content, &object); err != nil {
			t.Fatal(err)
		}
		out = append(out, wholeNumbers(object).(map[string]any))
	}
	return out
}

// wholeNumbers makes integers of numbers that are, as the Kubernetes libraries want them.
func wholeNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = wholeNumbers(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = wholeNumbers(inner)
		}
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return v
}

// at returns what a live object has at a path, nil for nothing.
func at(o *unstructured.Unstructured, path ...string) any {
	if o == nil {
		return nil
	}
	v, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	return v
}
