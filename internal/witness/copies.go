package witness

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

// Copies counts the ready pods of a Deployment on some clusters.
type Copies struct {
	name     string                       // of the Deployment, in the namespace default
	clusters map[string]dynamic.Interface // by kubeconfig
}

// Counted is what was seen in a while.
type Counted struct {
	Samples    int
	Least      int64
	LongestGap time.Duration // without a ready copy
}

// NewCopies returns a counter of the Deployment of this name in the namespace default.
func NewCopies(name string, kubeconfigs ...string) (*Copies, error) {
	c := &Copies{name: name, clusters: map[string]dynamic.Interface{}}
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

// Ready asks all clusters at the same moment.
func (c *Copies) Ready(ctx context.Context) (int64, error) {
	type answer struct {
		n   int64
		err error
	}
	answers := make(chan answer, len(c.clusters))
	for _, cluster := range c.clusters {
		go func() {
			list, err := cluster.Resource(deployments).Namespace("default").List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + c.name})
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

// Run counts until ctx ends.
func (c *Copies) Run(ctx context.Context) <-chan Counted {
	out := make(chan Counted, 1)
	go func() {
		r := Counted{Least: 1 << 30}
		var gapSince time.Time
		for ctx.Err() == nil {
			n, err := c.Ready(ctx)
			if err != nil {
				continue
			}
			r.Samples++
			r.Least = min(r.Least, n)
			switch {
			case n > 0:
				gapSince = time.Time{}
			case gapSince.IsZero():
				gapSince = time.Now()
			}
			if !gapSince.IsZero() {
				r.LongestGap = max(r.LongestGap, time.Since(gapSince))
			}
			_ = sleep(ctx, 5*time.Millisecond)
		}
		out <- r
	}()
	return out
}

// WaitReady waits for the first ready copy.
func (c *Copies) WaitReady(ctx context.Context) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if n, err := c.Ready(ctx); err == nil && n > 0 {
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("no copy became ready within a minute")
}

// WaitGone waits until a cluster does not have the Deployment any more.
func (c *Copies) WaitGone(ctx context.Context, kubeconfig string) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		list, err := c.clusters[kubeconfig].Resource(deployments).Namespace("default").List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + c.name})
		if err == nil && len(list.Items) == 0 {
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("the old copy was not removed within a minute")
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
