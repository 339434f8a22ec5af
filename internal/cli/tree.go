package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/suggest"
)

// omissible is an annotation of a command: the child that may be left out on the command line. rok app create is short
// for rok kubernetes application create, and the oldest scripts say rok kube create.
const omissible = "omissible"

// Commands returns the tree of commands, for what is written about them.
func Commands() *cobra.Command { return (&program{IO: IO{Name: currentName}}).root() }

// root returns the tree of commands.
func (p *program) root() *cobra.Command {
	root := group(&cobra.Command{
		Use:           p.Name,
		Short:         "Run applications on the clusters that Krake looks after",
		Annotations:   map[string]string{omissible: "kubernetes"},
		SilenceErrors: true,
		SilenceUsage:  true,
		Example: strings.ReplaceAll(`  rok kube cluster register -k kubeconfig.yaml
  rok kube app create -f echo-demo.yaml echo-demo
  rok kube app list`, currentName, p.Name),
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	})
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	p.addCompletion(root)
	p.addKinds(root)
	root.AddCommand(p.statusCommand(), p.waitCommand(), p.versionCommand())
	p.addHelp(root)
	return root
}

// group makes a command a level of the tree that does nothing itself.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New("the following arguments are required: command")
		}
		return invalidChoice(cmd, args[0])
	}
	return cmd
}

// invalidChoice tells of a word that should name a command below one.
func invalidChoice(cmd *cobra.Command, word string) error {
	var names []string
	for _, c := range cmd.Commands() {
		names = append(append(names, c.Name()), c.Aliases...)
	}
	meant := suggest.Nearest(word, names)
	if meant != "" {
		meant = "; did you mean '" + meant + "'?"
	}
	return fmt.Errorf("invalid choice: '%s' (choose from %s)%s", word, strings.Join(children(cmd), ", "), meant)
}

// addHelp adds the command help, which is cobra's but for words that name no command: they are errors.
func (p *program) addHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	help := child(root, "help")
	help.Run = nil
	help.RunE = func(_ *cobra.Command, words []string) error {
		cmd, rest := descend(root, insertOmitted(root, words))
		if len(rest) == 0 {
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		}
		p.leaf = cmd
		if cmd.HasSubCommands() {
			return invalidChoice(cmd, rest[0])
		}
		return &argparse.UnrecognizedError{Words: strings.Join(rest, " ")}
	}
}

// flagError tells of a value that an option does not take in the words of package argparse.
func flagError(err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	return fmt.Errorf("argument %s: %w", argparse.Display(invalid.GetFlag()), errors.Unwrap(invalid))
}

// insertOmitted puts the levels into a command line that were left out, after one that is wrong was taken out.
func insertOmitted(root *cobra.Command, args []string) []string {
	args = withoutStray(root, args)
	for i, cmd := 0, root; i < len(args); i++ {
		next := child(cmd, args[i])
		if next == nil {
			between := child(cmd, cmd.Annotations[omissible])
			if between == nil || child(between, args[i]) == nil {
				return args
			}
			args = slices.Insert(slices.Clone(args), i, between.Name())
			next = between
		}
		cmd = next
	}
	return args
}

// withoutStray takes the group out of a command line that says kube too much, as the guides of the Python client do:
// kube os cluster, kube project.
func withoutStray(root *cobra.Command, args []string) []string {
	if len(args) < 2 {
		return args
	}
	stray := child(root, args[0])
	if stray == nil || stray.Annotations[omissible] == "" {
		return args
	}
	if own := child(stray, stray.Annotations[omissible]); child(stray, args[1]) != nil || child(own, args[1]) != nil {
		return args
	}
	if next := child(root, args[1]); next != nil && next.HasSubCommands() {
		return args[1:]
	}
	for _, group := range root.Commands() {
		if child(group, args[1]) != nil {
			return append([]string{group.Name()}, args[1:]...)
		}
	}
	return args
}

// descend follows the words of a command line as far as they name commands.
func descend(root *cobra.Command, args []string) (cmd *cobra.Command, rest []string) {
	cmd = root
	for len(args) > 0 {
		next := child(cmd, args[0])
		if next == nil {
			break
		}
		cmd, args = next, args[1:]
	}
	return cmd, args
}

func child(cmd *cobra.Command, word string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == word && word != "" || c.HasAlias(word) {
			return c
		}
	}
	return nil
}

// isHidden says whether a command line is the shell's, asking what could come next.
func isHidden(args []string) bool { return len(args) > 0 && strings.HasPrefix(args[0], "__") }

// allFlags returns the flags of a command with --help, which is as old as the oldest.
func allFlags(cmd *cobra.Command) *pflag.FlagSet {
	cmd.InitDefaultHelpFlag()
	help := pflag.NewFlagSet("help", pflag.ContinueOnError)
	help.AddFlag(cmd.Flags().Lookup("help"))
	argparse.Old(help)
	return cmd.Flags()
}

// useLine is the command line of a command in short.
func useLine(cmd *cobra.Command) string {
	if names := children(cmd); len(names) > 0 {
		return cmd.CommandPath() + " {" + strings.Join(names, ",") + "} ..."
	}
	return cmd.UseLine()
}

// children lists the names of the commands below one.
func children(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}
