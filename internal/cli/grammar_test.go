package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli"
)

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// commandsOfThePythonClient are all that it had, with all names of every level.
const commandsOfThePythonClient = `
kubernetes,kube,k8s application,app list create get update delete retry
kubernetes,kube,k8s cluster register create list get update delete
infrastructure,infra globalinfrastructureprovider,gprovider,gip list register get update delete
infrastructure,infra infrastructureprovider,provider,ip list register get update delete
infrastructure,infra globalcloud,gcloud,gc list register get update delete
infrastructure,infra cloud list register get update delete
openstack,os project list create get update delete
openstack,os cluster create list get update delete
core metricsprovider,mp list create get update delete
core metric list create get update delete
core globalmetricsprovider,gmp list create get update delete
core globalmetric,gm list create get update delete
`

// TestEveryCommandOfThePythonClient is there, under all its names, and has the options that all of them share.
func TestEveryCommandOfThePythonClient(t *testing.T) {
	root := cli.Commands()
	n := 0
	for line := range strings.Lines(strings.TrimSpace(commandsOfThePythonClient)) {
		fields := strings.Fields(line)
		for _, verb := range fields[2:] {
			n++
			for _, group := range strings.Split(fields[0], ",") {
				for _, kind := range strings.Split(fields[1], ",") {
					cmd, rest, err := root.Find([]string{group, kind, verb})
					if err != nil || len(rest) > 0 || cmd.Name() != verb {
						t.Errorf("there is no rok %s %s %s", group, kind, verb)
						continue
					}
					checkShared(t, cmd, !strings.HasPrefix(fields[1], "global"))
				}
			}
		}
	}
	if n != 62 {
		t.Errorf("%d commands", n)
	}
}

func checkShared(t *testing.T, cmd *cobra.Command, namespaced bool) {
	t.Helper()
	for short, long := range map[string]string{"o": "output", "n": "namespace", "": "config"} {
		f := cmd.Flags().Lookup(long)
		if (f != nil) != (namespaced || long != "namespace") || f != nil && f.Shorthand != short {
			t.Errorf("%s: option --%s: %v", cmd.CommandPath(), long, f)
		}
	}
	if f := cmd.Flags().Lookup("all"); cmd.Name() == "list" && (f != nil) != namespaced {
		t.Errorf("%s: option --all: %v", cmd.CommandPath(), f)
	}
}

// TestEveryAcceptanceExample has its place in a session, by its name.
func TestEveryAcceptanceExample(t *testing.T) {
	files, err := filepath.Glob("testdata/sessions/acceptance-*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var comments strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "# ") {
				comments.WriteString(line)
			}
		}
	}
	for n := 1; n <= 44; n++ {
		if !regexp.MustCompile(fmt.Sprintf(`\bA%d\b`, n)).MatchString(comments.String()) {
			t.Errorf("A%d is in no session", n)
		}
	}
}
