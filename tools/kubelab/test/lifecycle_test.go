package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// TestLifecycle leads two clusters through all that can happen to them, in one
// story: each chapter needs what the last one left, and starting clusters is
// what takes time. Their folder has a long name, as temporary folders of CI
// often do: a unix socket's path would not fit.
func TestLifecycle(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real clusters; leave out -short to run it")
	}
	l := newLab(t, strings.Repeat("long-", 20), "clusters")
	l.run("up", "a", "b")

	a, b := l.client("a"), l.client("b")
	expectKubeconfig(t, l, "a")
	expectVersion(t, a)
	expectNodes(t, a, "a", 2)
	identity := uid(t, a)
	if other := uid(t, b); identity == other {
		t.Fatalf("both clusters are %s", other)
	}
	deploy(t, a, "web")
	deploy(t, b, "web")
	l.run("up", "c", "--nodes", "1")

	before := l.expectState("a", "running")
	l.run("up", "a") // does nothing
	if now := l.status("a"); now.Pid != before.Pid {
		t.Fatalf("up replaced the running supervisor %d by %d", before.Pid, now.Pid)
	}
	l.refuse("it was created with --nodes 2", "up", "a", "--nodes", "3")

	l.run("stop", "a")
	stopped := l.expectState("a", "stopped")
	expectDead(t, before.pids())
	if stopped.Server != before.Server {
		t.Errorf("the stopped cluster was at %s and is at %s", before.Server, stopped.Server)
	}
	l.run("stop", "a") // does nothing
	l.run("start", "a")
	expectSame(t, l, before, a, identity)
	deploy(t, a, "after-stop")

	killSupervisor(t, l, "a")
	l.run("start", "a")
	expectSame(t, l, before, a, identity)

	breakPart(t, l, "a")
	l.refuse("it is degraded", "up", "a")
	l.refuse("it is degraded", "start", "a")
	l.run("stop", "a")
	l.run("up", "a") // is the same as start
	expectSame(t, l, before, a, identity)

	failStart(t, l, "b")

	all := append(killSupervisor(t, l, "a"), l.expectState("c", "running").pids()...)
	l.run("down") // one that died, one that is stopped, one that runs
	expectDead(t, all)
	l.expectNothing()
}

// killSupervisor kills the supervisor alone; the parts must die with it. It
// returns the processes that there were.
func killSupervisor(t *testing.T, l lab, name string) []int {
	t.Helper()
	pids := l.expectState(name, "running").pids()
	if len(alive(pids)) != 6 {
		t.Fatalf("of the processes %v only %v live", pids, alive(pids))
	}
	kill(t, pids[0])
	expectDead(t, pids)
	// Threads may live a moment longer than what /proc shows of the process.
	eventually(t, "the cluster being dead", func() error {
		if s := l.status(name); s.State != "dead" {
			return fmt.Errorf("it is %s", s.State)
		}
		return nil
	})
	return pids
}

