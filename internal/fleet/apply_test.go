package fleet

import (
	"errors"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestANewObjectIsCreatedAndMarked(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	a := b.apply(o)
	if a.Outcome != Created || a.Entry.UID == "" || a.Entry.UID != string(a.Live.GetUID()) || a.Entry.Hash != o.Entry.Hash {
		t.Fatalf("applied: %+v", a)
	}
	live := b.live(a.Entry)
	if live.GetLabels()[AppUIDLabel] != b.owner.UID {
		t.Errorf("labels: %v", live.GetLabels())
	}
	for key, want := range map[string]string{
		NamespaceAnnotation: "system:admin", NameAnnotation: "app", InstallationAnnotation: "here",
	} {
		if got := live.GetAnnotations()[key]; got != want {
			t.Errorf("%s is %q, not %q", key, got, want)
		}
	}
}

func TestMarksAreNotOnPods(t *testing.T) {
	b := newBench(t)
	live := b.apply(b.resolve(b.owner, deployment)[0]).Live
	if labels := mapAt(live.Object, "spec", "template", "metadata", "labels"); len(labels) != 1 {
		t.Errorf("labels of the pods: %v", labels)
	}
}

func TestAnApplyThatChangesNothingLeavesTheVersion(t *testing.T) {
	b := newBench(t)
	for _, manifest := range []string{configMap, deployment} {
		o := b.resolve(b.owner, manifest)[0]
		a := b.apply(o)
		o.Entry = a.Entry
		b.eventually("a moment without status updates", func() bool {
			before := b.live(o.Entry).GetResourceVersion()
			again := b.apply(o)
			if again.Outcome != Updated {
				t.Fatalf("%s was %s", o.Key(), again.Outcome)
			}
			return again.Live.GetResourceVersion() == before
		})
	}
}

func TestAChangeIsAppliedAndWhatIsDroppedGoes(t *testing.T) {
	b := newBench(t)
	a := b.apply(b.resolve(b.owner, configMap)[0])
	changed := b.resolve(b.owner, strings.Replace(configMap, "colour: blue", "size: large", 1))[0]
	if changed.Entry.Hash == a.Entry.Hash {
		t.Error("the hash is the same")
	}
	changed.Entry.UID = a.Entry.UID
	live := b.apply(changed).Live
	if data := mapAt(live.Object, "data"); len(data) != 1 || data["size"] != "large" {
		t.Errorf("data: %v", data)
	}
}

func TestAnObjectOfNobodyIsNotTakenOver(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	theirs := o.form.DeepCopy()
	theirs.SetLabels(nil)
	theirs.SetAnnotations(nil)
	maps := b.observer.dynamic.Resource(o.resource).Namespace(b.space)
	if theirs, err := maps.Create(b.ctx, theirs, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	} else {
		defer func() {
			if got := b.live(o.Entry); got.GetResourceVersion() != theirs.GetResourceVersion() {
				t.Errorf("it was written to: %v", got)
			}
		}()
	}
	_, err := b.Check(b.ctx, o)
	wantForeign(t, err, "ConfigMap "+b.space+"/settings exists on the cluster and is not managed by Krake")
	// As if it had appeared between look and write.
	_, err = b.Apply(b.ctx, o)
	wantForeign(t, err, "ConfigMap "+b.space+"/settings exists on the cluster and is not managed by Krake")
}

func TestAnObjectOfAnotherApplicationIsRefusedNamingIt(t *testing.T) {
	b := newBench(t)
	other := Owner{UID: "11111111-1111", Namespace: "system:admin", Name: "other", Installation: "there"}
	b.apply(b.resolve(other, configMap)[0])
	ours := b.resolve(b.owner, configMap)[0]
	_, err := b.Check(b.ctx, ours)
	want := "is managed by the Krake application system:admin/other of the installation there"
	wantForeign(t, err, want)
	_, err = b.Apply(b.ctx, ours)
	wantForeign(t, err, want)
	wantForeign(t, b.CheckAll(b.ctx, []Object{ours}), want)
	if !Final(err) {
		t.Error("the refusal is not final")
	}
}

func wantForeign(t *testing.T, err error, text string) {
	t.Helper()
	var foreign *ForeignError
	if !errors.As(err, &foreign) || !strings.Contains(err.Error(), text) {
		t.Errorf("error: %v", err)
	}
}

func TestWhatAnEarlierApplicationOfTheSameNameLeftIsWaitedFor(t *testing.T) {
	b := newBench(t)
	b.apply(b.resolve(someOwner("web"), configMap)[0])
	o := b.resolve(someOwner("web"), configMap)[0]
	for name, do := range map[string]func() error{
		"check": func() error { _, err := b.Check(b.ctx, o); return err },
		"apply": func() error { _, err := b.Apply(b.ctx, o); return err },
	} {
		err := do()
		if wantForeign(t, err, "is left from an earlier application of this name"); Final(err) {
			t.Errorf("%s: %v is final, and nobody would look again", name, err)
		}
	}
}

func TestOfManyThatCreateTheSameObjectOneSucceeds(t *testing.T) {
	b := newBench(t)
	var (
		working sync.WaitGroup
		mu      sync.Mutex
		created int
	)
	for range 8 {
		o := b.resolve(someOwner("racer"), configMap)[0]
		working.Go(func() {
			a, err := b.Apply(b.ctx, o)
			mu.Lock()
			defer mu.Unlock()
			var foreign *ForeignError
			switch {
			case err == nil && a.Outcome == Created:
				created++
			case !errors.As(err, &foreign):
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	working.Wait()
	if created != 1 {
		t.Errorf("%d created it", created)
	}
}

func TestAnIntentOfOursIsAdopted(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	first := b.apply(o)
	if uid, err := b.Check(b.ctx, o); err != nil || uid != first.Entry.UID {
		t.Errorf("Check = %q, %v", uid, err)
	}
	// The process died before the UID was recorded.
	if again := b.apply(o); again.Outcome != Adopted || again.Entry.UID != first.Entry.UID {
		t.Errorf("applied: %+v", again)
	}
}

func TestAnAbsentObjectIsNotCreatedBeforeTheInventorySaysSo(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	o.Entry = b.apply(o).Entry
	b.vanish(o)
	if uid, err := b.Check(b.ctx, o); uid != "" || err != nil {
		t.Errorf("Check = %q, %v", uid, err)
	}
	_, err := b.Apply(b.ctx, o)
	if gone := (*VanishedError)(nil); !errors.As(err, &gone) || Final(err) || Unreachable(err) {
		t.Errorf("error: %v", err)
	}
	if live, err := b.Live(b.ctx, o.Entry); live != nil || err != nil {
		t.Errorf("there is %v, %v", live, err)
	}
	was := o.Entry.UID
	o.Entry = Change{Object: o}.Intent()
	if again := b.apply(o); again.Outcome != Created || again.Entry.UID == was {
		t.Errorf("applied: %+v", again)
	}
}

// vanish deletes an object as a stranger does.
func (b *bench) vanish(o Object) {
	b.Helper()
	err := b.observer.dynamic.Resource(o.resource).Namespace(o.Entry.Namespace).Delete(b.ctx, o.Entry.Name, metav1.DeleteOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.eventually("its end", func() bool {
		live, err := b.Live(b.ctx, o.Entry)
		return live == nil && err == nil
	})
}

func TestAnObjectThatTookThePlaceOfOursIsForeign(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	o.Entry = b.apply(o).Entry
	b.vanish(o)
	b.apply(b.resolve(someOwner("usurper"), configMap)[0])
	_, err := b.Apply(b.ctx, o)
	wantForeign(t, err, "is managed by the Krake application system:admin/usurper")
}

func TestAnObjectThatWasRestoredWithOurMarkIsAdopted(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	o.Entry = b.apply(o).Entry
	b.vanish(o)
	restored, err := b.observer.dynamic.Resource(o.resource).Namespace(b.space).Create(b.ctx, o.form.DeepCopy(), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if a := b.apply(o); a.Outcome != Adopted || a.Entry.UID != string(restored.GetUID()) {
		t.Errorf("applied: %+v", a)
	}
}

func TestAMarkThatWasTakenOffOurObjectComesBack(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	o.Entry = b.apply(o).Entry
	b.stranger(o.Entry, func(live map[string]any) { delete(mapAt(live, "metadata"), "labels") })
	if a := b.apply(o); a.Outcome != Updated || a.Live.GetLabels()[AppUIDLabel] != b.owner.UID {
		t.Errorf("applied: %+v", a)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct{ manifest, first, says string }{
		"an unknown field": {
			manifest: strings.Replace(deployment, "replicas: 1", "replicaz: 1", 1),
			says:     ".spec.replicaz: field not declared in schema",
		},
		"a wrong type": {
			manifest: strings.Replace(deployment, "replicas: 1", "replicas: many", 1),
			says:     ".spec.replicas: expected numeric",
		},
		"a doubled key": {
			manifest: strings.Replace(deployment, "[{containerPort: 80}]", "[{containerPort: 80}, {containerPort: 80}]", 1),
			says:     "duplicate entries for key",
		},
		"an invalid value": {
			manifest: strings.Replace(deployment, "replicas: 1", "replicas: -1", 1),
			says:     "must be greater than or equal to 0",
		},
		"an immutable field": {
			first:    deployment,
			manifest: strings.NewReplacer("app: web", "app: other").Replace(deployment),
			says:     "field is immutable",
		},
		"a namespace that does not exist": {
			manifest: strings.Replace(configMap, "SPACE", "nowhere", 1),
			says:     `namespaces "nowhere" not found`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			o := b.resolve(b.owner, c.manifest)[0]
			if c.first != "" {
				o.Entry.UID = b.apply(b.resolve(b.owner, c.first)[0]).Entry.UID
			}
			_, err := b.Apply(b.ctx, o)
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("error: %v", err)
			}
			if !Final(err) || Unreachable(err) || Reason(err).Code != "KUBERNETES_ERROR" {
				t.Errorf("final %t, unreachable %t, reason %v", Final(err), Unreachable(err), Reason(err))
			}
		})
	}
}

func TestNoErrorRepeatsASecret(t *testing.T) {
	b := newBench(t)
	for _, content := range []string{
		"stringData: {password: 123456789}", "data: {password: 123456789}", "data: {password: hunter123456789}",
		"typo: {password: hunter123456789}", "data: {hunter!123456789: aaaa}", "type: kubernetes.io/dockerconfigjson\ndata: {.dockerconfigjson: MTIzNDU2Nzg5}",
		"type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: hunter123456789}",
	} {
		o := b.resolve(b.owner, "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: SPACE}\n"+content)[0]
		_, err := b.Apply(b.ctx, o)
		if err == nil {
			t.Errorf("accepted: %s", content)
			continue
		}
		if !Final(err) || strings.Contains(err.Error(), "123456789") && !strings.Contains(content, "!") {
			t.Errorf("%s: %v", content, err)
		}
	}
}

func TestSecretsAreOwnedWhereTheyAreStored(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: SPACE}\nstringData: {a: x}\ndata: {b: eQ==}")[0]
	a := b.apply(o)
	if data := mapAt(a.Live.Object, "data"); data["a"] != "eA==" || data["b"] != "eQ==" {
		t.Errorf("data: %v", data)
	}
	dropped := b.resolve(b.owner, "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: SPACE}\nstringData: {a: z}")[0]
	dropped.Entry.UID = a.Entry.UID
	if data := mapAt(b.apply(dropped).Live.Object, "data"); len(data) != 1 || data["a"] != "eg==" {
		t.Errorf("data: %v", data)
	}
}

func TestAManifestBringsItsOwnNamespaceAndKind(t *testing.T) {
	b := newBench(t)
	name := b.space + "-own"
	group := b.space + ".example.org"
	objects := b.resolve(b.owner, `
apiVersion: `+group+`/v1
kind: Gadget
metadata: {name: one, namespace: `+name+`}
spec: {sizeInCm: 3}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.`+group+`}
spec:
  group: `+group+`
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {sizeInCm: {type: integer}}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: `+name+`}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: `+name+`}
`)
	p := NewPlan(Situation{Cluster: b.Identity(), Desired: objects})
	if err := b.CheckAll(b.ctx, p.Unproven()); err != nil {
		t.Fatal(err)
	}
	var inventory []string
	for _, wave := range p.Waves() {
		for _, r := range b.ApplyWave(b.ctx, wave) {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			inventory = append(inventory, r.Entry.Kind)
		}
	}
	if got := strings.Join(inventory, " "); got != "CustomResourceDefinition Namespace ConfigMap Gadget" {
		t.Errorf("applied: %s", got)
	}
	if size := numberAt(b.live(objects[0].Entry).Object, 0, "spec", "sizeInCm"); size != 3 {
		t.Errorf("size is %d", size)
	}
	b.removesInReverse(objects)
}

// removesInReverse takes everything away again and sees that it goes, custom resources of a kind that goes included.
func (b *bench) removesInReverse(objects []Object) {
	b.Helper()
	var inventory []Object
	for _, o := range objects {
		o.Entry.UID = string(b.live(o.Entry).GetUID())
		inventory = append(inventory, o)
	}
	var p Plan
	for _, o := range inventory {
		p.Prune = append(p.Prune, o.Entry)
	}
	p.sort()
	for _, wave := range p.PruneWaves() {
		b.eventually("the end of a wave", func() bool {
			done := true
			for _, r := range b.DeleteWave(b.ctx, wave, b.owner.UID, Itself) {
				if r.Err != nil && !errors.As(r.Err, new(*TransientError)) {
					b.Fatal(r.Err)
				}
				done = done && r.Gone
			}
			return done
		})
	}
}

func TestTheTrickWithTheVersionHolds(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	form := o.form.DeepCopy()
	form.SetResourceVersion(noVersion)
	if _, created, err := b.patch(b.ctx, &o, FieldManager, form, false); err != nil || !created {
		t.Fatalf("absent: created %t, %v", created, err)
	}
	for _, force := range []bool{false, true} {
		if _, _, err := b.patch(b.ctx, &o, FieldManager, form, force); !apierrors.IsConflict(err) {
			t.Errorf("present, force %t: %v", force, err)
		}
	}
}
