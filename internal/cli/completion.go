package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli/option"
)

// tcshCompletion asks rok for what may come next; cobra writes no script for this shell.
const tcshCompletion = "complete rok 'p@*@`rok __completeNoDesc $COMMAND_LINE:q:x |& sed -e \"/^:/,\\$d\"`@'\n"

// addCompletion adds the option --print-completion SHELL to the root.
func addCompletion(root *cobra.Command) {
	shell := option.Choice{Words: []string{"bash", "zsh", "tcsh", "fish"}}
	root.Flags().Var(&shell, "print-completion", "print a script that completes command lines in this shell")
	run := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if shell.Value == "" {
			return run(cmd, args)
		}
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
