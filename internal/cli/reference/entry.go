package reference

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Option is an option of a command, as its help shows it.
type Option struct {
	Names   string // -o, --output
	Value   string // what follows, empty for a switch
	Meaning string
	Default string // empty if there is none to speak of
}

// options lists those of a command that help shows, in the order of their names.
func options(cmd *cobra.Command) []Option {
	cmd.InitDefaultHelpFlag()
	var out []Option
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, meaning := pflag.UnquoteUsage(f)
		o := Option{Names: "--" + f.Name, Value: value, Meaning: meaning, Default: f.DefValue}
		if f.Shorthand != "" {
			o.Names = "-" + f.Shorthand + ", " + o.Names
		}
		if f.DefValue == "false" || f.DefValue == "[]" {
			o.Default = ""
		}
		out = append(out, o)
	})
	return out
}

// leaves calls f for every command that does something, in the order of the tree.
func leaves(cmd *cobra.Command, f func(*cobra.Command)) {
	if !cmd.IsAvailableCommand() && cmd.HasParent() || cmd.Name() == "help" {
		return
	}
	if !cmd.HasSubCommands() {
		f(cmd)
		return
	}
	for _, c := range cmd.Commands() {
		leaves(c, f)
	}
}

// about is what a command does, at length if there is such a text.
func about(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

// usage is the command line in short.
func usage(cmd *cobra.Command) string {
	return strings.TrimSuffix(cmd.UseLine(), " [flags]") + " [options]"
}

// examples are the command lines of a command's examples.
func examples(cmd *cobra.Command) []string {
	var out []string
	for line := range strings.Lines(cmd.Example) {
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

// otherNames are those of a command and of the levels above it: kubernetes, kube, k8s.
func otherNames(cmd *cobra.Command) []string {
	var out []string
	for c := cmd; c.HasParent(); c = c.Parent() {
		if len(c.Aliases) > 0 {
			out = append([]string{c.NameAndAliases()}, out...)
		}
	}
	return out
}
