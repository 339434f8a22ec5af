package cli_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestDependencies keeps rok small and quick to start: neither the server nor what it is made of is linked into it.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "../../cmd/rok").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/rak-n-rok/krake/"
	for pkg := range strings.Lines(string(out)) {
		pkg = strings.TrimSpace(pkg)
		for _, refused := range []string{"k8s.io/", "go.etcd.io/", "google.golang.org/grpc", "github.com/google/cel-go", module + "internal/"} {
			if strings.HasPrefix(pkg, refused) && !strings.HasPrefix(pkg, module+"internal/cli") && pkg != module+"internal/suggest" {
				t.Errorf("rok depends on %s", pkg)
			}
		}
	}
}
