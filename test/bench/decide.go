package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// metricsPerCluster is how many metrics each cluster of these measurements has.
const metricsPerCluster = 4

// measureDecisions times the core of the scheduler alone, on one core of the machine.
func measureDecisions(context.Context) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	title(fmt.Sprintf("Decisions, on one core, every cluster with %d metrics", metricsPerCluster))
	header("what", "clusters", "value")
	for _, n := range []int{100, 1000} {
		s := core.NewSnapshot(measuredClusters(n, 0))
		apps := placedApplications(n, n)
		row("a place for a new application", fmt.Sprint(n), micros(each(apps, func(a *api.Application) {
			fresh := *a
			fresh.Status.ScheduledTo, fresh.Status.RunningOn = nil, nil
			if d := core.Decide(s, &fresh, benchNow); d.Outcome != core.Placed {
				panic(d.Reason)
			}
		})))
		row("whether one that has a place should move", fmt.Sprint(n), micros(each(apps, func(a *api.Application) { reconsider(s, a) })))
	}
	for _, size := range []struct{ apps, clusters int }{{10_000, 100}, {100_000, 1000}} {
		before := heap()
		apps := placedApplications(size.apps, size.clusters)
		clusters := measuredClusters(size.clusters, 0)
		held := heap() - before
		started := time.Now()
		s := core.NewSnapshot(clusters)
		moved := 0
		for _, a := range apps {
			if reconsider(s, a) {
				moved++
			}
		}
		row(fmt.Sprintf("all of %d applications after a change of a metric", size.apps), fmt.Sprint(size.clusters),
			fmt.Sprintf("%s, of which %d have a better place; %.0f MB hold applications and clusters", ms(time.Since(started)), moved, held/1e6))
		runtime.KeepAlive(apps)
	}
	return nil
}

var benchNow = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// reconsider is what the scheduler does with an application that has a place when values of metrics have changed.
func reconsider(s *core.Snapshot, a *api.Application) (better bool) {
	if !core.Stays(s, a) {
		panic("an application of the measurement has to leave its cluster")
	}
	return core.Weigh(s, a, core.Look{Rules: core.DefaultRules, Now: benchNow}).There != nil
}

// measuredClusters are clusters with labels and values of their own, always the same ones for the same seed.
func measuredClusters(n int, seed uint64) []core.Cluster {
	random := rand.New(rand.NewPCG(seed, 1))
	clusters := make([]core.Cluster, n)
	for i := range clusters {
		clusters[i] = core.Cluster{
			Namespace: "bench", Name: fmt.Sprint("c", i), UID: fmt.Sprint("uid-", i), State: api.ClusterOnline,
			Labels: map[string]string{"location": []string{"DE", "IT", "SK"}[i%3], "tier": "gold"},
		}
		var values []core.Measurement
		for m := range metricsPerCluster {
			value := random.Float64()
			values = append(values, core.Measurement{Name: fmt.Sprint("metric-", m), Weight: 1 + float64(m), Normalised: value, Merit: value})
		}
		clusters[i].Measure(values)
	}
	return clusters
}

// placedApplications are applications that ask for a location, and are on clusters that are there, one after the other.
func placedApplications(n, clusters int) []*api.Application {
	apps := make([]*api.Application, n)
	for i := range apps {
		place := i % clusters
		label, err := constraint.ParseLabel("location is " + []string{"DE", "IT", "SK"}[place%3])
		if err != nil {
			panic(err)
		}
		a := benchApplication(fmt.Sprint("app-", i))
		a.Metadata.UID, a.Spec.Manifest = fmt.Sprint("app-uid-", i), nil
		a.Spec.Constraints.Migration = true
		a.Spec.Constraints.Cluster.Labels = []constraint.Label{label}
		ref, since := api.ClusterKind.Ref("bench", fmt.Sprint("c", place)), api.At(benchNow.Add(-time.Hour))
		a.Status.ScheduledTo, a.Status.RunningOn, a.Status.Scheduled, a.Status.State = &ref, &ref, &since, api.AppRunning
		apps[i] = a
	}
	return apps
}

// each is the mean time that do takes, over all applications and at least a second.
func each(apps []*api.Application, do func(*api.Application)) time.Duration {
	started, n := time.Now(), 0
	for time.Since(started) < time.Second {
		for _, a := range apps {
			do(a)
		}
		n += len(apps)
	}
	return time.Since(started) / time.Duration(n)
}

func micros(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d.Nanoseconds())/1000) }
