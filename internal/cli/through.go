package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// through makes a command that leads to where an application runs. Beside the common options it has none: what comes from
// there is written as it is.
func (p *program) through(k *presentation, use, short string, args cobra.PositionalArgs, examples ...string) (*cobra.Command, commonOptions) {
	cmd := &cobra.Command{Use: use, Short: short, Args: args, ValidArgsFunction: p.objects(firstOnly(k.kind), false, nameOfItem)}
	for i, e := range examples {
		if i > 0 {
			cmd.Example += "\n"
		}
		cmd.Example += fmt.Sprintf("  %s kube app %s %s", p.Name, cmd.Name(), e)
	}
	o := commonOptions{config: addConfig(cmd), namespace: new(string)}
	cmd.Flags().StringVarP(o.namespace, "namespace", "n", "", "`NAMESPACE` instead of the configured user's")
	return cmd, o
}

// nameAnd wants the name of an application, and more words of which usage speaks.
func nameAnd(more string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return errors.New("the following arguments are required: NAME, " + more)
		case args[0] == "":
			return errors.New("argument NAME: must not be empty")
		case len(args) == 1:
			return errors.New("the following arguments are required: " + more)
		}
		return nil
	}
}

// exitError ends the program with a code of its own. Without a cause nothing is said.
type exitError struct {
	code  int
	cause error
}

func (e *exitError) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.cause.Error()
}

func (e *exitError) Unwrap() error { return e.cause }

// exit ends a run that has a code of its own.
func (p *program) exit(e *exitError) int {
	switch {
	case e.cause == nil:
	case isUsage(e.cause):
		return p.usage(e.cause)
	default:
		p.report(e.cause)
	}
	return e.code
}
