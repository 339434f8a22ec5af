package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/client"
)

// patience is how long anything may take. It is much longer than it should take, because machines may be busy.
const patience = 90 * time.Second

// scene is what a test has: a namespace of Krake, and a namespace of the same name on every cluster that it uses.
type scene struct {
	testing.TB
	*krake
	space     string
	apps      client.Set[api.Application, *api.Application]
	clusters  client.Set[api.Cluster, *api.Cluster]
	leftovers client.Set[api.Leftover, *api.Leftover]
}

var scenes atomic.Int64

// newScene lets the test run beside others, on the shared server.
func newScene(t *testing.T) *scene {
	t.Helper()
	t.Parallel()
	return sceneOn(t, sharedKrake(t))
}

var unfit = regexp.MustCompile(`[^a-z0-9]+`)

// sceneOn makes a scene on a server. Whatever the test leaves behind there is removed when it ends.
func sceneOn(t testing.TB, k *krake) *scene {
	t.Helper()
	name := unfit.ReplaceAllString(strings.ToLower(strings.TrimPrefix(t.Name(), "Test")), "-")
	s := &scene{TB: t, space: fmt.Sprintf("%s-%d", strings.Trim(name[:min(len(name), 40)], "-"), scenes.Add(1))}
	s.use(k)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the server said:\n%s", strings.Join(s.log.about(s.space), "\n"))
		}
		forget(s, s.apps)
		forget(s, s.clusters)
		forget(s, s.leftovers)
	})
	return s
}

// use goes on with another server.
func (s *scene) use(k *krake) {
	s.krake = k
	s.apps, s.clusters = client.Of[api.Application](k.client), client.Of[api.Cluster](k.client)
	s.leftovers = client.Of[api.Leftover](k.client)
}

// forget removes the records of all objects of a kind from the scene's namespace.
func forget[P api.Resource](s *scene, set client.Objects[P]) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	all, _, _ := set.List(ctx, s.space) // a server that has ended has no objects
	for _, o := range all {
		_, _ = set.Delete(ctx, s.space, api.Meta(o).Name, client.DeleteOptions{Force: true})
	}
}

// place makes the scene's namespace on clusters.
func (s *scene) place(on ...*site) {
	s.Helper()
	for _, site := range on {
		site.create(s, namespaces, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+s.space+"}")
		s.Cleanup(func() { site.remove(s, namespaces, "", s.space) })
	}
}

// register tells Krake of a cluster, under a name that is also the value of its label site.
func (s *scene) register(name string, kubeconfig api.Kubeconfig) *api.Cluster {
	s.Helper()
	c := api.New[api.Cluster]()
	c.Metadata.Name, c.Metadata.Namespace = name, &s.space
	c.Metadata.Labels = api.Labels{"site": name}
	c.Spec.Kubeconfig = kubeconfig
	made, err := s.clusters.Create(s.Context(), c)
	if err != nil {
		s.Fatal(err)
	}
	return made
}

// join makes the scene's namespace on a cluster, registers the cluster, and waits until it is ONLINE.
func (s *scene) join(name string, on *site) {
	s.Helper()
	s.place(on)
	s.register(name, on.Kubeconfig(s))
	s.awaitCluster(name, api.ClusterOnline)
}

// create hands in an application that is to run on the cluster with this label, on any if it is empty. In the manifest
// SPACE stands for the scene's namespace.
func (s *scene) create(name, site, manifest string, change ...func(*api.Application)) *api.Application {
	s.Helper()
	a := api.New[api.Application]()
	a.Metadata.Name, a.Metadata.Namespace = name, &s.space
	a.Spec.Manifest = s.manifest(manifest)
	a.Spec.Constraints.Cluster.Labels = s.labels(site)
	for _, c := range change {
		c(a)
	}
	made, err := s.apps.Create(s.Context(), a)
	if err != nil {
		s.Fatal(err)
	}
	return made
}

func (s *scene) manifest(documents string) api.Manifest {
	s.Helper()
	return objects(s, strings.ReplaceAll(documents, "SPACE", s.space))
}

