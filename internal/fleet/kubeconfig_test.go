package fleet

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

// with returns a kubeconfig with a field set in its user or its cluster.
func with(entry, field string, value any) api.Kubeconfig {
	k := kubeconfigFor("https://cluster.example.org:6443/prefix")
	list := map[string]string{"user": "users", "cluster": "clusters", "context": "contexts"}[entry]
	k[list].([]any)[0].(map[string]any)[entry].(map[string]any)[field] = value
	return k
}

func TestKubeconfigsThatWouldRunOrOpenSomethingAreRefused(t *testing.T) {
	for _, c := range []struct {
		entry, field string
		value        any
	}{
		{"user", "exec", map[string]any{"command": "touch", "args": []any{"s3cret"}, "apiVersion": "client.authentication.k8s.io/v1"}},
		{"user", "EXEC", map[string]any{"command": "s3cret"}},
		{"user", "auth-provider", map[string]any{"name": "oidc", "config": map[string]any{"id-token": "s3cret"}}},
		{"user", "client-certificate", "/s3cret"},
		{"user", "client-key", "/s3cret"},
		{"user", "tokenFile", "/s3cret"},
		{"cluster", "certificate-authority", "/s3cret"},
		{"cluster", "server", "unix:///s3cret"},
		{"cluster", "server", ""},
		{"cluster", "server", []any{"s3cret"}},
		{"cluster", "proxy-url", "s3cret"},
		{"cluster", "certificate-authority-data", "s3cret!"},
		{"cluster", "certificate-authority-data", "czNjcmV0"},
		{"user", "token", map[string]any{"s3cret": 1}},
		{"context", "cluster", "s3cret"},
	} {
		f := New(Options{})
		_, err := f.connection(with(c.entry, c.field, c.value), system)
		var unusable *KubeconfigError
		if !errors.As(err, &unusable) || strings.Contains(err.Error(), "s3cret") || !Unreachable(err) || Final(err) {
			t.Errorf("%s.%s = %v: %v", c.entry, c.field, c.value, err)
		}
	}
	if _, err := New(Options{}).connection(api.Kubeconfig{}, system); err == nil {
		t.Error("an empty one is accepted")
	}
}

func TestKubeconfigsSayWhereAndHow(t *testing.T) {
	a, err := readKubeconfig(with("context", "namespace", "team"))
	if err != nil {
		t.Fatal(err)
	}
	if a.host != "cluster.example.org" || a.namespace != "team" || a.config.BearerToken != "t0ken" || a.config.QPS != -1 {
		t.Errorf("read: %+v", a)
	}
	if a, err = readKubeconfig(with("cluster", "server", "https://[::1]:6443")); err != nil || a.host != "::1" || a.namespace != "default" {
		t.Errorf("read: %+v, %v", a, err)
	}
	k := with("cluster", "insecure-skip-tls-verify", true)
	k["clusters"].([]any)[0].(map[string]any)["cluster"].(map[string]any)["certificate-authority-data"] = "aaaa"
	if _, err := New(Options{}).connection(k, system); err != nil {
		t.Errorf("insecure with authority: %v", err)
	}
	nobody := kubeconfigFor("https://cluster.example.org")
	nobody["users"] = []any{map[string]any{"name": "other", "user": map[string]any{"token": "x"}}}
	if a, err := readKubeconfig(nobody); err != nil || a.config.BearerToken != "" {
		t.Errorf("without user: %+v, %v", a, err)
	}
}

func FuzzKubeconfigs(f *testing.F) {
	for _, k := range []api.Kubeconfig{
		kubeconfigFor("https://cluster.example.org"), with("user", "exec", map[string]any{"command": "touch"}),
		with("user", "tokenFile", "/x"), with("cluster", "certificate-authority", "/x"),
	} {
		content, err := json.Marshal(k)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		var k api.Kubeconfig
		if json.Unmarshal(content, &k) != nil {
			t.Skip()
		}
		a, err := readKubeconfig(k)
		if err != nil {
			if !errors.As(err, new(*KubeconfigError)) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		c := a.config
		if c.ExecProvider != nil || c.AuthProvider != nil || c.BearerTokenFile != "" || c.CAFile != "" || c.CertFile != "" || c.KeyFile != "" || a.host == "" {
			t.Fatalf("accepted: %s", content)
		}
	})
}
