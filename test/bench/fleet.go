package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

const (
	fleetApplications = 500
	drifts            = 60
	idleFor           = 30 * time.Second
)

var (
	benchDeployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	benchServices    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
)

// measureFleet measures many applications on one cluster: what they cost while nothing happens, and how soon a change by
// somebody else is undone.
func measureFleet(ctx context.Context) error {
	l, err := newLab(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	cluster, err := plainClient(l.kubeconfigs[0])
	if err != nil {
		return err
	}
	title(fmt.Sprintf("%d applications, each a Deployment and a Service, on one cluster", fleetApplications))
	header("what", "value")
	before := heap()
	if _, err := deployMany(ctx, l.apps, "a"); err != nil {
		return err
	}
	time.Sleep(5 * time.Second)
	row("memory for each thousand objects: API, database, controllers, informers", fmt.Sprintf("%.1f MB", (heap()-before)/2/fleetApplications*1000/1e6))
	l.members.take()
	l.api.take()
	time.Sleep(idleFor)
	row("requests per minute to both clusters while nothing happens", perMinute(l.members.take()))
	row("requests per minute to Krake's API", perMinute(l.api.take()))
	undone, err := l.drift(ctx, cluster)
	if err != nil {
		return err
	}
	row("from a change by somebody else until it is undone", fmt.Sprintf("p50 %s, p99 %s", ms(undone.at(0.5)), ms(undone.at(0.99))))
	return nil
}

// heap is what is in use in this process, after a collection.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func perMinute(counts map[string]int) string {
	out := ""
	for _, what := range []string{"GET", "PATCH", "PUT", "POST", "DELETE", "watch"} {
		if n := counts[what]; n > 0 {
			out += fmt.Sprintf("%s %.0f, ", what, float64(n)*time.Minute.Seconds()/idleFor.Seconds())
		}
	}
	if out == "" {
		return "none"
	}
	return out[:len(out)-2]
}

// drift changes objects behind Krake's back, one after the other, and times until each is as it was.
func (l *lab) drift(ctx context.Context, cluster dynamic.Interface) (samples, error) {
	var undone samples
	for i := range drifts {
		name := fmt.Sprint("fleet-", i)
		deployments := cluster.Resource(benchDeployments).Namespace("default")
		watch, err := deployments.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
		if err != nil {
			return nil, err
		}
		change := []byte(`{"spec": {"template": {"spec": {"containers": [{"name": "echo", "image": "theirs"}]}}}}`)
		started := time.Now()
		if _, err := deployments.Patch(ctx, name, types.StrategicMergePatchType, change, metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
			return nil, err
		}
		changed := false
		for e := range watch.ResultChan() {
			o, ok := e.Object.(*unstructured.Unstructured)
			if !ok {
				return nil, apierrors.FromObject(e.Object)
			}
			containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
			theirs := containers[0].(map[string]any)["image"] == "theirs"
			if changed && !theirs {
				undone = append(undone, time.Since(started))
				break
			}
			changed = changed || theirs
		}
		watch.Stop()
	}
	return undone, nil
}