func (s *scene) labels(site string) []constraint.Label {
	s.Helper()
	if site == "" {
		return nil
	}
	label, err := constraint.ParseLabel("site is " + site)
	if err != nil {
		s.Fatal(err)
	}
	return []constraint.Label{label}
}

// edit changes an application as a user would, who reads it, changes it and writes it back.
func (s *scene) edit(name string, change func(*api.Application)) *api.Application {
	s.Helper()
	for {
		a := s.app(name)
		change(a)
		changed, err := s.apps.Update(s.Context(), a)
		if err == nil {
			return changed
		}
		if !client.Conflict(err) {
			s.Fatal(err)
		}
	}
}

// send moves an application by changing its constraint.
func (s *scene) send(name, site string) {
	s.Helper()
	s.edit(name, func(a *api.Application) { a.Spec.Constraints.Cluster.Labels = s.labels(site) })
}

// app reads an application.
func (s *scene) app(name string) *api.Application {
	s.Helper()
	a, err := s.apps.Get(s.Context(), s.space, name)
	if err != nil {
		s.Fatal(err)
	}
	return a
}

// cluster reads the record of a cluster.
func (s *scene) cluster(name string) *api.Cluster {
	s.Helper()
	c, err := s.clusters.Get(s.Context(), s.space, name)
	if err != nil {
		s.Fatal(err)
	}
	return c
}

// inventory reads what an application has on clusters.
func (s *scene) inventory(name string) []api.InventoryObject {
	s.Helper()
	var inventory api.Inventory
	if _, err := s.apps.GetPart(s.Context(), s.app(name), api.InventoryPart, &inventory); err != nil {
		s.Fatal(err)
	}
	return inventory.Objects
}

// await waits until check returns nil.
func (s *scene) await(what string, check func() error) {
	s.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("in vain waited for %s: %v", what, err)
		}
	}
}

// awaitEvent waits until something is told of an object, in these words.
func (s *scene) awaitEvent(kind, name, reason string, words ...string) {
	s.Helper()
	s.await("the event "+reason+" of "+name, func() error {
		all, _, err := client.Of[api.Event](s.client).List(s.Context(), s.space)
		if err != nil {
			return err
		}
		var told []string
		for _, e := range all {
			told = append(told, e.Spec.Reason+": "+e.Spec.Message)
			about := e.Spec.Regarding
			if about != nil && about.Kind == kind && about.Name == name && e.Spec.Reason == reason &&
				!slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(e.Spec.Message, word) }) {
				return nil
			}
		}
		return fmt.Errorf("told is %q", told)
	})
}

// fact is something that may be true of an application; the error says what is the case instead.
type fact func(*api.Application) error

// awaitApp waits until all facts hold at the same time, and returns the application as it is then.
func (s *scene) awaitApp(name string, facts ...fact) *api.Application {
	s.Helper()
	var a *api.Application
	s.await("the application "+name, func() error {
		a = s.app(name)
		return all(facts...)(a)
	})
	return a
}

func all(facts ...fact) fact {
	return func(a *api.Application) error {
		for _, f := range facts {
			if err := f(a); err != nil {
				return err
			}
		}
		return nil
	}
}

// inState holds in a state.
func inState(want api.ApplicationState) fact {
	return func(a *api.Application) error {
		if a.Status.State == want {
			return nil
		}
		status, _ := json.Marshal(a.Status.Conditions)
		return fmt.Errorf("it is %s, not %s; reason %+v, conditions %s", a.Status.State, want, a.Status.Reason, status)
	}
}

// refusedWith holds for a FAILED application whose reason has this code, and all of these words in its message.
func refusedWith(code api.ReasonCode, words ...string) fact {
	return func(a *api.Application) error {
		if err := inState(api.AppFailed)(a); err != nil {
			return err
		}
		return says(a.Status.Reason, code, words...)
	}
}

