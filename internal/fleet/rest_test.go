package fleet

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestWhenAWorkloadIsAtRest(t *testing.T) {
	deployment, daemonSet := schema.GroupKind{Group: "apps", Kind: "Deployment"}, daemonSetKind
	for name, c := range map[string]struct {
		kind schema.GroupKind
		live string
		want bool
	}{
		"a new Deployment": {deployment, `{"metadata": {"generation": 1}, "spec": {"replicas": 1}}`, false},
		"one that has never been seen, and wants none":     {deployment, `{"metadata": {"generation": 1}, "spec": {"replicas": 0}}`, false},
		"one whose controller knows an older number":       {deployment, `{"metadata": {"generation": 2}, "spec": {"replicas": 0}, "status": {"observedGeneration": 1}}`, false},
		"one whose pods are still there":                   {deployment, `{"metadata": {"generation": 2}, "spec": {"replicas": 0}, "status": {"observedGeneration": 2, "replicas": 1}}`, false},
		"one that was scaled up again":                     {deployment, `{"metadata": {"generation": 3}, "spec": {"replicas": 1}, "status": {"observedGeneration": 3}}`, false},
		"one without a number, which is one":               {deployment, `{"metadata": {"generation": 3}, "spec": {}, "status": {"observedGeneration": 3}}`, false},
		"one that has heard and has none":                  {deployment, `{"metadata": {"generation": 2}, "spec": {"replicas": 0}, "status": {"observedGeneration": 2}}`, true},
		"a new Job":                                        {jobKind, `{"metadata": {"generation": 1}, "spec": {"suspend": false}}`, false},
		"one that is suspended, which nobody has heard":    {jobKind, `{"spec": {"suspend": true}, "status": {}}`, false},
		"one that is suspended and still has a pod":        {jobKind, `{"spec": {"suspend": true}, "status": {"active": 1, "conditions": [{"type": "Suspended", "status": "True"}]}}`, false},
		"one that was suspended before, and goes on":       {jobKind, `{"spec": {"suspend": false}, "status": {"conditions": [{"type": "Suspended", "status": "True"}]}}`, false},
		"one that is suspended":                            {jobKind, `{"spec": {"suspend": true}, "status": {"conditions": [{"type": "Suspended", "status": "True"}]}}`, true},
		"one that is over":                                 {jobKind, `{"spec": {}, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}`, true},
		"one that has failed":                              {jobKind, `{"spec": {}, "status": {"conditions": [{"type": "Failed", "status": "True"}]}}`, true},
		"a new StatefulSet":                                {statefulSetKind, `{"metadata": {"generation": 1}, "spec": {"replicas": 3}}`, false},
		"one that was seen, whose pods go with it":         {statefulSetKind, `{"metadata": {"generation": 1}, "spec": {"replicas": 3}, "status": {"observedGeneration": 1, "replicas": 3}}`, true},
		"a DaemonSet that was seen, whose pods go with it": {daemonSet, `{"metadata": {"generation": 1}, "status": {"observedGeneration": 1, "currentNumberScheduled": 3}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			live := &unstructured.Unstructured{}
			if err := live.UnmarshalJSON([]byte(strings.Replace(c.live, "{", `{"apiVersion": "v1", "kind": "K", `, 1))); err != nil {
				t.Fatal(err)
			}
			q, known := quietOf(c.kind)
			if got := known && q.reached(live.Object); got != c.want {
				t.Errorf("at rest: %t", got)
			}
		})
	}
	for _, kind := range []schema.GroupKind{podKind, secretKind, {Kind: "PersistentVolumeClaim"}, {Group: "batch", Kind: "CronJob"}, {Group: "example.org", Kind: "Deployment"}} {
		if _, known := quietOf(kind); known {
			t.Errorf("%s is brought to rest", kind)
		}
	}
}

// However soon after its creation a workload is removed, that is not before its controller has said that there are no
// pods, and none come after it.
func TestAWorkloadIsBroughtToRestBeforeItIsRemoved(t *testing.T) {
	for name, manifest := range map[string]string{
		"a Deployment": `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: SPACE}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: i}]}
`,
		"a Job": `
apiVersion: batch/v1
kind: Job
metadata: {name: web, namespace: SPACE}
spec:
  template:
    metadata: {labels: {app: web}}
    spec: {restartPolicy: Never, containers: [{name: c, image: i}]}
`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			o := b.resolve(b.owner, manifest)[0]
			o.Entry = b.apply(o).Entry
			q, _ := quietOf(o.form.GroupVersionKind().GroupKind())
			watch, err := b.observer.dynamic.Resource(o.resource).Namespace(b.space).Watch(b.ctx, listAll)
			if err != nil {
				t.Fatal(err)
			}
			defer watch.Stop()
			b.eventually("its end", func() bool {
				gone, err := b.Delete(b.ctx, o.Entry, b.owner.UID, AndItsOwn)
				if err != nil {
					t.Fatal(err)
				}
				return gone
			})
			for e := range watch.ResultChan() {
				if last, ok := e.Object.(*unstructured.Unstructured); ok && e.Type == "DELETED" {
					if !q.reached(last.Object) {
						status, _ := json.Marshal(last.Object["status"])
						t.Errorf("it was removed while it wanted %v and had %s", last.Object["spec"], status)
					}
					break
				}
			}
			list, err := b.observer.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(b.space).List(b.ctx, listAll)
			if err != nil || len(list.Items) > 0 {
				t.Errorf("%d pods are left; %v", len(list.Items), err)
			}
		})
	}
}