// failStart takes from the API server what it needs; the start must say so, show
// the server's log, and end what it started.
func failStart(t *testing.T, l lab, name string) {
	t.Helper()
	l.run("stop", name)
	if err := os.WriteFile(filepath.Join(l.dir, name, "pki", "tokens.csv"), []byte("no token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.refuse(name+": kube-apiserver ended: exit status 1", "start", name)
	_, stderr, _ := l.try("start", name)
	if !strings.Contains(stderr, "the last lines of the log of kube-apiserver:\n") || !strings.Contains(stderr, "tokens.csv") {
		t.Errorf("the log does not tell why: %s", stderr)
	}
	l.expectState(name, "stopped")
}

// breakPart kills a part; the cluster must say so.
func breakPart(t *testing.T, l lab, name string) {
	t.Helper()
	kill(t, l.expectState(name, "running").pid("kube-scheduler"))
	eventually(t, "the cluster being degraded", func() error {
		s := l.status(name)
		for _, part := range s.Parts {
			if s.State == "degraded" && part.Name == "kube-scheduler" && part.Ended == "signal: killed" {
				return nil
			}
		}
		return fmt.Errorf("status is %+v", s)
	})
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatalf("killing process %d: %v", pid, err)
	}
}

func expectDead(t *testing.T, pids []int) {
	t.Helper()
	eventually(t, "the end of all processes", func() error {
		if left := alive(pids); len(left) > 0 {
			return fmt.Errorf("%v live on", left)
		}
		return nil
	})
}

// expectSame fails unless the cluster, started again, is the one that it was.
func expectSame(t *testing.T, l lab, before status, client kubernetes.Interface, identity string) {
	t.Helper()
	now := l.expectState(before.Name, "running")
	if now.Server != before.Server || now.Nodes != before.Nodes {
		t.Errorf("the cluster was %+v and is %+v", before, now)
	}
	if now.Pid == before.Pid {
		t.Errorf("the supervisor is still process %d", now.Pid)
	}
	if got := uid(t, client); got != identity {
		t.Errorf("the cluster was %s and is %s", identity, got)
	}
	expectReady(t, client, "web")
}

func expectKubeconfig(t *testing.T, l lab, name string) {
	t.Helper()
	file := filepath.Join(l.dir, name+".kubeconfig")
	config, err := clientcmd.LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cluster, user, current := config.Clusters[name], config.AuthInfos[name], config.Contexts[name]
	if cluster == nil || user == nil || current == nil || config.CurrentContext != name {
		t.Fatalf("cluster, user and context of %s are not called %s", file, name)
	}
	if len(cluster.CertificateAuthorityData) == 0 || user.Token == "" {
		t.Errorf("%s refers to other files", file)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s can be read by others: %v, %v", file, info.Mode(), err)
	}
}

func expectVersion(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(version.GitVersion, "v1.36.") {
		t.Errorf("the API server says that it is %s", version.GitVersion)
	}
}

func expectNodes(t *testing.T, client kubernetes.Interface, name string, count int) {
	t.Helper()
	nodes, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes.Items) != count {
		t.Errorf("cluster %s has %d nodes, should have %d", name, len(nodes.Items), count)
	}
	for i, node := range nodes.Items {
		if want := fmt.Sprintf("%s-node-%d", name, i+1); node.Name != want {
			t.Errorf("node %d is %s, should be %s", i, node.Name, want)
		}
		if node.Status.Allocatable.Cpu().Value() != 32 || node.Status.Allocatable.Pods().Value() < 110 {
			t.Errorf("node %s offers %v", node.Name, node.Status.Allocatable)
		}
		addresses := map[corev1.NodeAddressType]string{}
		for _, address := range node.Status.Addresses {
			addresses[address.Type] = address.Address
		}
		if want := fmt.Sprintf("127.0.0.%d", i+1); addresses[corev1.NodeInternalIP] != want {
			t.Errorf("node %s has the addresses %v", node.Name, addresses)
		}
	}
}

func uid(t *testing.T, client kubernetes.Interface) string {
	t.Helper()
	namespace, err := client.CoreV1().Namespaces().Get(t.Context(), metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return string(namespace.UID)
}

// deploy creates a deployment and waits until its pods are ready: it takes all
// parts of a cluster to get there.
func deploy(t *testing.T, client kubernetes.Interface, name string) {
	t.Helper()
	labels := map[string]string{"app": name}
	replicas := int32(3)
	_, err := client.AppsV1().Deployments("default").Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/none:1"}}},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	expectReady(t, client, name)
}

func expectReady(t *testing.T, client kubernetes.Interface, name string) {
	t.Helper()
	eventually(t, "deployment "+name, func() error {
		deployment, err := client.AppsV1().Deployments("default").Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if deployment.Status.ReadyReplicas != 3 {
			return fmt.Errorf("%d of 3 pods are ready", deployment.Status.ReadyReplicas)
		}
		return nil
	})
	pods, err := client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=" + name})
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods.Items {
		if pod.Spec.NodeName == "" || !strings.HasPrefix(pod.Status.PodIP, "10.244.") {
			t.Errorf("pod %s is on node %q with address %q", pod.Name, pod.Spec.NodeName, pod.Status.PodIP)
		}
	}
}
