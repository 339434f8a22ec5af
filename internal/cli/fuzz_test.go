package cli

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli/argparse"
)

// commandLines are those that people and scripts have written over the years.
func commandLines(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/command-lines.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// read goes with a command line as far as the command itself: its levels are found, its options rewritten and set, its
// arguments checked.
func read(line string) (cmd *cobra.Command, rewritten []string, err error) {
	root := Commands()
	cmd, rest := descend(root, insertOmitted(root, strings.Fields(line)))
	if rewritten, err = argparse.Rewrite(allFlags(cmd), rest); err != nil {
		return cmd, nil, err
	}
	if err := cmd.ParseFlags(rewritten); err != nil {
		return cmd, rewritten, err
	}
	return cmd, rewritten, cmd.ValidateArgs(cmd.Flags().Args())
}

// TestCommandLines reads every one of them.
func TestCommandLines(t *testing.T) {
	for _, line := range commandLines(t) {
		cmd, _, err := read(line)
		if err != nil || cmd.HasSubCommands() {
			t.Errorf("rok %s: %s: %v", line, cmd.CommandPath(), err)
		}
	}
}

// TestArgumentsMayStandAnywhere puts the arguments of each line before and behind its options, which are spelled out.
// Nothing of what it means changes.
func TestArgumentsMayStandAnywhere(t *testing.T) {
	for _, line := range commandLines(t) {
		cmd, rewritten, err := read(line)
		if err != nil {
			t.Fatalf("rok %s: %v", line, err)
		}
		end := slices.Index(rewritten, "--")
		options, arguments := []string{}, rewritten[end+1:]
		for _, word := range rewritten[:end] {
			options = append(options, spelledOut(cmd, word)...)
		}
		for _, words := range [][]string{slices.Concat(arguments, options), slices.Concat(options, arguments)} {
			again, err := argparse.Rewrite(allFlags(cmd), words)
			if err != nil {
				t.Errorf("rok %s: as %q: %v", line, words, err)
				continue
			}
			if diff := cmp.Diff(rewritten, again); diff != "" {
				t.Errorf("rok %s: as %q: -want +got:\n%s", line, words, diff)
			}
		}
	}
}

// spelledOut writes an option with its values as words of their own.
func spelledOut(cmd *cobra.Command, word string) []string {
	name, value, _ := strings.Cut(word, "=")
	if value == "" || cmd.Flags().Lookup(name[2:]).NoOptDefVal != "" {
		return []string{name}
	}
	return append([]string{name}, strings.Split(value, "\x00")...)
}

// FuzzCommandLine changes the lines. Whatever comes of it, nothing panics, and a line that is accepted is in a form in
// which no word is left to interpretation: options with their values first, then the arguments.
func FuzzCommandLine(f *testing.F) {
	for _, line := range commandLines(f) {
		f.Add(line)
	}
	f.Add("kube app list -aaan x -o=json -- -z")
	f.Add("kube app get --out json -1 -.5 --name= ''")
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "\x00") {
			return // no command line can contain it
		}
		_, rewritten, err := read(line)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		end := slices.Index(rewritten, "--")
		if end < 0 {
			t.Fatalf("%q has no end of options", rewritten)
		}
		for _, word := range rewritten[:end] {
			if name, _, ok := strings.Cut(word, "="); !ok || !strings.HasPrefix(name, "--") {
				t.Errorf("%q in %q is no option with its value", word, rewritten)
			}
		}
		words := len(strings.Fields(line))
		if given := len(rewritten[end+1:]); given > words {
			t.Errorf("%d arguments from %d words", given, words)
		}
	})
}
