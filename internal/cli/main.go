package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

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
	// Terminal is where a person sits; nil if In is none.
	Terminal Terminal
	// AskPassword asks a person for one; nil when nobody is there to ask.
	AskPassword func(ctx context.Context, question string) (string, error)
	// Ask asks a person for anything else; nil when nobody is there to ask.
	Ask func(ctx context.Context, question string) (string, error)
	Env func(string) string
	// Name is what this program is called, rok when empty. Scripts know it as krakectl, too.
	Name    string
	Version string // of this program, empty when its build does not say
}

// Process returns the world of this process.
func Process() IO {
	width := 0
	if term.IsTerminal(int(os.Stdout.Fd())) {
		if width, _, _ = term.GetSize(int(os.Stdout.Fd())); width <= 0 {
			width = 80
		}
	}
	world := IO{Name: nameOf(os.Args[0]), In: os.Stdin, Out: os.Stdout, Err: os.Stderr, OutWidth: width,
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())), Env: os.Getenv}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		world.Terminal = fileTerminal{os.Stdin, os.Stdout}
		world.AskPassword = func(ctx context.Context, question string) (string, error) {
			return askPassword(ctx, os.Stdin, os.Stderr, question)
		}
		world.Ask = func(ctx context.Context, question string) (string, error) {
			return ask(ctx, os.Stdin, os.Stderr, question)
		}
	}
	return world
}

// The names of this program.
const (
	currentName = "rok"
	formerName  = "krakectl" // of the Python client
)

// nameOf is what a program is called that was started by this word.
func nameOf(word string) string {
	if strings.TrimSuffix(filepath.Base(word), ".exe") == formerName {
		return formerName
	}
	return currentName
}

// Main runs one command line, without the program's name, and returns the exit code.
func Main(ctx context.Context, args []string, world IO) int {
	p := &program{IO: world}
	p.Name = cmp.Or(p.Name, currentName)
	root := p.root()
	p.leaf = root
	if len(args) == 1 && args[0] == askedByTcsh {
		if p.completeForTcsh(root) != nil {
			return exitFailure
		}
		return exitOK
	}
	if isHidden(args) && len(args) > 1 {
		args = completionWords(root, args)
	} else {
		args = insertOmitted(root, args)
	}
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
	var own *exitError
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &own):
		return p.exit(own)
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
	timeout time.Duration
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
			err = fmt.Errorf("%w (options stand after the operation, as in %s kube app list -o json)", err, cmd.Root().Name())
		}
		cmd = cmd.Root()
	}
	fmt.Fprintf(p.Err, "usage: %s\n%s: error: %v\n", useLine(cmd), cmd.CommandPath(), err)
	return exitUsage
}
