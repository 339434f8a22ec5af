package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rak-n-rok/krake/internal/cli/argparse"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// IO is what a command has of the world around it.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	// OutWidth is how many characters a line on a terminal has, 0 when Out is none.
	OutWidth    int
	ErrTerminal bool
	Env         func(string) string
	Version     string // of this program, empty when its build does not say
}

// Process returns the world of this process.
func Process() IO {
	width := 0
	if term.IsTerminal(int(os.Stdout.Fd())) {
		if width, _, _ = term.GetSize(int(os.Stdout.Fd())); width <= 0 {
			width = 80
		}
	}
	return IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, OutWidth: width,
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())), Env: os.Getenv}
}

// Main runs one command line, without the program's name, and returns the exit code.
func Main(ctx context.Context, args []string, world IO) int {
	p := &program{IO: world}
	root := p.root()
	p.leaf = root
	if len(args) == 1 && args[0] == askedByTcsh {
		if p.completeForTcsh(root) != nil {
			return exitFailure
		}
		return exitOK
	}
	args = insertOmitted(root, args)
	leaf, rest := descend(root, args)
	p.leaf = leaf
	if leaf.Runnable() && !isHidden(args) {
		words, err := argparse.Rewrite(allFlags(leaf), rest)
		if err != nil {
			return p.usage(err)
		}
		args = append(args[:len(args)-len(rest):len(args)-len(rest)], words...)
	}
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case !p.started || isUsage(err):
		return p.usage(err)
	default:
		p.report(err)
		return exitFailure
	}
}

// program is one run of rok.
type program struct {
	IO
	leaf    *cobra.Command // that the command line names, as far as it names one
	started bool           // everything after is no error of usage any more
	output  output
	apiURL  string // where requests go, empty before that is known
}

// usageError is an error in the command line that shows only once the command runs.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func isUsage(err error) bool {
	var u usageError
	return errors.As(err, &u)
}

// usage tells what is wrong with the command line. What is too much is told by the program as a whole, as scripts know it.
func (p *program) usage(err error) int {
	cmd := p.leaf
	if unrecognized := new(argparse.UnrecognizedError); errors.As(err, &unrecognized) {
		if cmd.HasSubCommands() {
			err = fmt.Errorf("%w (options stand after the operation, as in rok kube app list -o json)", err)
		}
		cmd = cmd.Root()
	}
	fmt.Fprintf(p.Err, "usage: %s\n%s: error: %v\n", useLine(cmd), cmd.CommandPath(), err)
	return exitUsage
}
