package argparse_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// command has one option of each sort, as the commands of the Python client do, and one that is new.
func command() *pflag.FlagSet {
	flags := pflag.NewFlagSet("create", pflag.ContinueOnError)
	flags.StringP("file", "f", "", "")
	flags.StringP("namespace", "n", "", "")
	flags.BoolP("all", "a", false, "")
	flags.VarP(&option.Choice{Value: "table", Words: []string{"table", "json", "yaml"}}, "output", "o", "")
	flags.VarP(&option.Labels{}, "label", "l", "")
	flags.String("backoff", "1", "")
	flags.String("backoff-delay", "1", "")
	flags.String("backoff-limit", "-1", "")
	flags.StringP("observer-schema-file", "O", "", "")
	flags.String("min", "", "")
	flags.String("max", "", "")
	flags.Var(&option.Wait{States: []string{"creating", "pending", "running"}, Default: "running"}, "wait", "")
	flags.Var(&option.Metrics{List: &[]option.Metric{}}, "metric", "")
	flags.Var(&option.Shutdown{Hooks: &option.Hooks{}}, "hook-shutdown", "")
	flags.VarP(&option.Inject{}, "inject", "i", "")
	flags.StringP("cluster-label-constraint", "L", "", "")
	flags.String("username", "", "")
	argparse.Old(flags)
	argparse.Spelled(flags, "metric", "-m", "-gm")
	argparse.Spelled(flags, "label", "--labels")
	argparse.Spelled(flags, "cluster-label-constraint", "-cl")
	flags.String("widest", "", "")
	flags.String("users", "", "")
	return flags
}

func TestWhole(t *testing.T) {
	for word, want := range map[string]string{
		"--out": "--output", "--file": "--file", "-o": "--output", "-m": "--metric", "-gm": "--metric", "--labels": "--label",
		"--backoff_d": "--backoff-delay", "--nothing": "--nothing", "-": "-", "--": "--", "x": "x", "-oj": "-oj", "--wide": "--wide",
	} {
		if got := argparse.Whole(command(), word); got != want {
			t.Errorf("%s is %s, not %s", word, got, want)
		}
	}
}

