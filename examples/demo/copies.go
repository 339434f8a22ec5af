package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

var deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}

// copies counts the ready pods of echo-demo on some clusters.
type copies struct {
	clusters map[string]dynamic.Interface // by kubeconfig
}

// counted is what was seen during a move.
type counted struct {
	samples    int
	least      int64
	longestGap time.Duration
}

func newCopies(kubeconfigs ...string) (*copies, error) {
	c := &copies{clusters: map[string]dynamic.Interface{}}
	for _, path := range kubeconfigs {
		cfg, err := clientcmd.BuildConfigFromFlags("", path)
		if err != nil {
			return nil, err
		}
		cfg.QPS = -1
		if c.clusters[path], err = dynamic.NewForConfig(cfg); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// ready asks all clusters at the same moment.
func (c *copies) ready(ctx context.Context) (int64, error) {
	type answer struct {
		n   int64
		err error
	}
	answers := make(chan answer, len(c.clusters))
	for _, cluster := range c.clusters {
		go func() {
			list, err := cluster.Resource(deployments).Namespace("default").List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=echo-demo"})
			if err != nil {
				answers <- answer{err: err}
				return
			}
			var n int64
			for _, d := range list.Items {
				ready, _, _ := unstructured.NestedInt64(d.Object, "status", "readyReplicas")
				if d.GetDeletionTimestamp() == nil {
					n += ready
				}
			}
			answers <- answer{n: n}
		}()
	}
	var sum int64
	for range c.clusters {
		a := <-answers
		if a.err != nil {
			return 0, a.err
		}
		sum += a.n
	}
	return sum, nil
}

// run counts until ctx ends.
func (c *copies) run(ctx context.Context) <-chan counted {
	out := make(chan counted, 1)
	go func() {
		r := counted{least: 1 << 30}
		var gapSince time.Time
		for ctx.Err() == nil {
			n, err := c.ready(ctx)
			if err != nil {
				continue
			}
			r.samples++
			r.least = min(r.least, n)
			switch {
			case n > 0:
				gapSince = time.Time{}
			case gapSince.IsZero():
				gapSince = time.Now()
			}
			if !gapSince.IsZero() {
				r.longestGap = max(r.longestGap, time.Since(gapSince))
			}
			_ = sleep(ctx, 5*time.Millisecond)
		}
		out <- r
	}()
	return out
}

// waitReady waits for the first ready copy.
func (c *copies) waitReady(ctx context.Context) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if n, err := c.ready(ctx); err == nil && n > 0 {
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("no copy became ready within a minute")
}

// waitGone waits until a cluster has no copy any more.
func (c *copies) waitGone(ctx context.Context, kubeconfig string) error {
	one := &copies{clusters: map[string]dynamic.Interface{kubeconfig: c.clusters[kubeconfig]}}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		list, err := one.clusters[kubeconfig].Resource(deployments).Namespace("default").List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=echo-demo"})
		if err == nil && len(list.Items) == 0 {
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("the old copy was not removed within a minute")
}
