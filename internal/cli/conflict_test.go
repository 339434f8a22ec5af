package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/internal/cli"
)

// TestUpdateStartsAgain changes an application between the moment that rok reads it and the moment that it writes it
// back. Both changes must be there at the end. What comes from standard input is there for both attempts, and a warning
// is given once.
func TestUpdateStartsAgain(t *testing.T) {
	dir := t.TempDir()
	api, stop, err := newServer(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	puts := 0
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			if puts++; puts%2 == 1 {
				change := httptest.NewRequest(http.MethodPatch, api.url+r.URL.Path, strings.NewReader(`{"metadata": {"labels": {"other": "x`+fmt.Sprint(puts)+`"}}}`))
				api.next.ServeHTTP(httptest.NewRecorder(), change)
			}
		}
		api.ServeHTTP(w, r)
	}))
	defer other.Close()
	for name, content := range map[string]string{
		"rok.yaml": "user: u\napi_url: " + other.URL,
		"job.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {name: c}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var out, errs bytes.Buffer
	for _, line := range []string{"app create a -f job.yaml", "app update a -l mine=y -O -", "app get a", "app get a -o json"} {
		errs.Reset()
		world := cli.IO{In: strings.NewReader(`{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "c"}, "spec": {"suspend": null}}`),
			Out: &out, Err: &errs, Env: func(string) string { return "" }}
		if code := cli.Main(context.Background(), strings.Fields(line), world); code != 0 {
			t.Fatalf("rok %s: exit code %d\n%s%s", line, code, &out, &errs)
		}
		if n := strings.Count(errs.String(), "Warning"); strings.Contains(line, "update") && n != 1 {
			t.Errorf("%d warnings:\n%s", n, &errs)
		}
	}
	if got := out.String(); puts != 2 || !strings.Contains(got, "mine: y") || !strings.Contains(got, "other: x1") || !strings.Contains(got, `"suspend": null`) {
		t.Errorf("after %d attempts:\n%s", puts, got)
	}
}
