package argparse

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/pflag"
)

// A Taker is the value of an option that takes another number of words than one.
type Taker interface {
	pflag.Value
	// Take looks at the words up to the next option and says how many of them belong to this one. They reach Set as the
	// text that it returns.
	Take(following []string) (text string, n int, err error)
}

// UnrecognizedError names words that are neither options nor arguments of a command.
type UnrecognizedError struct{ Words string }

func (e *UnrecognizedError) Error() string { return "unrecognized arguments: " + e.Words }

var negative = regexp.MustCompile(`\A-(\d+|\d*\.\d+)\z`)

// Rewrite returns the arguments of a command with every option as --name=value, and the positionals at the end. Its
// errors are for the user and name the option as it is written.
func Rewrite(flags *pflag.FlagSet, args []string) ([]string, error) {
	r := rewriter{options: options{flags}, args: args}
	for len(r.args) > 0 {
		word := r.args[0]
		if word == "--" {
			r.positionals = append(r.positionals, r.args[1:]...)
			break
		}
		if !r.isOption(word) {
			r.positionals = append(r.positionals, word)
			r.args = r.args[1:]
			continue
		}
		r.args = r.args[1:]
		if err := r.option(word); err != nil {
			return nil, err
		}
	}
	return append(append(r.out, "--"), r.positionals...), nil
}

type rewriter struct {
	options
	args        []string // not looked at yet
	out         []string
	positionals []string
}

// isOption tells options from values and positionals: a lone dash means standard input, and a word with a blank in it
// was meant as a text unless it is an option that exists.
func (r *rewriter) isOption(word string) bool {
	switch {
	case len(word) < 2 || word[0] != '-':
		return false
	case negative.MatchString(word):
		return false
	case !strings.Contains(word, " "):
		return true
	}
	text, isLong := strings.CutPrefix(word, "--")
	if !isLong {
		f, _, _ := r.short(word)
		return f != nil
	}
	name, _, _ := strings.Cut(text, "=")
	f, _ := r.long(name)
	return f != nil
}

func (r *rewriter) option(word string) error {
	text, isLong := strings.CutPrefix(word, "--")
	if !isLong {
		return r.shortOption(word)
	}
	name, value, given := strings.Cut(text, "=")
	f, candidates := r.long(name)
	switch {
	case len(candidates) > 0:
		return fmt.Errorf("ambiguous option: --%s could match %s", name, strings.Join(candidates, ", "))
	case f == nil:
		return &UnrecognizedError{word}
	case given:
		return r.give(f, value)
	default:
		return r.take(f)
	}
}

func (r *rewriter) shortOption(word string) error {
	f, rest, whole := r.short(word)
	switch {
	case f == nil:
		return &UnrecognizedError{word}
	case whole:
		return r.take(f)
	case f.NoOptDefVal != "" && rest[0] != '=': // a switch, others may follow: -an NAMESPACE
		r.emit(f, f.NoOptDefVal)
		return r.shortOption("-" + rest)
	default:
		return r.give(f, strings.TrimPrefix(rest, "="))
	}
}

// give sets an option to the value in the same word. Switches have none: on=false must not mean on.
func (r *rewriter) give(f *pflag.Flag, value string) error {
	if f.NoOptDefVal != "" {
		return fmt.Errorf("argument %s: ignored explicit argument '%s'", Display(f), value)
	}
	taker, ok := f.Value.(Taker)
	if !ok {
		r.emit(f, value)
		return nil
	}
	text, n, err := taker.Take([]string{value})
	if err == nil && n != 1 {
		err = misfit(taker, value)
	}
	return r.finish(f, text, err)
}

// misfit says why a word is not for an option that left it alone. The option itself knows best.
func misfit(taker Taker, value string) error {
	if err := taker.Set(value); err != nil {
		return err
	}
	return fmt.Errorf("%q is not a value for it", value)
}

// take sets an option to the words that follow.
func (r *rewriter) take(f *pflag.Flag) error {
	if taker, ok := f.Value.(Taker); ok {
		text, n, err := taker.Take(r.following())
		if err == nil {
			r.args = r.args[n:]
		}
		return r.finish(f, text, err)
	}
	if f.NoOptDefVal != "" {
		r.emit(f, f.NoOptDefVal)
		return nil
	}
	if len(r.following()) == 0 {
		return fmt.Errorf("argument %s: expected one argument", Display(f))
	}
	r.emit(f, r.args[0])
	r.args = r.args[1:]
	return nil
}

func (r *rewriter) finish(f *pflag.Flag, text string, err error) error {
	if err != nil {
		return fmt.Errorf("argument %s: %w", Display(f), err)
	}
	r.emit(f, text)
	return nil
}

func (r *rewriter) following() []string {
	for i, word := range r.args {
		if word == "--" || r.isOption(word) {
			return r.args[:i]
		}
	}
	return r.args
}

func (r *rewriter) emit(f *pflag.Flag, value string) { r.out = append(r.out, "--"+f.Name+"="+value) }

// Display names an option as the usage text does: -o/--output.
func Display(f *pflag.Flag) string {
	if f.Shorthand == "" {
		return "--" + f.Name
	}
	return "-" + f.Shorthand + "/--" + f.Name
}
