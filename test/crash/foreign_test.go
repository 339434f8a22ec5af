//go:build crash

package crash

import (
	"context"
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// foreign are objects on a cluster that no application has anything to do with, as they were before the run.
type foreign struct {
	cluster *cluster
	before  map[string]*unstructured.Unstructured // by kind and name
}

// newForeign makes the objects. Some have names that are close to those of the objects of applications, or even the
// same with another kind.
func newForeign(ctx context.Context, c *cluster) (*foreign, error) {
	f := &foreign{cluster: c, before: map[string]*unstructured.Unstructured{}}
	first, neighbour := life{name: nameOf(1), shape: web}, life{name: "neighbour", shape: web}
	objects := []map[string]any{
		first.object("v1", "ConfigMap", first.name, "data", map[string]any{"owner": "somebody else"}),
		first.object("v1", "ConfigMap", first.configName()+"s", "data", map[string]any{"owner": "somebody else"}),
		first.object("v1", "Secret", first.configName(), "stringData", map[string]any{"owner": "somebody else"}),
	}
	objects = append(objects, neighbour.manifest(revision{number: 1, image: "neighbour:1", replicas: 1, extras: true})...)
	for _, o := range objects {
		object := &unstructured.Unstructured{Object: o}
		if _, err := f.resource(object).Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return nil, err
		}
	}
	for _, o := range objects {
		object := &unstructured.Unstructured{Object: o}
		quiet, err := f.quiet(ctx, object)
		if err != nil {
			return nil, err
		}
		f.before[object.GetKind()+"/"+object.GetName()] = quiet
	}
	return f, nil
}

// quiet reads an object once its cluster has nothing to do with it any more.
func (f *foreign) quiet(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	deadline := time.Now().Add(time.Minute)
	for {
		live, err := f.read(ctx, o)
		if err != nil || live.GetKind() != "Deployment" {
			return live, err
		}
		available, _, _ := unstructured.NestedInt64(live.Object, "status", "availableReplicas")
		if available == 1 {
			return live, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("the Deployment %s on %s is not available within a minute", o.GetName(), f.cluster.site)
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// touched says which of the objects are not what they were.
func (f *foreign) touched(ctx context.Context) error {
	for key, before := range f.before {
		now, err := f.read(ctx, before)
		if err != nil {
			return fmt.Errorf("%s on %s, which is not Krake's: %w", key, f.cluster.site, err)
		}
		if diff := cmp.Diff(lasting(before).Object, lasting(now).Object); diff != "" {
			return fmt.Errorf("%s on %s, which is not Krake's, has changed:\n%s", key, f.cluster.site, diff)
		}
	}
	return nil
}

// lasting is the part of an object that changes only if somebody changes it. A cluster itself writes to a Deployment:
// its status, and thereby the version and the managed fields.
func lasting(o *unstructured.Unstructured) *unstructured.Unstructured {
	if o.GetKind() != "Deployment" {
		return o
	}
	o = o.DeepCopy()
	delete(o.Object, "status")
	o.SetResourceVersion("")
	o.SetManagedFields(nil)
	return o
}

func (f *foreign) resource(o *unstructured.Unstructured) dynamic.ResourceInterface {
	return f.cluster.client.Resource(resourceOf(o.GroupVersionKind())).Namespace(kubeNamespace)
}

func (f *foreign) read(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return f.resource(o).Get(ctx, o.GetName(), metav1.GetOptions{})
}
