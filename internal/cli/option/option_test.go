package option_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// values is one value of each kind, as a command would have them.
type values struct {
	Decimal  option.Decimal
	Int      option.Int
	Ints     option.Ints
	Readings option.Readings
	Pair     option.Pair
	Rules    option.Rules
	Password option.Password
}

func (v *values) flags() *pflag.FlagSet {
	flags := pflag.NewFlagSet("command", pflag.ContinueOnError)
	flags.Var(&v.Decimal, "decimal", "")
	flags.Var(&v.Int, "int", "")
	flags.Var(&v.Ints, "ints", "")
	flags.Var(&v.Readings, "reading", "")
	flags.Var(&v.Pair, "pair", "")
	flags.Var(&v.Rules, "rule", "")
	flags.Var(&v.Password, "password", "")
	return flags
}

// read parses a line, whose words are separated by blanks.
func read(line string) (values, []string, error) {
	var v values
	flags := v.flags()
	words, err := argparse.Rewrite(flags, strings.Fields(line))
	if err != nil {
		return v, nil, err
	}
	err = flags.Parse(words)
	return v, flags.Args(), err
}

func TestValues(t *testing.T) {
	three := int64(3)
	for name, c := range map[string]struct {
		line string
		want values
		rest string
	}{
		"a number as it was typed":            {"--decimal -1.50", values{Decimal: option.Decimal{Text: "-1.50"}}, ""},
		"a whole number":                      {"--int 3 n", values{Int: option.Int{Value: &three}}, "n"},
		"whole numbers up to the name":        {"--ints 3 -1 2 n", values{Ints: option.Ints{Given: true, Values: []int64{3, -1, 2}}}, "n"},
		"no whole numbers":                    {"--ints n", values{Ints: option.Ints{Given: true, Values: []int64{}}}, "n"},
		"the last list of whole numbers":      {"--ints 1 2 --ints 3", values{Ints: option.Ints{Given: true, Values: []int64{3}}}, ""},
		"metrics with values":                 {"--reading a 0.5 --reading b -1 n", values{Readings: option.Readings{{Name: "a", Value: 0.5}, {Name: "b", Value: -1}}}, "n"},
		"two words":                           {"--pair id secret n", values{Pair: option.Pair{First: "id", Second: "secret"}}, "n"},
		"an empty password":                   {"--password=", values{}, ""},
		"a rule":                              {"--rule api=core;resources=a,b/status;namespaces=*;verbs=get", values{Rules: option.Rules{{API: "core", Resources: []string{"a", "b/status"}, Namespaces: []string{""}, Verbs: []string{"get"}}}}, ""},
		"a rule of everything, semicolon too": {"--rule verbs=*;", values{Rules: option.Rules{{Resources: []string{""}, Namespaces: []string{""}, Verbs: []string{"create", "list", "list_all", "get", "update", "delete"}}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, rest, err := read(c.line)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || strings.Join(rest, " ") != c.rest {
				t.Errorf("the rest is %q, -want +got:\n%s", rest, diff)
			}
		})
	}
}

func TestWhatIsNoValue(t *testing.T) {
	for line, want := range map[string]string{
		"--decimal low":          "'low' is not a number",
		"--decimal nan":          "'nan' is not a number",
		"--decimal 1e999":        "'1e999' is not a number",
		"--int 3.5":              "invalid int value: '3.5'",
		"--ints=many":            "invalid int value: 'many'",
		"--reading a":            "expected 2 arguments",
		"--reading a b":          "the value of metric 'a': 'b' is not a number",
		"--pair id":              "expected 2 arguments",
		"--pair=id":              "expected 2 arguments",
		"--rule verbs":           "not of the form KEY=VALUE,VALUE",
		"--rule verbs=":          "has an empty value",
		"--rule namespaces=a":    "a rule has verbs",
		"--rule verbs=get,run":   "invalid verb: 'run'",
		"--rule api=a,b;verbs=*": "a rule has one api",
	} {
		t.Run(line, func(t *testing.T) {
			_, _, err := read(line)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

// TestNoHelpShowsAPassword that is set already.
func TestNoHelpShowsAPassword(t *testing.T) {
	v, _, err := read("--password secret")
	if err != nil || v.Password != "secret" {
		t.Fatalf("%v, %v", v, err)
	}
	if usage := v.flags().FlagUsages(); strings.Contains(usage, "secret") {
		t.Error(usage)
	}
}
