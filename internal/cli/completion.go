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

const tcshCompletion = "complete %[1]s 'p,*,`%[1]s " + askedByTcsh + "`,'\n"

// bashAlone makes cobra's script work in a bash that lacks the package bash-completion. Words are those between blanks
// then.
const bashAlone = `
if ! declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
    __%[1]s_init_completion()
    {
        local line=${COMP_LINE:0:COMP_POINT}
        COMPREPLY=()
        read -ra words <<<"$line"
        if [[ $line == *[[:space:]] ]]; then
            words+=("")
        fi
        cword=$((${#words[@]} - 1))
        cur=${words[cword]}
        prev=${words[cword - 1]}
    }
fi
`

func bashCompletion(w io.Writer, root *cobra.Command) error {
	if err := root.GenBashCompletionV2(w, true); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, bashAlone, root.Name())
	return err
}

// completeForTcsh writes the words that may come next.
func (p *program) completeForTcsh(root *cobra.Command) error {
	line := p.Env("COMMAND_LINE")
	typed := strings.Fields(line)
	if strings.HasSuffix(line, " ") {
		typed = append(typed, "")
	}
	if len(typed) < 2 {
		return nil
	}
	var found bytes.Buffer
	root.SetOut(&found)
	root.SetErr(io.Discard)
	root.SetArgs(completionWords(root, append([]string{cobra.ShellCompNoDescRequestCmd}, typed[1:]...)))
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
	shell := option.Choice{Words: []string{"bash", "zsh", "tcsh", "fish", "powershell"}}
	root.Flags().Var(&shell, "print-completion", "print a script that completes command lines in this shell")
	_ = root.RegisterFlagCompletionFunc("print-completion", words(shell.Words...))
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
		"bash":       func(w io.Writer) error { return bashCompletion(w, root) },
		"zsh":        root.GenZshCompletion,
		"fish":       func(w io.Writer) error { return root.GenFishCompletion(w, true) },
		"powershell": root.GenPowerShellCompletionWithDesc,
		"tcsh":       func(w io.Writer) error { _, err := fmt.Fprintf(w, tcshCompletion, root.Name()); return err },
	}[shell](w)
}
