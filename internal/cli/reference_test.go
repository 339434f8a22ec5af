package cli_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli"
	"github.com/rak-n-rok/krake/internal/cli/reference"
)

// TestTheReferenceIsFresh compares what go generate writes with what is there.
func TestTheReferenceIsFresh(t *testing.T) {
	want := reference.Man(cli.Commands())
	docs := filepath.Join("..", "..", "docs")
	files := map[string][]byte{filepath.Join(docs, "rok-reference.md"): reference.Markdown(cli.Commands())}
	for name, page := range want {
		files[filepath.Join(docs, "man", name)] = page
	}
	for file, page := range files {
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, page) {
			t.Errorf("%s is not what the commands are (%v): run go generate ./internal/cli", file, err)
		}
	}
	found, err := filepath.Glob(filepath.Join(docs, "man", "*"))
	if err != nil || len(found) != len(want) {
		t.Errorf("there are the manual pages %q, and there should be %q", found, slices.Sorted(maps.Keys(want)))
	}
}

// TestEveryCommandExplainsItself looks at the help of all of them.
func TestEveryCommandExplainsItself(t *testing.T) {
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		if cmd.Short == "" || cmd.Example == "" && cmd.Name() != "help" {
			t.Errorf("%s has no description or no example", cmd.CommandPath())
		}
		if !cmd.HasSubCommands() && cmd.Name() != "help" && !strings.Contains(cmd.Example, " "+cmd.Name()) {
			t.Errorf("the examples of %s are of something else: %s", cmd.CommandPath(), cmd.Example)
		}
		for _, c := range cmd.Commands() {
			look(c)
		}
	}
	look(cli.Commands())
}
