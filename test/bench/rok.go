package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// measureRok times calls of rok, beside kubectl, which is built from the same source as kubelab's clusters.
func measureRok(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "krake-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data := filepath.Join(dir, "data")
	if err := fill(ctx, data); err != nil {
		return err
	}
	p, err := startServer(ctx, data)
	if err != nil {
		return err
	}
	defer p.stop()
	if _, err := p.untilReady(); err != nil {
		return err
	}
	config := filepath.Join(dir, "rok.yaml")
	if err := os.WriteFile(config, []byte("api_url: http://"+p.address+"\nuser: bench\n"), 0o600); err != nil {
		return err
	}
	kubeconfig, kubectl, down, err := kubectlBeside(ctx, dir)
	if err != nil {
		return err
	}
	defer down()
	title(fmt.Sprintf("rok beside kubectl, %d objects of 4 KB", manyObjects))
	header("call", "median of 10", "memory of the process")
	for _, call := range []struct {
		name string
		env  string
		args []string
	}{
		{"rok version", "ROK_CONFIG=" + config, []string{"bin/rok", "version"}},
		{"kubectl version --client", "", []string{kubectl, "version", "--client"}},
		{"rok kube app list", "ROK_CONFIG=" + config, []string{"bin/rok", "kube", "app", "list", "-n", "bench"}},
		{"kubectl get configmaps", "KUBECONFIG=" + kubeconfig, []string{kubectl, "get", "configmaps", "-n", "bench"}},
		{"rok kube app list -o json", "ROK_CONFIG=" + config, []string{"bin/rok", "kube", "app", "list", "-n", "bench", "-o", "json"}},
		{"kubectl get configmaps -o json", "KUBECONFIG=" + kubeconfig, []string{kubectl, "get", "configmaps", "-n", "bench", "-o", "json"}},
	} {
		var took samples
		memory := int64(0)
		for range 10 {
			cmd := exec.CommandContext(ctx, call.args[0], call.args[1:]...)
			cmd.Env = append(os.Environ(), call.env)
			cmd.Stderr = os.Stderr
			started := time.Now()
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%s: %w", strings.Join(call.args, " "), err)
			}
			took = append(took, time.Since(started))
			if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
				memory = max(memory, usage.Maxrss>>10)
			}
		}
		row(call.name, ms(took.at(0.5)), fmt.Sprintf("%d MB", memory))
	}
	return nil
}

// kubectlBeside builds kubectl, and starts a cluster with as many ConfigMaps as there are applications.
func kubectlBeside(ctx context.Context, dir string) (kubeconfig, kubectl string, down func(), err error) {
	kubectl = filepath.Join(dir, "kubectl")
	if err := buildKubectl(ctx, dir, kubectl); err != nil {
		return "", "", nil, err
	}
	kubeconfigs, down, err := startLab(ctx, filepath.Join(dir, "lab"), "a")
	if err != nil {
		return "", "", nil, err
	}
	if err := fillCluster(ctx, kubeconfigs[0]); err != nil {
		down()
		return "", "", nil, err
	}
	return kubeconfigs[0], kubectl, down, nil
}

// buildKubectl builds kubectl of the version of kubelab's clusters. It needs modules that kubelab does not; they are noted in
// a copy of its go.mod.
func buildKubectl(ctx context.Context, dir, program string) error {
	modules := filepath.Join(dir, "kubectl.mod")
	for from, to := range map[string]string{"tools/kubelab/go.mod": modules, "tools/kubelab/go.sum": filepath.Join(dir, "kubectl.sum")} {
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			return err
		}
	}
	build := exec.CommandContext(ctx, "go", "-C", "tools/kubelab", "build", "-mod=mod", "-modfile="+modules, "-trimpath", "-ldflags=-s -w",
		"-o", program, "k8s.io/kubernetes/cmd/kubectl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building kubectl: %w: %s", err, out)
	}
	return nil
}

func fillCluster(ctx context.Context, kubeconfig string) error {
	cluster, err := plainClient(kubeconfig)
	if err != nil {
		return err
	}
	namespace := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "bench"}}}
	if _, err := cluster.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return err
	}
	var filling errgroup.Group
	filling.SetLimit(32)
	for i := range manyObjects {
		filling.Go(func() error {
			o := largeApplication(i).Spec.Manifest[0]
			o["metadata"] = map[string]any{"name": fmt.Sprint("large-", i)}
			_, err := cluster.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace("bench").
				Create(ctx, &unstructured.Unstructured{Object: o}, metav1.CreateOptions{})
			return err
		})
	}
	return filling.Wait()
}
