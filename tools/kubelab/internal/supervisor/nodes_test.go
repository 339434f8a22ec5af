package supervisor

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestNotReady(t *testing.T) {
	ready := []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	for name, test := range map[string]struct {
		conditions []corev1.NodeCondition
		taints     []corev1.Taint
		want       string
	}{
		"a node that has just been created": {nil, nil, "is not ready"},
		"a node whose heartbeat is missing": {
			[]corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}}, nil, "is not ready"},
		"a ready node whose taint is still there": {
			ready, []corev1.Taint{{Key: corev1.TaintNodeNotReady}}, "has the taint node.kubernetes.io/not-ready"},
		"a ready node that a user cordoned": {
			ready, []corev1.Taint{{Key: corev1.TaintNodeUnschedulable}}, ""},
		"a ready node": {ready, nil, ""},
	} {
		node := corev1.Node{Spec: corev1.NodeSpec{Taints: test.taints}, Status: corev1.NodeStatus{Conditions: test.conditions}}
		if got := notReady(node); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
