package fleet

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/objectrule"
)

// Rules are the rules for kinds of objects, compiled. The zero value has none. It is safe for concurrent use.
type Rules struct {
	mu    sync.RWMutex
	known []rule // in the order in which they count
}

type rule struct {
	name    string
	kind    schema.GroupVersionKind // every version when it is empty
	asked   *objectrule.Rule
	problem string // why it cannot be asked: what stored it knew expressions that we do not
}

// Changed takes over a change of what is stored: before is nil for a new rule, after for one that is gone.
func (r *Rules) Changed(before, after *api.GlobalObjectRule) {
	var next []rule
	if after != nil {
		s := after.Spec
		added := rule{name: after.Metadata.Name, kind: schema.GroupVersionKind{Group: s.Group, Version: s.Version, Kind: s.Kind}}
		var err error
		if added.asked, err = objectrule.Compile(&s); err != nil {
			added.problem = "it does not compile: " + err.Error()
		}
		next = append(next, added)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, old := range r.known {
		if (before == nil || old.name != before.Metadata.Name) && (after == nil || old.name != after.Metadata.Name) {
			next = append(next, old)
		}
	}
	slices.SortFunc(next, func(a, b rule) int {
		return cmp.Or(general(a)-general(b), cmp.Compare(a.name, b.name))
	})
	r.known = next
}

// general is 1 for a rule for every version, which comes after those for one.
func general(r rule) int {
	if r.kind.Version == "" {
		return 1
	}
	return 0
}

// about returns the rule that counts for a kind.
func (r *Rules) about(kind schema.GroupVersionKind) (rule, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, known := range r.known {
		if known.kind.GroupKind() == kind.GroupKind() && (known.kind.Version == "" || known.kind.Version == kind.Version) {
			return known, true
		}
	}
	return rule{}, false
}

// A Verdict is what a rule says of an object. The zero value is that of no rule.
type Verdict struct {
	objectrule.Report
	// Rule is its name, Problem why it could not be asked.
	Rule, Problem string
}

// Verdicts are those on live objects of which there are any.
type Verdicts map[*unstructured.Unstructured]Verdict

// Ask asks the rules about live objects.
func (r *Rules) Ask(ctx context.Context, live []*unstructured.Unstructured) Verdicts {
	verdicts := Verdicts{}
	for _, object := range live {
		rule, found := r.about(object.GroupVersionKind())
		if !found {
			continue
		}
		v := Verdict{Rule: rule.name, Problem: rule.problem}
		if v.Problem == "" {
			report, err := rule.asked.Ask(ctx, object.Object)
			if err != nil {
				v.Problem = err.Error()
			} else {
				v.Report = report
			}
		}
		verdicts[object] = v
	}
	return verdicts
}

// judgeByRule says how an object is doing, nothing if that is left to what holds for all kinds: when no rule is asked, while
// the object is going, and until its controller has seen what is wanted of it.
func judgeByRule(object *unstructured.Unstructured, v Verdict) (status.Status, string) {
	generation, stated := at(object.Object, []string{"status", "observedGeneration"}).(int64)
	switch {
	case object.GetDeletionTimestamp() != nil, stated && generation < object.GetGeneration():
		return "", ""
	case v.Problem != "":
		return status.UnknownStatus, "the rule " + v.Rule + " cannot be applied: " + v.Problem
	case v.Failed:
		return status.FailedStatus, cmp.Or(v.Message, "it has failed by the rule "+v.Rule)
	case v.Completed, v.Ready:
		return status.CurrentStatus, ""
	case v.Decides:
		return status.InProgressStatus, cmp.Or(v.Message, "it is not ready by the rule "+v.Rule)
	}
	return "", ""
}

// pods counts the pods that an object accounts for.
func pods(object *unstructured.Unstructured, v Verdict) api.ContainerHealth {
	if !v.Counts {
		return count(object)
	}
	return api.ContainerHealth{
		DesiredPods: v.Pods.Desired, RunningPods: v.Pods.Running, CompletedPods: v.Pods.Completed, FailedPods: v.Pods.Failed,
	}
}
