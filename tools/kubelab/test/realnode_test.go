//go:build node

package test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// TestRealNode leads two clusters with real nodes through all that can happen to
// them. They have one name in two folders, as when two runs work side by side.
func TestRealNode(t *testing.T) {
	one, two := newLab(t, strings.Repeat("long-", 20), "clusters"), newLab(t)
	started := make(chan struct{})
	go func() {
		defer close(started)
		_, stderr, err := two.try("up", "same", "--real-node")
		if err != nil {
			t.Errorf("%v: %s", err, stderr)
		}
	}()
	one.run("up", "same", "--real-node")
	<-started
	if t.Failed() {
		t.FailNow()
	}
	client := one.client("same")
	before := one.expectState("same", "running")
	if other := two.expectState("same", "running"); before.Server == other.Server {
		t.Fatalf("both clusters are at %s", other.Server)
	}
	expectRealNode(t, client, before)
	web := serve(t, client, before)
	web.expectAnswer(t)

	hello := compile(t, `package main

func main() { println("hello from a container") }
`)
	one.run("image", "example.org/hello:1="+hello)
	expectOutput(t, client, "example.org/hello:1", "hello from a container\n")

	one.refuse("it was created with --real-node", "up", "same", "--nodes", "2")
	one.refuse("it is not static", "image", "sh=/bin/sh")

	// Stopped and started again, it is at the same address, and so are services.
	seen := traces(t, before)
	one.run("stop", "same")
	seen.expectGone(t)
	one.refuse("no cluster in "+one.dir+" has a real node that runs", "image", "example.org/hello:1="+hello)
	one.run("start", "same")
	if now := one.expectState("same", "running"); now.Server != before.Server {
		t.Errorf("it was at %s and is at %s", before.Server, now.Server)
	}
	web.expectAnswer(t)

	// The supervisor alone is killed.
	now := one.expectState("same", "running")
	seen = traces(t, now)
	kill(t, now.Pid)
	expectDead(t, now.pids())
	seen.expectGone(t)
	eventually(t, "the cluster being dead", func() error {
		if s := one.status("same"); s.State != "dead" {
			return fmt.Errorf("it is %s", s.State)
		}
		return nil
	})
	one.run("start", "same")
	web.expectAnswer(t)

	// A part of the node ends by itself.
	now = one.expectState("same", "running")
	kill(t, now.pid("kubelet"))
	eventually(t, "the cluster being degraded", func() error {
		if s := one.status("same"); s.State != "degraded" {
			return fmt.Errorf("it is %s", s.State)
		}
		return nil
	})

	// Somebody deletes the files of the other one.
	other := two.expectState("same", "running")
	gone := traces(t, other)
	eventually(t, "the files being deleted", func() error {
		return os.RemoveAll(two.dir) // fails when a file is made meanwhile
	})
	expectDead(t, other.pids())
	gone.expectGone(t)

	seen = traces(t, now)
	one.run("down")
	seen.expectGone(t)
	one.expectNothing()
}

func TestUpOfARealNodeThatFailsLeavesNothing(t *testing.T) {
	l := newLab(t)
	l.refuse("--nodes is for simulated nodes", "up", "a", "--real-node", "--nodes", "2")
	l.refuse("a: not ready within 2s", "up", "a", "--real-node", "--timeout", "2s")
	l.expectNothing()

	command := exec.Command(binary, "up", "a", "--real-node", "--dir", l.dir)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "containerd being started", func() error {
		_, err := os.Stat(filepath.Join(l.dir, "a", "logs", "containerd.log"))
		return err
	})
	seen := traces(t, l.status("a"))
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err == nil {
		t.Error("up that was interrupted succeeded")
	}
	seen.expectGone(t)
	l.expectNothing()
}

func expectRealNode(t *testing.T, client kubernetes.Interface, s status) {
	t.Helper()
	nodes, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(nodes.Items) != 1 || nodes.Items[0].Name != "same-node-1" {
		t.Fatalf("the nodes are %v", nodes.Items)
	}
	node := nodes.Items[0]
	if node.Status.Addresses[0].Address != host(t, s) || !strings.HasPrefix(node.Status.NodeInfo.ContainerRuntimeVersion, "containerd://") {
		t.Errorf("the node has the addresses %v and runs %s", node.Status.Addresses, node.Status.NodeInfo.ContainerRuntimeVersion)
	}
}

func host(t *testing.T, s status) string {
	t.Helper()
	server, err := url.Parse(s.Server)
	if err != nil {
		t.Fatal(err)
	}
	return server.Hostname()
}

// A site is an application that answers.
type site struct {
	url    string
	client kubernetes.Interface
}

// serve runs the echo server on a cluster, with a service at a port of the node.
func serve(t *testing.T, client kubernetes.Interface, s status) site {
	t.Helper()
	labels := map[string]string{"app": "web"}
	if _, err := client.AppsV1().Deployments("default").Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "registry.k8s.io/echoserver:1.10"}}},
			},
		},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	service, err := client.CoreV1().Services("default").Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeNodePort, Selector: labels, Ports: []corev1.ServicePort{{Port: 8080}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return site{fmt.Sprintf("http://%s:%d/some/path", host(t, s), service.Spec.Ports[0].NodePort), client}
}

// expectAnswer waits for an answer of the pod that there is.
func (s site) expectAnswer(t *testing.T) {
	t.Helper()
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	eventually(t, "an answer of "+s.url, func() error {
		response, err := client.Get(s.url)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			return err
		}
		pods, err := s.client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
		if err != nil {
			return err
		}
		for _, pod := range pods.Items {
			if strings.Contains(string(answer), "\nHostname: "+pod.Name+"\n") && strings.Contains(string(answer), "\treal path=/some/path\n") {
				return nil
			}
		}
		return fmt.Errorf("no pod gives the answer %s", answer)
	})
}

// compile builds a program as users of images do.
func compile(t *testing.T, source string) string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(folder, "program"), file)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return filepath.Join(folder, "program")
}

// expectOutput runs an image to its end and reads its log, which the API server
// asks the kubelet for.
func expectOutput(t *testing.T, client kubernetes.Interface, image, want string) {
	t.Helper()
	if _, err := client.BatchV1().Jobs("default").Create(t.Context(), &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "once"},
		Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "once"}},
			Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever,
				Containers:    []corev1.Container{{Name: "once", Image: image}},
			},
		}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the output of "+image, func() error {
		pods, err := client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=once"})
		if err != nil || len(pods.Items) == 0 {
			return fmt.Errorf("%d pods, %v", len(pods.Items), err)
		}
		pod := pods.Items[0]
		if pod.Status.Phase != corev1.PodSucceeded {
			return fmt.Errorf("the pod is %s: %+v", pod.Status.Phase, pod.Status.ContainerStatuses)
		}
		output, err := client.CoreV1().Pods("default").GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(context.Background())
		if err != nil || string(output) != want {
			return fmt.Errorf("it is %q, %v", output, err)
		}
		return nil
	})
}

func inode(path string) (uint64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Sys().(*syscall.Stat_t).Ino, nil
}
