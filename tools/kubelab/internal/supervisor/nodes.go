package supervisor

import (
	"context"
	"fmt"
	"runtime"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// nodeResources are what every node claims to have. It is meant to be enough
// for any test; none of it is used.
var nodeResources = corev1.ResourceList{
	corev1.ResourceCPU:              resource.MustParse("32"),
	corev1.ResourceMemory:           resource.MustParse("256Gi"),
	corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
	corev1.ResourcePods:             resource.MustParse("250"),
}

// createNodes adds the nodes of a new cluster. kwok makes them ready.
func createNodes(ctx context.Context, client kubernetes.Interface, clusterName string, count int) error {
	for number := 1; number <= count; number++ {
		node := newNode(clusterName, number)
		_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating node %s: %w", node.Name, err)
		}
	}
	return nil
}

// releaseNodes removes the leases of all nodes, so that anybody can manage them.
func releaseNodes(ctx context.Context, client kubernetes.Interface) error {
	leases := client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	if err := leases.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return fmt.Errorf("removing the leases of the nodes: %w", err)
	}
	return nil
}

// newNode describes a node. Its address is a loopback one of its own: a
// connection to it is refused at once, and never leaves the machine.
func newNode(clusterName string, number int) *corev1.Node {
	name := fmt.Sprintf("%s-node-%d", clusterName, number)
	podRange := fmt.Sprintf("10.244.%d.0/24", number)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				corev1.LabelHostname:           name,
				corev1.LabelOSStable:           "linux",
				corev1.LabelArchStable:         runtime.GOARCH,
				corev1.LabelInstanceTypeStable: "kwok",
			},
		},
		Spec: corev1.NodeSpec{PodCIDR: podRange, PodCIDRs: []string{podRange}},
		Status: corev1.NodeStatus{
			Capacity:    nodeResources,
			Allocatable: nodeResources,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("127.0.0.%d", number)},
				{Type: corev1.NodeHostName, Address: name},
			},
		},
	}
}
