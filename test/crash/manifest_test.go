//go:build crash

package crash

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
)

const (
	krakeNamespace = "crash"   // of the applications in Krake
	kubeNamespace  = "default" // of their objects on the clusters
)

// shape is a kind of application.
type shape struct {
	name     string
	workload schema.GroupVersionKind
	once     bool // two copies would harm, as Krake is to see by itself
	state    api.ApplicationState
}

var (
	web     = &shape{name: "web", workload: deployments, state: api.AppRunning}
	store   = &shape{name: "store", workload: statefulSets, state: api.AppRunning, once: true}
	task    = &shape{name: "task", workload: jobs, state: api.AppCompleted, once: true}
	settler = &shape{name: "settler", workload: deployments, state: api.AppRunning} // brings a namespace of its own
	picky   = &shape{name: "picky", workload: deployments, state: api.AppRunning}   // is observed by a schema of its own
	guest   = &shape{name: "guest", workload: deployments, state: api.AppRunning}   // begins on a record of a that is there for it alone
)

// turns says which shape each application has, by the last figure of its number.
var turns = []*shape{web, web, picky, store, web, task, web, settler, web, guest}

const (
	podLabel = "app"                  // of pods: the name of their application
	starting = "crash.test/starting"  // a gate of pods that take their time to start
	ending   = "crash.test/is-ending" // a finalizer of pods that take their time to end
)

// application gives the form in which a revision is sent.
func (l life) application(r revision) *api.Application {
	a := api.New[api.Application]()
	namespace := krakeNamespace
	a.Metadata.Name, a.Metadata.Namespace = l.name, &namespace
	a.Spec = l.spec(r)
	return a
}

func (l life) spec(r revision) api.ApplicationSpec {
	spec := api.New[api.Application]().Spec
	spec.Manifest = l.manifest(r)
	spec.MigrationStrategy = l.strategy
	if l.shape == picky {
		spec.ObserverSchema = l.schema()
	}
	site, err := constraint.NewLabel("site", constraint.LabelEqual, r.site)
	if err != nil {
		panic(err)
	}
	spec.Constraints.Cluster.Labels = []constraint.Label{site}
	return spec
}

// schema observes of the workload what revisions change, and leaves the rest to others.
func (l life) schema() []map[string]any {
	one := map[string]any{"observer_schema_list_min_length": int64(1), "observer_schema_list_max_length": int64(1)}
	return []map[string]any{{
		"apiVersion": l.shape.workload.GroupVersion().String(), "kind": l.shape.workload.Kind, "metadata": map[string]any{"name": l.name},
		"spec": map[string]any{"replicas": nil, "template": map[string]any{"spec": map[string]any{
			"containers": []any{map[string]any{"image": nil}, one}}}},
	}}
}

func (l life) manifest(r revision) api.Manifest {
	var m api.Manifest
	if l.shape == settler {
		m = append(m, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": l.name}})
	}
	m = append(m,
		l.object("v1", "ConfigMap", l.configName(), "data", map[string]any{"revision": fmt.Sprint(r.number)}),
		l.object(l.shape.workload.GroupVersion().String(), l.shape.workload.Kind, l.name, "spec", l.workload(r)),
		l.object("v1", "Service", l.name, "spec", map[string]any{
			"type": "NodePort", "selector": map[string]any{podLabel: l.name},
			"ports": []any{map[string]any{"port": int64(80), "protocol": "TCP", "targetPort": int64(8080)}},
		}),
	)
	if r.extras {
		m = append(m,
			l.object("v1", "ConfigMap", l.name+"-extra", "data", map[string]any{"for": "a while"}),
			l.object("v1", "Secret", l.name+"-extra", "stringData", map[string]any{"for": "a while"}),
		)
	}
	return m
}

// workload is the specification of what has pods.
func (l life) workload(r revision) map[string]any {
	if l.shape == task { // of which hardly anything can be changed
		return map[string]any{"template": l.pods(map[string]any{"restartPolicy": "Never"}, "web:1")}
	}
	spec := map[string]any{
		"replicas": r.replicas,
		"selector": map[string]any{"matchLabels": map[string]any{podLabel: l.name}},
		"template": l.pods(map[string]any{}, r.image),
	}
	if l.shape == store {
		spec["serviceName"], spec["podManagementPolicy"] = l.name, "Parallel"
	}
	return spec
}

// pods is the template of pods. Those of applications that move are held, so that a mistake shows.
func (l life) pods(spec map[string]any, image string) map[string]any {
	metadata := map[string]any{"labels": map[string]any{podLabel: l.name}}
	spec["containers"] = []any{map[string]any{"name": "web", "image": image}}
	switch {
	case l.slow == 0:
	case l.stopsFirst():
		metadata["finalizers"] = []any{ending}
	default:
		spec["schedulingGates"] = []any{map[string]any{"name": starting}}
	}
	return map[string]any{"metadata": metadata, "spec": spec}
}

func (l life) configName() string { return l.name + "-config" }

// namespace is where the objects are on the clusters.
func (l life) namespace() string {
	if l.shape == settler {
		return l.name
	}
	return kubeNamespace
}

func (l life) object(version, kind, name, field string, content any) map[string]any {
	return map[string]any{
		"apiVersion": version, "kind": kind,
		"metadata": map[string]any{"name": name, "namespace": l.namespace()},
		field:      content,
	}
}

// revisionOf reads from an application which revision it is.
func (l life) revisionOf(a *api.Application) (revision, error) {
	for _, o := range a.Spec.Manifest {
		if o["kind"] != "ConfigMap" {
			continue
		}
		data, _ := o["data"].(map[string]any)
		for _, r := range l.revisions {
			if data["revision"] == fmt.Sprint(r.number) {
				return r, nil
			}
		}
	}
	return revision{}, fmt.Errorf("%s has a manifest that nobody sent", l.name)
}
