package kubelabtest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/rak-n-rok/krake/api"
)

// Way makes a way to a cluster on which faults can be put: between answers each request, and passes it on to the cluster or
// not. It returns the kubeconfig that leads over it. Whoever takes it has the rights of the kubeconfig at path, and speaks
// HTTP/1.1. The way ends with the test, without waiting for what is still under way.
func Way(t testing.TB, path string, between func(w http.ResponseWriter, r *http.Request, cluster http.Handler)) api.Kubeconfig {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	config.NextProtos = []string{"http/1.1"}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	cluster := &httputil.ReverseProxy{Transport: transport, FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Header.Del("Authorization") // the transport has its own
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { between(w, r, cluster) }))
	t.Cleanup(func() {
		_ = server.Listener.Close()
		server.CloseClientConnections()
	})
	return api.Kubeconfig{
		"apiVersion": "v1", "kind": "Config", "current-context": "c",
		"contexts": []any{map[string]any{"name": "c", "context": map[string]any{"cluster": "k", "user": "u"}}},
		"clusters": []any{map[string]any{"name": "k", "cluster": map[string]any{"server": server.URL}}},
		"users":    []any{map[string]any{"name": "u", "user": map[string]any{"token": "of nobody"}}},
	}
}