// says compares a reason.
func says(r *api.Reason, code api.ReasonCode, words ...string) error {
	if r == nil {
		return fmt.Errorf("there is no reason; it should be %s", code)
	}
	for _, word := range words {
		if !strings.Contains(r.Message, word) {
			return fmt.Errorf("the reason does not speak of %q: %s", word, r.Message)
		}
	}
	if r.Code != code {
		return fmt.Errorf("the reason is %s, not %s: %s", r.Code, code, r.Message)
	}
	return nil
}

// ranOn holds when the application is bound to a cluster, runs there, and the cluster owns it.
func ranOn(cluster string) fact {
	return func(a *api.Application) error {
		for what, ref := range map[string]*api.ResourceRef{"scheduled_to": a.Status.ScheduledTo, "running_on": a.Status.RunningOn} {
			if ref == nil || ref.Name != cluster {
				return fmt.Errorf("%s is %v, not %s", what, ref, cluster)
			}
		}
		if len(a.Metadata.Owners) != 1 || a.Metadata.Owners[0].Name != cluster {
			return fmt.Errorf("its owners are %v, not %s", a.Metadata.Owners, cluster)
		}
		return nil
	}
}

// running holds when the application is RUNNING on a cluster, for what it asks for now.
func running(cluster string) fact {
	return all(inState(api.AppRunning), ranOn(cluster), func(a *api.Application) error {
		if c := a.Status.Conditions.Get(api.Applied); c.Status != api.True || c.ObservedGeneration != a.Metadata.Generation {
			return fmt.Errorf("applied: %+v, the generation is %d", c, a.Metadata.Generation)
		}
		return nil
	})
}

// healthy holds when everything is ready, for what the application asks for now.
func healthy(a *api.Application) error {
	if c := a.Status.Conditions.Get(api.Healthy); c.Status != api.True || c.ObservedGeneration != a.Metadata.Generation {
		return fmt.Errorf("healthy: %+v, the generation is %d", c, a.Metadata.Generation)
	}
	return nil
}

// awaitCluster waits until a cluster is in a state, and returns its record as it is then.
func (s *scene) awaitCluster(name string, want api.ClusterState) *api.Cluster {
	s.Helper()
	var c *api.Cluster
	s.await("the cluster "+name, func() error {
		if c = s.cluster(name); c.Status.State != want {
			return fmt.Errorf("it is %s, not %s; reason %+v", c.Status.State, want, c.Status.Reason)
		}
		return nil
	})
	return c
}

// give replaces the kubeconfig of a cluster's record.
func (s *scene) give(name string, kubeconfig api.Kubeconfig) {
	s.Helper()
	for {
		c := s.cluster(name)
		c.Spec.Kubeconfig = kubeconfig
		_, err := s.clusters.Update(s.Context(), c)
		if err == nil {
			return
		}
		if !client.Conflict(err) {
			s.Fatal(err)
		}
	}
}

// removeCluster deletes a cluster and waits until its record is gone.
func (s *scene) removeCluster(name string) {
	s.Helper()
	if _, err := s.clusters.Delete(s.Context(), s.space, name, client.DeleteOptions{}); err != nil {
		s.Fatal(err)
	}
	s.await("the end of the cluster "+name, func() error {
		_, err := s.clusters.Get(s.Context(), s.space, name)
		return isGone(err)
	})
}

// condition holds when a condition has this status, this reason if one is named, and a message with these words.
func condition(of api.ConditionType, want api.ConditionStatus, reason string, words ...string) fact {
	return func(a *api.Application) error { return asWanted(a.Status.Conditions.Get(of), want, reason, words...) }
}

// asWanted says in what a condition is not as condition has it.
func asWanted(c api.Condition, want api.ConditionStatus, reason string, words ...string) error {
	if c.Status != want || reason != "" && c.Reason != reason {
		return fmt.Errorf("it is %s, %s, and should be %s, %s: %+v", c.Status, c.Reason, want, reason, c)
	}
	for _, word := range words {
		if !strings.Contains(c.Message, word) {
			return fmt.Errorf("the condition %s does not speak of %q: %s", c.Type, word, c.Message)
		}
	}
	return nil
}
