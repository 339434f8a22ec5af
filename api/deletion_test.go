package api

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"
)

var asking = At(time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC))

func TestAskingForADeletion(t *testing.T) {
	const infra = "infrastructure_resources_deletion"
	type ask = Deletion
	tests := map[string]struct {
		asked      []ask
		want       Deletion
		finalizers []string
		refused    bool // the last one
	}{
		"plainly":                        {[]ask{DeletePlain}, DeletePlain, []string{infra, FinalizerCascade}, false},
		"with evacuation":                {[]ask{Evacuate}, Evacuate, []string{infra, FinalizerEvacuation, FinalizerCascade}, false},
		"so that workloads stay":         {[]ask{KeepWorkloads}, KeepWorkloads, []string{infra, FinalizerCascade}, false},
		"with evacuation again":          {[]ask{Evacuate, Evacuate}, Evacuate, []string{infra, FinalizerEvacuation, FinalizerCascade}, false},
		"an evacuation is given up":      {[]ask{Evacuate, DeletePlain}, DeletePlain, []string{infra, FinalizerCascade}, false},
		"what cannot leave stays":        {[]ask{Evacuate, KeepWorkloads}, KeepWorkloads, []string{infra, FinalizerCascade}, false},
		"it is too late for evacuation":  {[]ask{DeletePlain, Evacuate}, DeletePlain, []string{infra, FinalizerCascade}, true},
		"it is too late for keeping":     {[]ask{DeletePlain, KeepWorkloads}, DeletePlain, []string{infra, FinalizerCascade}, true},
		"a repetition takes nothing":     {[]ask{KeepWorkloads, DeletePlain}, KeepWorkloads, []string{infra, FinalizerCascade}, false},
		"nothing is kept and evacuated":  {[]ask{KeepWorkloads, Evacuate}, KeepWorkloads, []string{infra, FinalizerCascade}, true},
		"nor evacuated after giving up":  {[]ask{Evacuate, DeletePlain, Evacuate}, DeletePlain, []string{infra, FinalizerCascade}, true},
		"a repetition of keeping is one": {[]ask{KeepWorkloads, KeepWorkloads}, KeepWorkloads, []string{infra, FinalizerCascade}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := New[Cluster]()
			c.Metadata.Finalizers = []string{infra}
			var err error
			for _, how := range test.asked {
				_, err = AskDeletion(c, how, false, asking)
			}
			var problem *Problem
			if refused := errors.As(err, &problem) && problem.Status == http.StatusConflict; refused != test.refused {
				t.Errorf("the last request: %v", err)
			}
			if m := c.Metadata; m.Deletion != test.want || !slices.Equal(m.Finalizers, test.finalizers) || m.Deleted == nil {
				t.Errorf("%q, finalizers %v, deleted %v", m.Deletion, m.Finalizers, m.Deleted)
			}
		})
	}
}

// An evacuation that has got as far as its own finalizer is still given up by another deletion.
func TestAnEvacuationIsGivenUpAlsoAfterTheGarbageCollectorsTurn(t *testing.T) {
	c := New[Cluster]()
	if news, err := AskDeletion(c, Evacuate, false, asking); !news || err != nil {
		t.Fatal(news, err)
	}
	c.Metadata.Finalizers = []string{FinalizerEvacuation}
	if news, err := AskDeletion(c, DeletePlain, false, asking); !news || err != nil {
		t.Fatal(news, err)
	}
	if !slices.Equal(c.Metadata.Finalizers, []string{FinalizerCascade}) {
		t.Errorf("finalizers %v", c.Metadata.Finalizers)
	}
}

func TestAnApplicationThatIsKeptNeedNotGetReadyForItsEnd(t *testing.T) {
	for how, want := range map[Deletion]ConditionStatus{DeletePlain: True, KeepWorkloads: Unknown} {
		a := New[Application]()
		a.Spec.Hooks = []string{HookShutdown}
		if _, err := AskDeletion(a, how, false, asking); err != nil {
			t.Fatal(err)
		}
		if got := a.Status.Conditions.Get(ShuttingDown).Status; got != want {
			t.Errorf("%q: shutting down is %s, want %s", how, got, want)
		}
	}
}

func TestAClusterThatIsDrainedIsCordoned(t *testing.T) {
	for name, test := range map[string]struct {
		change             func(*Cluster)
		cordoned, draining bool
	}{
		"as usual":           {func(*Cluster) {}, false, false},
		"cordoned":           {func(c *Cluster) { c.Spec.Unschedulable = true }, true, false},
		"drained":            {func(c *Cluster) { c.Spec.Drain = true }, true, true},
		"evacuated":          {func(c *Cluster) { c.Metadata.Deletion = Evacuate }, true, true},
		"deleted, workloads": {func(c *Cluster) { c.Metadata.Deletion = KeepWorkloads }, false, false},
	} {
		c := New[Cluster]()
		test.change(c)
		if c.Cordoned() != test.cordoned || c.Draining() != test.draining {
			t.Errorf("%s: cordoned %v, draining %v", name, c.Cordoned(), c.Draining())
		}
	}
}
