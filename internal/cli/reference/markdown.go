package reference

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Markdown is the page about all commands.
func Markdown(root *cobra.Command) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# Reference of %s\n\nEvery command with all its options. This page is made from the program by `go generate ./internal/cli`;\n"+
		"[rok.md](rok.md) explains how to use it.\n", root.Name())
	leaves(root, func(cmd *cobra.Command) {
		name := strings.TrimPrefix(cmd.CommandPath(), root.Name()+" ")
		fmt.Fprintf(&b, "- [%s](#%s)\n", name, strings.ReplaceAll(name, " ", "-"))
	})
	leaves(root, func(cmd *cobra.Command) { markdownOf(&b, root, cmd) })
	return []byte(strings.Replace(b.String(), "to use it.\n-", "to use it.\n\n-", 1))
}

func markdownOf(b *strings.Builder, root, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", strings.TrimPrefix(cmd.CommandPath(), root.Name()+" "), escape(about(cmd)))
	fmt.Fprintf(b, "\n```\n%s\n```\n", usage(cmd))
	if names := otherNames(cmd); len(names) > 0 {
		fmt.Fprintf(b, "\nNames: %s.\n", strings.Join(names, "; "))
	}
	fmt.Fprintf(b, "\nExamples:\n\n```\n%s\n```\n", strings.Join(examples(cmd), "\n"))
	fmt.Fprint(b, "\n| option | meaning |\n|---|---|\n")
	for _, o := range options(cmd) {
		meaning := o.Meaning
		if o.Default != "" {
			meaning += fmt.Sprintf(" (default %s)", o.Default)
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", escapeCell(strings.TrimSpace(o.Names+" "+o.Value)), escapeCell(escape(meaning)))
	}
}

// escape keeps Markdown from reading signs in a text.
func escape(text string) string { return strings.NewReplacer("*", `\*`, "<", "&lt;").Replace(text) }

func escapeCell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
