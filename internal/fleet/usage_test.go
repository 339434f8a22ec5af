package fleet

import (
	"errors"
	"net/http"
	"testing"
)

// Pods that ask for a device that no node has wait, and nobody else asks for it.
const (
	scarce    = "example.com/usage-test"
	twoOfThem = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: greedy, namespace: SPACE}
spec:
  replicas: 2
  selector: {matchLabels: {app: greedy}}
  template:
    metadata: {labels: {app: greedy}}
    spec:
      containers: [{name: c, image: registry.invalid/none, resources: {limits: {example.com/usage-test: 2}}}]`
	oneAlone = `
apiVersion: v1
kind: Pod
metadata: {name: alone, namespace: SPACE}
spec:
  containers: [{name: c, image: registry.invalid/none, resources: {limits: {example.com/usage-test: 1}}}]`
)

func TestUsageTellsOurPodsFromOthers(t *testing.T) {
	b := newBench(t)
	report, err := b.Probe(b.ctx)
	if err != nil || len(report.Offering) != 2 {
		t.Fatalf("%v, %v", report.Offering, err)
	}
	counts := func(installation string, all, others int64) func() bool {
		return func() bool {
			u, err := b.Usage(b.ctx, report.Offering, installation)
			if err != nil {
				t.Fatal(err)
			}
			return u.All.Of(scarce) == all && u.Others.Of(scarce) == others
		}
	}
	if !counts("here", 0, 0)() {
		t.Error("somebody else asks for the device")
	}
	greedy := b.apply(b.resolve(b.owner, twoOfThem)[0])
	b.eventually("the pods that the application's Deployment has made", counts("here", 4, 0))
	elsewhere := b.owner
	elsewhere.Installation = "there"
	b.apply(b.resolve(elsewhere, oneAlone)[0])
	b.eventually("the pod of another Krake", counts("here", 5, 1))
	b.eventually("what the other Krake sees", counts("there", 5, 4))
	b.eventually("the end of the Deployment", func() bool { return b.delete(Object{Entry: greedy.Entry}, b.owner.UID) })
	b.eventually("what is left", counts("here", 1, 1))
	if u, err := b.Usage(b.ctx, nil, "here"); err != nil || u.All.Of("pods") == 0 || u.All.Of(scarce) != 1 {
		t.Errorf("pods that wait for a node: %v, %v", u, err)
	}
}

func TestUsageThatMayNotBeSeen(t *testing.T) {
	b := newBench(t).limitedTo(`"*"`)
	_, err := b.Usage(b.ctx, nil, "here")
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Code != http.StatusForbidden {
		t.Errorf("%v", err)
	}
}