func TestRewrite(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"options and positionals in any order":        {"a -f x b --all", "--file=x --all=true -- a b"},
		"two dashes end the options":                  {"-a -- -f x -- y", "--all=true -- -f x -- y"},
		"a value in the same word":                    {"--file=x -o=json -ojson", "--file=x --output=json --output=json --"},
		"a value with an equals sign":                 {"--label=a=b -l c=d -le=f", "--label=a=b --label=c=d --label=e=f --"},
		"the start of a name":                         {"--out json --namesp x --user u", "--output=json --namespace=x --username=u --"},
		"a name that starts another one":              {"--backoff 2", "--backoff=2 --"},
		"an underscore is a dash":                     {"--backoff_delay 1 --observer_schema s", "--backoff-delay=1 --observer-schema-file=s --"},
		"negative numbers are values":                 {"--min -2 --max -1.5 --backoff_limit -1", "--min=-2 --max=-1.5 --backoff-limit=-1 --"},
		"a negative number is a positional":           {"-1 -.5", "-- -1 -.5"},
		"switches in one word with an option":         {"-an system:admin -aa -anx", "--all=true --namespace=system:admin --all=true --all=true --all=true --namespace=x --"},
		"a repeated option is left for the last":      {"--min 1 --min 2", "--min=1 --min=2 --"},
		"two words":                                   {"--metric load 1 --metric heat -2 n", "--metric=load\x001 --metric=heat\x00-2 -- n"},
		"former spellings":                            {"-m load 1 -gm heat 2 --labels a=b -cl 'x", "--metric=load\x001 --metric=heat\x002 --label=a=b --cluster-label-constraint='x --"},
		"a state to wait for":                         {"--wait running n", "--wait=running -- n"},
		"no state to wait for":                        {"--wait n --wait", "--wait= --wait= -- n"},
		"a state in the same word":                    {"--wait=pending n", "--wait=pending -- n"},
		"a hook with three words":                     {"--hook-shutdown 30 delete 3 n", "--hook-shutdown=30\x00delete\x003 -- n"},
		"a hook with one":                             {"--hook-shutdown 30 n", "--hook-shutdown=30 -- n"},
		"a hook with none":                            {"--hook-shutdown n", "--hook-shutdown= -- n"},
		"a hook with words that do not fit its order": {"--hook-shutdown delete 3", "--hook-shutdown= -- delete 3"},
		"as many words as fit":                        {"-i a=b c=d e", "--inject=a=b\x00c=d -- e"},
		"standard input":                              {"-f - n", "--file=- -- n"},
		"the full name of a new option":               {"--widest x", "--widest=x --"},
		"an empty value":                              {"--file= n", "--file= -- n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := argparse.Rewrite(command(), strings.Fields(c.line))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(c.want, " "), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRewriteTextsWithBlanks(t *testing.T) {
	got, err := argparse.Rewrite(command(), []string{"-L", "-x is not y", "- a", "--label=a= b"})
	want := []string{"--cluster-label-constraint=-x is not y", "--label=a= b", "--", "- a"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestRewriteRefuses(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"an unknown option":                  {"--nonsense", "unrecognized arguments: --nonsense"},
		"an unknown letter":                  {"-x", "unrecognized arguments: -x"},
		"an unknown letter after a switch":   {"-ax", "unrecognized arguments: -x"},
		"a start that several names have":    {"--back 1", "ambiguous option: --back could match --backoff, --backoff-delay, --backoff-limit"},
		"the start of a new option":          {"--wides x", "unrecognized arguments: --wides"},
		"the start of a former spelling":     {"--lab a=b --labe a=b --labell a=b", "unrecognized arguments: --labell"},
		"no value":                           {"--file", "argument -f/--file: expected one argument"},
		"an option where a value should be":  {"--file --all", "argument -f/--file: expected one argument"},
		"one word of two":                    {"--metric load --all", "argument --metric: expected 2 arguments"},
		"one word of two in the same word":   {"--metric=load 1", "argument --metric: expected 2 arguments"},
		"no word where one is needed":        {"-i", "argument -i/--inject: expected at least one argument"},
		"a word that is no assignment":       {"-i x", "argument -i/--inject: 'x' is not of the form KEY=VALUE"},
		"a word in one that does not fit it": {"--wait=x", "argument --wait: invalid choice: 'x' (choose from 'creating', 'pending', 'running')"},
		"no state in one that names one":     {"--wait=", `argument --wait: "" is not a value for it`},
		"a number that is none in one":       {"--hook-shutdown=x", "argument --hook-shutdown: 'x' does not fit [TIMEOUT [STRATEGY [RETRIES]]]"},
		"a switch that is given a value":     {"--all=false", "argument -a/--all: ignored explicit argument 'false'"},
		"a switch that is given its value":   {"--all=true", "argument -a/--all: ignored explicit argument 'true'"},
		"a switch that is given nothing":     {"--all=", "argument -a/--all: ignored explicit argument ''"},
		"the start of a switch with a value": {"--al=1", "argument -a/--all: ignored explicit argument '1'"},
		"a letter that is given a value":     {"-a=false", "argument -a/--all: ignored explicit argument 'false'"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := argparse.Rewrite(command(), strings.Fields(c.line))
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// realLines are command lines from guides and scripts of all years, less the words that name the command.
var realLines = []string{
	"", "-a", "-n system:admin", "-c octx -l location=DE -l tier=a=b --metric m1 1 --global-metric gm 2.5 -R a.b.c",
	"--width 80", "-f echo-demo.yaml echo-demo", "--file F e2 --wait --namespace system:admin",
	"e3 -f F -L location is DE -M load --hook-complete --hook-shutdown 30 delete 3 --disable-migration",
	"e4 -f F --hook-shutdown -O S.yaml", "e5 -u http://h/x.txt", "e6 -f F --enable-migration --disable-migration",
	"e6 -f F -l foo", "nope -o json", "echo-demo -l foo=bar --remove-existing-labels",
	"static_provider --type static -m electricity_cost_1 0.9 -m green_energy_ratio_1 0.1",
	"gm2 --gmp-name static_provider --min 0 --max 1.25 --allowed-values 3 1 2", "gm2 --min -2 --max -1",
	"c --type openstack --url http://ks --user u --project p --password x --global-infra-provider imp -o json",
	"-o xml", "--out json", "-ojson", "--output=json", "tc --cascade", "tc --force", "--print-completion bash",
}

// FuzzRewrite checks what must hold for every command line: pflag understands what comes out, and nothing is invented.
func FuzzRewrite(f *testing.F) {
	for _, line := range realLines {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Fields(line)
		got, err := argparse.Rewrite(command(), words)
		if err != nil {
			return
		}
		end := slices.Index(got, "--")
		for _, word := range got[:end] {
			name, _, ok := strings.Cut(strings.TrimPrefix(word, "--"), "=")
			if !ok || command().Lookup(name) == nil {
				t.Fatalf("%q gives %q, which sets no option", words, word)
			}
		}
		for _, positional := range got[end+1:] {
			if !slices.Contains(words, positional) {
				t.Fatalf("%q gives the positional %q, which nobody wrote", words, positional)
			}
		}
		again, err := argparse.Rewrite(command(), got[end:])
		if err != nil || !slices.Equal(again, got[end:]) {
			t.Fatalf("the positionals %q become %q, %v", got[end:], again, err)
		}
		flags := command()
		if err := flags.Parse(got); err == nil && !slices.Equal(flags.Args(), got[end+1:]) {
			t.Fatalf("pflag reads the positionals %q as %q", got[end+1:], flags.Args())
		}
	})
}
