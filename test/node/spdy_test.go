//go:build node

package node

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

// withoutWebSockets makes a kubeconfig whose way to a cluster knows no WebSockets, as clusters did before them.
func withoutWebSockets(t *testing.T, kubeconfig string) string {
	t.Helper()
	old := kubelabtest.Way(t, kubeconfig, func(w http.ResponseWriter, r *http.Request, cluster http.Handler) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			http.Error(w, "unable to upgrade", http.StatusBadRequest)
			return
		}
		cluster.ServeHTTP(w, r)
	})
	content, err := yaml.Marshal(old)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
