package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/yamlfile"
)

// password is a secret that stands on the command line or on standard input, or that a person is asked for. It is asked
// for once, even if an update has to be tried again.
type password struct {
	p          *program
	value      option.Password
	stdin, ask bool
}

// addPassword adds the option for a password on the command line.
func (p *program) addPassword(cmd *cobra.Command) *password {
	o := &password{p: p}
	cmd.Flags().Var(&o.value, "password", "password to log in with; others on this machine may see it, unlike one that is asked for")
	return o
}

// addSources adds the options for where else a password may come from. They are new: they come after the old ones.
func (o *password) addSources(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.stdin, "stdin-password", false, "read the password from standard input")
	cmd.Flags().BoolVar(&o.ask, "ask-password", false, "ask for the password on the terminal")
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		given := []string{}
		for _, name := range []string{"password", "stdin-password", "ask-password"} {
			if f := cmd.Flags().Lookup(name); f.Changed {
				given = append(given, argparse.Display(f))
			}
		}
		if len(given) > 1 {
			return fmt.Errorf("argument %s: not allowed with argument %s", given[1], given[0])
		}
		if before != nil {
			return before(cmd, args)
		}
		return nil
	}
}

// wanted says whether the command line speaks of a password.
func (o *password) wanted() bool { return o.value != "" || o.stdin || o.ask }

// change returns the new password of an update, empty if it stays. Named is the error of a command line that names
// nothing else to change; a person is asked then.
func (o *password) change(ctx context.Context, named error) (string, error) {
	switch {
	case o.wanted():
		return o.get(ctx, true)
	case named == nil:
		return "", nil
	case o.p.AskPassword != nil:
		return o.get(ctx, true)
	default:
		return "", fmt.Errorf("%w, --password, --stdin-password", named)
	}
}

// get returns the password. When it is needed and the command line has none, a person is asked.
func (o *password) get(ctx context.Context, needed bool) (string, error) {
	var err error
	switch {
	case o.value != "" || !needed:
	case o.stdin:
		o.value, err = o.p.readPassword(ctx)
	case o.p.AskPassword == nil:
		err = errors.New("a password is needed, and there is no terminal to ask for it: give --password or --stdin-password")
	default:
		var text string
		if text, err = o.p.AskPassword(ctx, "Password: "); err == nil && text == "" {
			err = errors.New("the password is empty; nothing has been changed")
		}
		o.value = option.Password(text)
	}
	return string(o.value), err
}

// readPassword takes the first line of standard input.
func (p *program) readPassword(ctx context.Context) (option.Password, error) {
	data, err := yamlfile.Load(ctx, "-", p.In)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", errors.New("standard input has no password in its first line")
	}
	return option.Password(line), nil
}
