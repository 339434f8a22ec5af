package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// severalClusters is how many clusters are brought applications at once, beside one alone.
const severalClusters = 10

// measureRate measures how fast applications are brought to clusters by krake server as it is by default, beside what a
// cluster takes from plain clients.
func measureRate(ctx context.Context) error {
	title(fmt.Sprintf("%d applications for each cluster, each a Deployment and a Service", fleetApplications))
	header("what", "value")
	best, err := rateToOne(ctx)
	if err != nil {
		return err
	}
	return withLab(ctx, severalClusters, func(dir string, kubeconfigs []string) error {
		rate, err := krakeRate(ctx, dir, kubeconfigs)
		if err == nil {
			row(fmt.Sprintf("by Krake, to %d clusters", severalClusters), fmt.Sprintf("%.0f objects/s, %.0f %% of the best to one", rate, 100*rate/best))
		}
		return err
	})
}

// rateToOne measures one cluster, and returns the best rate of plain clients.
func rateToOne(ctx context.Context) (best float64, err error) {
	err = withLab(ctx, 1, func(dir string, kubeconfigs []string) error {
		cluster, err := plainClient(kubeconfigs[0])
		if err != nil {
			return err
		}
		for _, parallel := range []int{8, 32} {
			rate, err := plainApplies(ctx, cluster, fmt.Sprint("plain-", parallel), parallel)
			if err != nil {
				return err
			}
			row(fmt.Sprintf("server-side apply by %d plain clients", parallel), fmt.Sprintf("%.0f objects/s", rate))
			best = max(best, rate)
		}
		rate, err := krakeRate(ctx, dir, kubeconfigs)
		if err == nil {
			row("by Krake, from the first POST to the last RUNNING", fmt.Sprintf("%.0f objects/s, %.0f %% of the best", rate, 100*rate/best))
		}
		return err
	})
	return best, err
}

// withLab does something with new clusters.
func withLab(ctx context.Context, n int, do func(dir string, kubeconfigs []string) error) error {
	dir, err := os.MkdirTemp("", "krake-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	names := make([]string, n)
	for i := range names {
		names[i] = siteName(i)
	}
	kubeconfigs, down, err := startLab(ctx, filepath.Join(dir, "lab"), names...)
	if err != nil {
		return err
	}
	defer down()
	return do(dir, kubeconfigs)
}

func siteName(i int) string { return fmt.Sprint("c", i) }

// krakeRate starts a server, registers the clusters with it, and measures how many objects a second it brings there.
func krakeRate(ctx context.Context, dir string, kubeconfigs []string) (float64, error) {
	p, err := startServer(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return 0, err
	}
	defer p.stop()
	c, err := client.New(client.Config{URL: "http://" + p.address, Transport: &http.Transport{MaxIdleConnsPerHost: 64}})
	if err != nil {
		return 0, err
	}
	sites := make([]string, len(kubeconfigs))
	for i, path := range kubeconfigs {
		content, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		var kubeconfig api.Kubeconfig
		if err := yaml.Unmarshal(content, &kubeconfig); err != nil {
			return 0, err
		}
		sites[i] = siteName(i)
		if err := register(ctx, client.Of[api.Cluster](c), sites[i], kubeconfig); err != nil {
			return 0, err
		}
	}
	took, err := deployMany(ctx, client.Of[api.Application](c), sites...)
	return float64(2*fleetApplications*len(sites)) / took.Seconds(), err
}

func plainClient(kubeconfig string) (dynamic.Interface, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	cfg.QPS = -1
	return dynamic.NewForConfig(cfg)
}

// small is an application of the benchmark without pods, which would be the cluster's work and not Krake's.
func small(name, site string) *api.Application {
	app := echo(name, site)
	app.Spec.Manifest[0]["spec"].(map[string]any)["replicas"] = 0
	app.Spec.Manifest[1]["spec"].(map[string]any)["type"] = "ClusterIP"
	return app
}

// plainApplies applies the objects of as many applications by hand, and returns how many a second.
func plainApplies(ctx context.Context, cluster dynamic.Interface, space string, parallel int) (float64, error) {
	namespaces := schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": space}}}
	if _, err := cluster.Resource(namespaces).Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return 0, err
	}
	var group errgroup.Group
	group.SetLimit(parallel)
	started := time.Now()
	for i := range fleetApplications {
		for j, kind := range []schema.GroupVersionResource{benchDeployments, benchServices} {
			group.Go(func() error {
				o := &unstructured.Unstructured{Object: small(fmt.Sprint("plain-", i), "any").Spec.Manifest[j]}
				body, err := o.MarshalJSON()
				if err != nil {
					return err
				}
				_, err = cluster.Resource(kind).Namespace(space).Patch(ctx, o.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: "plain"})
				return err
			})
		}
	}
	err := group.Wait()
	return 2 * fleetApplications / time.Since(started).Seconds(), err
}

// deployMany creates all applications at once, as many for each cluster, and returns how long it took until the last one
// was RUNNING.
func deployMany(ctx context.Context, apps client.Set[api.Application, *api.Application], sites ...string) (time.Duration, error) {
	_, version, err := apps.List(ctx, "bench")
	if err != nil {
		return 0, err
	}
	started := time.Now()
	all := fleetApplications * len(sites)
	var posts errgroup.Group
	posts.SetLimit(16)
	posts.Go(func() error {
		for i := range all {
			posts.Go(func() error {
				_, err := apps.Create(ctx, small(fmt.Sprint("fleet-", i), sites[i%len(sites)]))
				return err
			})
		}
		return nil
	})
	running := map[string]bool{}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	errAll := errors.New("all of them")
	err = apps.Watch(ctx, "bench", version, func(e client.Event[*api.Application]) error {
		if e.Object.Status.State == api.AppRunning {
			running[e.Object.Metadata.Name] = true
		}
		if len(running) == all {
			return errAll
		}
		return nil
	})
	took := time.Since(started)
	if !errors.Is(err, errAll) {
		return 0, fmt.Errorf("%d of %d are RUNNING: %w", len(running), all, err)
	}
	return took, posts.Wait()
}
