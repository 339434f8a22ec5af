package cli_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/internal/cli"
)

// completed is what a shell is told that may come next; the last word is the one that is being typed.
func completed(t *testing.T, env map[string]string, words ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	world := cli.IO{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(key string) string { return env[key] }}
	if code := cli.Main(t.Context(), append([]string{"__completeNoDesc"}, words...), world); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	var found []string
	for line := range strings.Lines(out.String()) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, ":") {
			found = append(found, line)
		}
	}
	return strings.Join(found, " ")
}

// TestCompletion asks what may come next, with an API that has a few objects.
func TestCompletion(t *testing.T) {
	s := serve(t)
	env := map[string]string{"ROK_CONFIG": s.config}
	s.send(t, http.MethodPost, applicationsOfU, strings.Replace(demo, `"name": "demo"`, `"name": "demo", "labels": {"tier": "front"}`, 1))
	s.send(t, http.MethodPost, applicationsOfU, strings.Replace(demo, "demo", "other", 1))
	s.send(t, http.MethodPost, "/kubernetes/namespaces/solar/applications", strings.Replace(demo, "demo", "sun", 1))
	s.send(t, http.MethodPost, "/core/globalmetricsproviders", `{"metadata": {"name": "prom"}, "spec": {"type": "prometheus", "prometheus": {"url": "u"}}}`)
	s.send(t, http.MethodPost, "/kubernetes/namespaces/u/clusters", `{"metadata": {"name": "c", "labels": {"location": "DE"}}, "spec": {"kubeconfig": {
		"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}], "clusters": [{"name": "c", "cluster": {"server": "https://c"}}],
		"users": [{"name": "u", "user": {"token": "t"}}]}, "constraints": {"cloud": {"labels": [], "metrics": []}}}}`)
	for line, want := range map[string]string{
		"kube app get ":                         "demo other",
		"app get d":                             "demo",
		"app delete ":                           "demo other",
		"kube update ":                          "demo other",
		"app get -n solar ":                     "sun",
		"app get --namespace=solar ":            "sun",
		"app get demo ":                         "",
		"app get -n ":                           "solar u",
		"app list -l":                           "",
		"app update demo -l ":                   "tier=front",
		"app explain ":                          "demo other",
		"app explain demo --not ":               "c",
		"app explain -o ":                       "json table yaml",
		"app create x --cluster-label ":         "location=DE",
		"app create x -L ":                      "location=DE",
		"app list --selector ":                  "tier=front",
		"app list -o ":                          "json name table wide yaml",
		"app list -o j":                         "json",
		"app list --output=y":                   "yaml",
		"app create x --wait=":                  "creating pending running",
		"app update x --metric":                 "",
		"core gm create load --gmp-name ":       "prom",
		"core gm create --min -2 load --gmp-n ": "prom",
		"core gm create ":                       "",
		"cluster get ":                          "c",
		"cluster kubeconfig ":                   "c",
		"wait app ":                             "demo other",
		"wait cluster ":                         "c",
		"wait nonsense ":                        "",
		"wait c":                                "cloud cluster",
		"wait app demo --for r":                 "ready_for_action reconciling restarting retrying running",
		"status -o ":                            "json table yaml",
		"--print-completion ":                   "bash fish powershell tcsh zsh",
		"kube app ":                             "approve create delete diff exec explain get list log move pause pin port-forward resources resume retry unpin update",
		"core ro":                               "role rolebinding",
		"app get --wat":                         "--watch",
	} {
		words := strings.Split(line, " ")
		got := strings.Fields(completed(t, env, words...))
		if diff := cmp.Diff(want, strings.Join(sorted(got), " ")); diff != "" {
			t.Errorf("rok %s: -want +got:\n%s", line, diff)
		}
	}
}

// TestCompletionWithoutAnAPI says nothing, and does not keep anybody waiting.
func TestCompletionWithoutAnAPI(t *testing.T) {
	slow := stranger(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	foreign := stranger(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) })
	for name, config := range map[string]string{"slow": slow.config, "foreign": foreign.config, "no configuration": "missing.yaml"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			if got := completed(t, map[string]string{"ROK_CONFIG": config}, "app", "get", ""); got != "" || time.Since(began) > 5*time.Second {
				t.Errorf("after %s: %q", time.Since(began), got)
			}
		})
	}
}

// TestCompletionInBash lets a shell without any packages complete words of the real program.
func TestCompletionInBash(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("there is no bash: apt-get install bash")
	}
	s := serve(t)
	s.send(t, http.MethodPost, applicationsOfU, demo)
	for line, want := range map[string]string{
		"rok app get d": "demo", "rok app get ": "demo", "rok app list -o js": "json", "rok kube clu": "cluster", "rok app list --wa": "--watch",
		"krakectl core gmp li": "list",
	} {
		program, _, _ := strings.Cut(line, " ")
		script := `source <(` + program + ` --print-completion bash)
			COMP_LINE="` + line + `" COMP_POINT=${#COMP_LINE} COMP_TYPE=9
			__start_` + program + `
			echo "${COMPREPLY[@]}"`
		cmd := exec.Command("bash", "--norc", "-c", script)
		cmd.Env = append(cmd.Environ(), "ROK_CONFIG="+s.config)
		out, err := cmd.Output() // compopt complains that this is no completion
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%q is completed to %q, want %q (%v)", line, got, want, err)
		}
	}
}

// TestCompletionScripts lets the shells that are there read their scripts.
func TestCompletionScripts(t *testing.T) {
	for shell, check := range map[string][]string{
		"bash": {"bash", "-n"}, "zsh": {"zsh", "-n"}, "fish": {"fish", "--no-execute"}, "powershell": nil, "tcsh": {"tcsh", "-n"},
	} {
		for _, name := range []string{"rok", "krakectl"} {
			t.Run(shell+" "+name, func(t *testing.T) {
				var out, errs bytes.Buffer
				world := cli.IO{Name: name, Out: &out, Err: &errs, Env: func(string) string { return "" }}
				if code := cli.Main(context.Background(), []string{"--print-completion", shell}, world); code != 0 || errs.Len() > 0 {
					t.Fatalf("exit code %d: %s", code, &errs)
				}
				if !strings.Contains(out.String(), name) {
					t.Errorf("the script is not for %s", name)
				}
				if check == nil {
					return
				}
				if _, err := exec.LookPath(check[0]); err != nil {
					return // the shell is not needed to build the script
				}
				cmd := exec.Command(check[0], check[1:]...)
				cmd.Stdin = &out
				if text, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s does not read it: %v: %s", shell, err, text)
				}
			})
		}
	}
}
