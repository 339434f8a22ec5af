package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// run marks that the command line was understood.
func (p *program) run(f func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := checkValues(cmd.Flags()); err != nil {
			return err
		}
		p.started = true
		if f := cmd.Flags().Lookup("output"); f != nil {
			p.output.form = f.Value.String()
		}
		return f(cmd, args)
	}
}

// checkValues refuses texts that are empty, since most of them are empty variables of a script and would change what the
// command does, and standard input for two files, of which the second would be empty.
func checkValues(flags *pflag.FlagSet) (err error) {
	var stdin *pflag.Flag
	flags.Visit(func(f *pflag.Flag) {
		_, file := f.Value.(*option.File)
		switch {
		case f.Value.Type() == "string" && f.Value.String() == "":
			err = fmt.Errorf("argument %s: must not be empty", argparse.Display(f))
		case file && f.Value.String() == "-" && stdin != nil:
			err = fmt.Errorf("argument %s: standard input is read for %s already", argparse.Display(f), argparse.Display(stdin))
		case file && f.Value.String() == "-":
			stdin = f
		}
	})
	return err
}
