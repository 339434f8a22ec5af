//go:build crash

package crash

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
)

const (
	krakeNamespace = "crash"   // of the applications in Krake
	kubeNamespace  = "default" // of their objects on the clusters
)

// life is what an application goes through. It depends on the seed and the number of the application alone.
type life struct {
	name      string
	strategy  api.MigrationStrategy
	revisions []revision // one after the other, the first one when it is created
	force     bool       // the record is removed at once in the end, and its objects become leftovers
}

// revision is one version of what is asked for.
type revision struct {
	number   int64 // from 1
	image    string
	replicas int64
	site     string        // the label of the cluster that it has to run on
	extras   bool          // whether there are two more objects
	hasty    bool          // the next step does not wait until this one is done
	pause    time.Duration // before the next step
}

// newLife draws a life. Every application moves from a to b at most once and never back, and an object that was dropped
// from its manifest does not return: so whatever is made a second time is a mistake.
func newLife(seed uint64, number int) life {
	dice := rand.New(rand.NewPCG(seed, uint64(number)))
	l := life{name: fmt.Sprintf("app-%04d", number), strategy: api.MigrateAuto, force: dice.IntN(8) == 0}
	if dice.IntN(3) == 0 {
		l.strategy = api.MigrateDeleteFirst
	}
	now := revision{image: "web:1", replicas: 1 + dice.Int64N(2), site: "a", extras: dice.IntN(2) == 0}
	if dice.IntN(6) == 0 {
		now.site = "b"
	}
	steps := 2 + dice.IntN(3)
	moves := dice.IntN(steps)
	for i := range steps {
		if i > 0 {
			now.change(dice, i)
		}
		if i == moves && i > 0 {
			now.site = "b"
		}
		now.number = int64(i + 1)
		now.hasty = dice.IntN(3) == 0
		now.pause = time.Duration(dice.IntN(400)) * time.Millisecond
		l.revisions = append(l.revisions, now)
	}
	return l
}

// change draws what differs in the next revision.
func (r *revision) change(dice *rand.Rand, step int) {
	switch dice.IntN(3) {
	case 0:
		r.image = fmt.Sprintf("web:%d", step+1)
	case 1:
		r.replicas = 1 + (r.replicas % 3)
	default:
		r.extras = false
	}
}

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
	site, err := constraint.NewLabel("site", constraint.LabelEqual, r.site)
	if err != nil {
		panic(err)
	}
	spec.Constraints.Cluster.Labels = []constraint.Label{site}
	return spec
}

func (l life) manifest(r revision) api.Manifest {
	labels := map[string]any{"app": l.name}
	m := api.Manifest{
		l.object("v1", "ConfigMap", l.configName(), "data", map[string]any{"revision": fmt.Sprint(r.number)}),
		l.object("apps/v1", "Deployment", l.name, "spec", map[string]any{
			"replicas": r.replicas,
			"selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{
				"metadata": map[string]any{"labels": labels},
				"spec": map[string]any{"containers": []any{
					map[string]any{"name": "web", "image": r.image},
				}},
			},
		}),
		l.object("v1", "Service", l.name, "spec", map[string]any{
			"type": "NodePort", "selector": labels,
			"ports": []any{map[string]any{"port": int64(80), "protocol": "TCP", "targetPort": int64(8080)}},
		}),
	}
	if r.extras {
		m = append(m,
			l.object("v1", "ConfigMap", l.name+"-extra", "data", map[string]any{"for": "a while"}),
			l.object("v1", "Secret", l.name+"-extra", "stringData", map[string]any{"for": "a while"}),
		)
	}
	return m
}

func (l life) configName() string { return l.name + "-config" }

func (l life) object(version, kind, name, field string, content any) map[string]any {
	return map[string]any{
		"apiVersion": version, "kind": kind,
		"metadata": map[string]any{"name": name, "namespace": kubeNamespace},
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
