package core

import (
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
)

// noon is when all tests take place.
var noon = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

const testing1 = "testing"

type labels = map[string]string

// on returns a cluster that is ONLINE, in the namespace of the tests; edits change it.
func on(name string, edits ...func(*Cluster)) Cluster {
	c := Cluster{Namespace: testing1, Name: name, UID: "uid-of-" + name, State: api.ClusterOnline}
	for _, edit := range edits {
		edit(&c)
	}
	return c
}

func with(l labels) func(*Cluster)                 { return func(c *Cluster) { c.Labels = l } }
func in(state api.ClusterState) func(*Cluster)     { return func(c *Cluster) { c.State = state } }
func measured(m map[string]float64) func(*Cluster) { return func(c *Cluster) { c.Metrics = m } }
func offering(customResources ...string) func(*Cluster) {
	return func(c *Cluster) { c.CustomResources = customResources }
}
func deleted(c *Cluster)   { c.Deleting = true }
func cordoned(c *Cluster)  { c.Cordoned = true }
func drained(c *Cluster)   { c.Draining, c.Cordoned = true, true }
func evacuated(c *Cluster) { c.Deleting, c.Draining, c.Cordoned = true, true, true }
func elsewhere(c *Cluster) { c.Namespace = "other" }

// application returns one that has never been scheduled.
func application(edits ...func(*api.Application)) *api.Application {
	namespace := testing1
	a := api.New[api.Application]()
	a.Metadata.Name, a.Metadata.Namespace, a.Metadata.UID, a.Metadata.Generation = "echo", &namespace, "uid-of-echo", 1
	a.Spec.Constraints.Migration = true
	for _, edit := range edits {
		edit(a)
	}
	return a
}

// bound puts an application on a cluster, as the server does.
func bound(name string) func(*api.Application) {
	return func(a *api.Application) {
		ref := api.ClusterKind.Ref(testing1, name)
		a.Status.ScheduledTo, a.Status.RunningOn = &ref, &ref
		a.Metadata.Owners = append(a.Metadata.Owners, ref)
	}
}

func ownedBy(ref api.ResourceRef) func(*api.Application) {
	return func(a *api.Application) { a.Metadata.Owners = append(a.Metadata.Owners, ref) }
}

func demanding(t testing.TB, texts ...string) func(*api.Application) {
	return func(a *api.Application) {
		for _, text := range texts {
			l, err := constraint.ParseLabel(text)
			if err != nil {
				t.Fatal(err)
			}
			a.Spec.Constraints.Cluster.Labels = append(a.Spec.Constraints.Cluster.Labels, l)
		}
	}
}

func limitedTo(t testing.TB, text string) func(*api.Application) {
	return func(a *api.Application) {
		m, err := constraint.ParseMetric(text)
		if err != nil {
			t.Fatal(err)
		}
		a.Spec.Constraints.Cluster.Metrics = append(a.Spec.Constraints.Cluster.Metrics, m)
	}
}

func asking(customResources ...string) func(*api.Application) {
	return func(a *api.Application) { a.Spec.Constraints.Cluster.CustomResources = customResources }
}

func condition(t api.ConditionType, status api.ConditionStatus) func(*api.Application) {
	return func(a *api.Application) {
		a.Status.Conditions = a.Status.Conditions.With(api.Condition{
			Type: t, Status: status, Reason: "Test", ObservedGeneration: a.Metadata.Generation,
		}, api.At(noon))
	}
}

func fixed(a *api.Application) { a.Spec.Constraints.Migration = false }

func heldUntil(t time.Time) func(*api.Application) {
	return func(a *api.Application) { a.Status.MigrationTimeout = t.Unix() }
}
