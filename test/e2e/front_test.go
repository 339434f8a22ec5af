package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

// front stands before the API server of a cluster and passes requests on, or does something else with them.
type front struct {
	under atomic.Int64 // requests that are being held

	mu    sync.Mutex
	fault fault // nil for none
}

// fault answers a request in place of the cluster; it returns false to let it pass.
type fault func(w http.ResponseWriter, r *http.Request) bool

// frontOf makes a front, and the kubeconfig that leads there.
func frontOf(t testing.TB, s *site) (*front, api.Kubeconfig) {
	t.Helper()
	f := &front{}
	return f, kubelabtest.Way(t, s.Path, func(w http.ResponseWriter, r *http.Request, cluster http.Handler) {
		if fault := f.current(); fault == nil || !fault(w, r) {
			cluster.ServeHTTP(w, r)
		}
	})
}

func (f *front) current() fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault
}

// suffer has the cluster behave like this from now on; like itself again with nil.
func (f *front) suffer(fault fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

// slowness holds every request for a while.
func (f *front) slowness(delay time.Duration) fault {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		f.under.Add(1)
		defer f.under.Add(-1)
		ctx, cancel := context.WithTimeout(r.Context(), delay)
		defer cancel()
		<-ctx.Done()
		return false
	}
}

// answering gives an answer of Kubernetes to requests, with these methods if any are named.
func answering(status metav1.Status, methods ...string) fault {
	status.TypeMeta, status.Status = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, metav1.StatusFailure
	return func(w http.ResponseWriter, r *http.Request) bool {
		if len(methods) > 0 && !slices.Contains(methods, r.Method) {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		if status.Details != nil && status.Details.RetryAfterSeconds > 0 {
			w.Header().Set("Retry-After", "1")
		}
		w.WriteHeader(int(status.Code))
		_ = json.NewEncoder(w).Encode(status)
		return true
	}
}
