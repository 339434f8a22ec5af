package argparse

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Annotations of flags.
const (
	oldOption = "argparse/old"
	spelling  = "argparse/spelling"
)

// Old marks the options that are defined so far as old ones: they can be cut short. Options defined later need their
// full name, so that an addition never takes away the short form of an old one.
func Old(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) { annotate(f, oldOption) })
}

// Spelled makes an option known under more names, such as -m or --hook. They count as they stand and cannot be cut
// short.
func Spelled(flags *pflag.FlagSet, name string, spellings ...string) {
	annotate(flags.Lookup(name), spelling, spellings...)
}

func annotate(f *pflag.Flag, key string, values ...string) {
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[key] = append(f.Annotations[key], values...)
}

func isOld(f *pflag.Flag) bool {
	_, ok := f.Annotations[oldOption]
	return ok
}

// Whole returns a word that means an option as pflag knows it: --out is --output, -m is --metric. Any other word is
// returned as it is.
func Whole(flags *pflag.FlagSet, word string) string {
	o := options{flags}
	var f *pflag.Flag
	if text, isLong := strings.CutPrefix(word, "--"); isLong {
		f, _ = o.long(text)
	} else if len(word) > 1 && word[0] == '-' {
		if short, _, whole := o.short(word); whole {
			f = short
		}
	}
	if f == nil {
		return word
	}
	return "--" + f.Name
}

// options finds the flags that words on the command line mean.
type options struct{ flags *pflag.FlagSet }

// long finds an option by what stands after --. It returns nil for an unknown one, and all that are meant when there
// are several.
func (o options) long(text string) (*pflag.Flag, []string) {
	text = dashes(text)
	if f := o.flags.Lookup(text); f != nil {
		return f, nil
	}
	if f := o.spelled("--" + text); f != nil {
		return f, nil
	}
	var found []*pflag.Flag
	o.flags.VisitAll(func(f *pflag.Flag) {
		if isOld(f) && strings.HasPrefix(f.Name, text) {
			found = append(found, f)
		}
	})
	if len(found) != 1 || text == "" {
		var names []string
		for _, f := range found {
			names = append(names, "--"+f.Name)
		}
		return nil, names
	}
	return found[0], nil
}

// short finds an option by a word with a single dash, and what of the word is left: its value, or more options.
func (o options) short(word string) (f *pflag.Flag, rest string, whole bool) {
	if f := o.spelled(word); f != nil {
		return f, "", true
	}
	letter := word[1:2]
	if f := o.flags.ShorthandLookup(letter); f != nil {
		return f, word[2:], len(word) == 2
	}
	return o.spelled("-" + letter), word[2:], len(word) == 2
}

func (o options) spelled(word string) *pflag.Flag {
	var found *pflag.Flag
	o.flags.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(f.Annotations[spelling], word) {
			found = f
		}
	})
	return found
}

// dashes makes _ and - the same: some old options are spelled with the one, some with the other.
func dashes(s string) string { return strings.ReplaceAll(s, "_", "-") }
