package apiserver_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/store"
)

// benchmarkServer returns a server whose store does not wait for the disk: what is left is our own work.
func benchmarkServer(b *testing.B) *apiserver.Server {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	st, err := store.Open(b.Context(), store.Options{Dir: b.TempDir(), UnsafeNoFsync: true, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = st.Close() })
	return apiserver.New(apiserver.Options{Store: st, Log: quiet, AnyHost: true})
}

func ask(b *testing.B, s *apiserver.Server, method, path, body string) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	if w.Code != http.StatusOK {
		b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
}

const applications = "/kubernetes/namespaces/bench/applications"

func application(name string) string {
	return fmt.Sprintf(`{"metadata": {"name": %q}, "spec": {"constraints": {"cluster": {"labels": ["location is DE"]}}, "manifest": [
		{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "echo"}, "spec": {"replicas": 1,
		 "selector": {"matchLabels": {"app": "echo"}}, "template": {"metadata": {"labels": {"app": "echo"}},
		 "spec": {"containers": [{"name": "echo", "image": "registry.k8s.io/echoserver:1.10", "ports": [{"containerPort": 8080}]}]}}}},
		{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "echo"}, "spec": {"type": "NodePort",
		 "selector": {"app": "echo"}, "ports": [{"port": 8080, "protocol": "TCP", "targetPort": 8080}]}}]}}`, name)
}

func BenchmarkCreate(b *testing.B) {
	s := benchmarkServer(b)
	for i := 0; b.Loop(); i++ {
		ask(b, s, http.MethodPost, applications, application(fmt.Sprintf("a%d", i)))
	}
}

func BenchmarkGet(b *testing.B) {
	s := benchmarkServer(b)
	ask(b, s, http.MethodPost, applications, application("a"))
	for b.Loop() {
		ask(b, s, http.MethodGet, applications+"/a", "")
	}
}

func BenchmarkPatchStatus(b *testing.B) {
	s := benchmarkServer(b)
	ask(b, s, http.MethodPost, applications, application("a"))
	for i := 0; b.Loop(); i++ {
		ask(b, s, http.MethodPatch, applications+"/a/status", fmt.Sprintf(`{"status": {"retries": %d}}`, i))
	}
}

func BenchmarkListOfAThousand(b *testing.B) {
	s := benchmarkServer(b)
	for i := range 1000 {
		ask(b, s, http.MethodPost, applications, application(fmt.Sprintf("a%d", i)))
	}
	for b.Loop() {
		ask(b, s, http.MethodGet, applications, "")
	}
}
