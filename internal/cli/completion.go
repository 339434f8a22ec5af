package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// askedByTcsh is the command by which tcsh, for which cobra writes no script, asks what may come next. The shell leaves
// the line as it is so far in $COMMAND_LINE.
const askedByTcsh = "__tcsh"

const tcshCompletion = "complete rok 'p,*,`rok " + askedByTcsh + "`,'\n"

// completeForTcsh writes the words that may come next.
func (p *program) completeForTcsh(root *cobra.Command) error {
	line := p.Env("COMMAND_LINE")
	words := strings.Fields(line)
	if strings.HasSuffix(line, " ") {
		words = append(words, "")
	}
	if len(words) < 2 {
		return nil
	}
	var found bytes.Buffer
	root.SetOut(&found)
	root.SetErr(io.Discard)
	root.SetArgs(append([]string{cobra.ShellCompNoDescRequestCmd}, words[1:]...))
	if err := root.Execute(); err != nil {
		return err
	}
	for word := range strings.Lines(found.String()) {
		if !strings.HasPrefix(word, ":") { // what cobra tells its own scripts
			fmt.Fprint(p.Out, word)
		}
	}
	return nil
}

// addCompletion adds the option --print-completion SHELL to the root.
func (p *program) addCompletion(root *cobra.Command) {
	shell := option.Choice{Words: []string{"bash", "zsh", "tcsh", "fish"}}
	root.Flags().Var(&shell, "print-completion", "print a script that completes command lines in this shell")
	argparse.Old(root.Flags())
	run := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if shell.Value == "" {
			return run(cmd, args)
		}
		p.started = true
		return printCompletion(cmd, shell.Value)
	}
}

func printCompletion(root *cobra.Command, shell string) error {
	w := root.OutOrStdout()
	return map[string]func(io.Writer) error{
		"bash": func(w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"zsh":  root.GenZshCompletion,
		"fish": func(w io.Writer) error { return root.GenFishCompletion(w, true) },
		"tcsh": func(w io.Writer) error { _, err := fmt.Fprint(w, tcshCompletion); return err },
	}[shell](w)
}
