package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/client"
)

// measureLife times applications on their way to RUNNING, and counts the requests of whole lives.
func measureLife(ctx context.Context) error {
	l, err := newLab(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	if err := l.timeToRunning(ctx, 200); err != nil {
		return err
	}
	return l.requestsOfALife(ctx, 20)
}

// echo is an application of a Deployment and a Service, bound to a site.
func echo(name, site string) *api.Application {
	app := benchApplication(name)
	selector := map[string]any{"app": name}
	app.Spec.Manifest = api.Manifest{
		{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": name}, "spec": map[string]any{
			"replicas": 1, "selector": map[string]any{"matchLabels": selector}, "template": map[string]any{
				"metadata": map[string]any{"labels": selector},
				"spec": map[string]any{"containers": []any{map[string]any{
					"name": "echo", "image": "registry.k8s.io/echoserver:1.10", "ports": []any{map[string]any{"containerPort": 8080}}}}},
			}}},
		{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": name}, "spec": map[string]any{
			"type": "NodePort", "selector": selector, "ports": []any{map[string]any{"port": 8080, "protocol": "TCP"}}}},
	}
	label, err := constraint.ParseLabel("site is " + site)
	if err != nil {
		panic(err)
	}
	app.Spec.Constraints.Cluster.Labels = []constraint.Label{label}
	return app
}

// timeToRunning creates applications one by one and waits for each.
func (l *lab) timeToRunning(ctx context.Context, n int) error {
	var running, ready samples
	for i := range n {
		app := echo(fmt.Sprintf("run-%d", i), "a")
		_, version, err := l.apps.List(ctx, "bench")
		if err != nil {
			return err
		}
		started := time.Now()
		if _, err := l.apps.Create(ctx, app); err != nil {
			return err
		}
		seen := false
		err = l.follow(ctx, version, app.Metadata.Name, func(a *api.Application) bool {
			if !seen && a.Status.State == api.AppRunning {
				seen = true
				running = append(running, time.Since(started))
			}
			return seen && a.Status.Conditions.Get(api.Healthy).Status == api.True
		})
		if err != nil {
			return err
		}
		ready = append(ready, time.Since(started))
	}
	title(fmt.Sprintf("From POST to RUNNING (%d applications one by one, Deployment and Service, a cluster with kwok nodes)", n))
	header("what", "p50", "p99")
	row("POST to RUNNING: the cluster has accepted everything", ms(running.at(0.5)), ms(running.at(0.99)))
	row("POST to Healthy: the pods are ready", ms(ready.at(0.5)), ms(ready.at(0.99)))
	return nil
}

// follow watches until an application is as wanted; nil stands for its record being gone.
func (l *lab) follow(ctx context.Context, version, name string, wanted func(*api.Application) bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	reached := false
	err := l.apps.Watch(ctx, "bench", version, func(e client.Event[*api.Application]) error {
		if e.Object.Metadata.Name != name {
			return nil
		}
		app := e.Object
		if e.Type == client.Deleted {
			app = nil
		}
		if wanted(app) {
			reached = true
			cancel()
		}
		return nil
	})
	if reached {
		return nil
	}
	return fmt.Errorf("application %s did not get where it should: %w", name, err)
}

// requestsOfALife counts requests from creation over an update to removal, the waiting for the next round included.
func (l *lab) requestsOfALife(ctx context.Context, n int) error {
	time.Sleep(2 * time.Second) // what the applications before have caused is over
	l.api.take()
	l.members.take()
	started := time.Now()
	for i := range n {
		if err := l.live(ctx, fmt.Sprintf("life-%d", i)); err != nil {
			return err
		}
	}
	title(fmt.Sprintf("Requests per life of an application (created, updated, deleted; mean of %d, %s each)", n, ms(time.Since(started)/time.Duration(n))))
	header("to", "requests by method, the pollers' included")
	row("Krake's API", perLife(l.api.take(), n)+"; of these this benchmark sent POST 1, PATCH 1, DELETE 1, GET 2 and watch 3")
	row("the cluster's API", perLife(l.members.take(), n))
	return nil
}

func (l *lab) live(ctx context.Context, name string) error {
	app := echo(name, "a")
	_, version, err := l.apps.List(ctx, "bench")
	if err != nil {
		return err
	}
	if _, err := l.apps.Create(ctx, app); err != nil {
		return err
	}
	settled := func(generation int64) func(*api.Application) bool {
		return func(a *api.Application) bool {
			applied, healthy := a.Status.Conditions.Get(api.Applied), a.Status.Conditions.Get(api.Healthy)
			return applied.Status == api.True && applied.ObservedGeneration == generation &&
				healthy.Status == api.True && healthy.ObservedGeneration == generation
		}
	}
	if err := l.follow(ctx, version, name, settled(1)); err != nil {
		return err
	}
	replicas := map[string]any{"spec": map[string]any{"manifest": withReplicas(app.Spec.Manifest, 2)}}
	for {
		now, err := l.apps.Get(ctx, "bench", name)
		if err != nil {
			return err
		}
		if _, err = l.apps.Patch(ctx, now, replicas); err == nil {
			break
		} else if !client.Conflict(err) {
			return err
		}
	}
	if err := l.follow(ctx, version, name, settled(2)); err != nil {
		return err
	}
	if _, err := l.apps.Delete(ctx, "bench", name, client.DeleteOptions{}); err != nil {
		return err
	}
	return l.follow(ctx, version, name, func(a *api.Application) bool { return a == nil })
}

func withReplicas(m api.Manifest, n int) api.Manifest {
	out := slices.Clone(m)
	out[0] = maps.Clone(m[0])
	spec := maps.Clone(m[0]["spec"].(map[string]any))
	spec["replicas"] = n
	out[0]["spec"] = spec
	return out
}

func perLife(counts map[string]int, n int) string {
	var parts []string
	for _, method := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %.1f", method, float64(counts[method])/float64(n)))
	}
	return strings.Join(parts, ", ")
}
