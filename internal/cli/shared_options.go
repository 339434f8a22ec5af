package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// backoff holds the options that say how often something is tried again. What was typed is sent as text, as scripts
// have always had it; the API reads numbers from it.
type backoff struct {
	cmd                  *cobra.Command
	factor, delay, limit string
}

func addBackoff(cmd *cobra.Command) *backoff {
	b := &backoff{cmd: cmd}
	flags := cmd.Flags()
	flags.StringVar(&b.factor, "backoff", "1", "`FACTOR` by which the delay grows with every attempt")
	flags.StringVar(&b.delay, "backoff-delay", "1", "`SECONDS` before the next attempt")
	flags.StringVar(&b.limit, "backoff-limit", "-1", "`NUMBER` of attempts, -1 for any number")
	return b
}

// typed puts what was typed into a specification.
func (b *backoff) typed(spec *document.Object) {
	for _, o := range []struct{ flag, key, value string }{
		{"backoff", "backoff", b.factor}, {"backoff-delay", "backoff_delay", b.delay},
		{"backoff-limit", "backoff_limit", b.limit},
	} {
		if b.cmd.Flags().Changed(o.flag) {
			spec.Set(o.key, o.value)
		}
	}
}

// all puts what was typed into a specification, and the defaults for the rest.
func (b *backoff) all(spec *document.Object) {
	spec.Set("backoff", 1)
	spec.Set("backoff_delay", 1)
	spec.Set("backoff_limit", -1)
	b.typed(spec)
}

// addFile adds an option that names a file to read.
func addFile(cmd *cobra.Command, name, short, help string) *option.File {
	file := new(option.File)
	cmd.Flags().VarP(file, name, short, help)
	return file
}

// refuse is an error when one of the options was given, which would have no effect.
func refuse(cmd *cobra.Command, why string, names ...string) error {
	for _, name := range names {
		if f := cmd.Flags().Lookup(name); f.Changed {
			return usagef("argument %s: %s", argparse.Display(f), why)
		}
	}
	return nil
}

func addLabels(cmd *cobra.Command) *option.Labels {
	labels := &option.Labels{}
	cmd.Flags().VarP(labels, "label", "l", "label, may be repeated")
	argparse.Spelled(cmd.Flags(), "label", "--labels", "-a", "--annotation")
	return labels
}

// labelsObject gives labels as they are sent, sorted.
func labelsObject(labels option.Labels) *document.Object {
	o := document.New()
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		o.Set(key, labels[key])
	}
	return o
}

// mergeLabels adds labels to those of an object, after removing these when empty is set.
func mergeLabels(doc *document.Object, labels option.Labels, empty bool) {
	old, _ := document.At(doc, "metadata", "labels").(*document.Object)
	if old == nil || empty {
		old = document.New()
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		old.Set(key, labels[key])
	}
	document.Put(doc, old, "metadata", "labels")
}

// addMetrics adds the options for the metrics of a namespace and for the global ones, which fill one list.
func addMetrics(cmd *cobra.Command) *[]option.Metric {
	list := &[]option.Metric{}
	flags := cmd.Flags()
	flags.Var(&option.Metrics{List: list, Namespaced: true}, "metric", "metric of the namespace and its weight, may be repeated")
	flags.Var(&option.Metrics{List: list}, "global-metric", "global metric and its weight, may be repeated")
	argparse.Spelled(flags, "metric", "-m")
	argparse.Spelled(flags, "global-metric", "-gm")
	return list
}

// addGlobalMetrics adds the option for the metrics of an object that is global itself. It was called --metric once.
func addGlobalMetrics(cmd *cobra.Command) *[]option.Metric {
	list := &[]option.Metric{}
	cmd.Flags().Var(&option.Metrics{List: list}, "global-metric", "global metric and its weight, may be repeated")
	argparse.Spelled(cmd.Flags(), "global-metric", "-gm", "--metric", "-m")
	return list
}

// addTexts adds an option that may be repeated.
func addTexts(cmd *cobra.Command, name, short, value, help string, spellings ...string) *option.Texts {
	texts := &option.Texts{Name: value}
	cmd.Flags().VarP(texts, name, short, help+", may be repeated")
	argparse.Spelled(cmd.Flags(), name, spellings...)
	return texts
}

// What constraints look like.
const (
	labelForms  = "write KEY is VALUE, KEY is not VALUE, KEY in (A, B) or KEY not in (A, B)"
	metricForms = "write NAME < NUMBER, or with >, <=, >=, = or !="
)

// checkConstraints says before a request what the server would refuse.
func checkConstraints(labels, metrics *option.Texts) error {
	for _, text := range labels.Values {
		if _, err := constraint.ParseLabel(text); err != nil {
			return fmt.Errorf("the label constraint '%s' is not valid: %w", text, formOr(labelForms, err))
		}
	}
	for _, text := range metrics.Values {
		if _, err := constraint.ParseMetric(text); err != nil {
			return fmt.Errorf("the metric constraint '%s' is not valid: %w", text, formOr(metricForms, err))
		}
	}
	return nil
}

// formOr gives the forms of a constraint in place of an error that says no more than that it has none of them.
func formOr(forms string, err error) error {
	if syntax := new(constraint.SyntaxError); errors.As(err, &syntax) {
		return errors.New(forms)
	}
	return err
}

// list gives texts as they are sent: [] for none.
func (t texts) list() []any {
	out := make([]any, len(t))
	for i, s := range t {
		out[i] = s
	}
	return out
}

type texts []string

// extend adds texts to a list in a document, after removing what is there when empty is set.
func extend(doc *document.Object, more []string, empty bool, path ...string) {
	if len(more) == 0 && !empty {
		return
	}
	list := []any{} // never nil, which would be sent as null
	if !empty {
		list = append(list, document.List(doc, path...)...)
	}
	document.Put(doc, append(list, texts(more).list()...), path...)
}

// replace sets a list in a document to texts when there are any, or when empty is set.
func replace(doc *document.Object, more []string, empty bool, path ...string) {
	if len(more) > 0 || empty {
		document.Put(doc, texts(more).list(), path...)
	}
}

// require is an error when one of the options was not given.
func require(cmd *cobra.Command, names ...string) error {
	var missing []string
	for _, name := range names {
		if f := cmd.Flags().Lookup(name); !f.Changed {
			missing = append(missing, argparse.Display(f))
		}
	}
	if len(missing) > 0 {
		return usagef("the following arguments are required: %s", strings.Join(missing, ", "))
	}
	return nil
}

// anyOf is an error when none of the options was given: an update needs something to change.
func anyOf(cmd *cobra.Command, names ...string) error {
	given := func(name string) bool { return cmd.Flags().Changed(name) }
	if slices.ContainsFunc(names, given) {
		return nil
	}
	return fmt.Errorf("there is nothing to change: give at least one of %s", displayed(cmd, names))
}

// displayed lists options.
func displayed(cmd *cobra.Command, names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = argparse.Display(cmd.Flags().Lookup(name))
	}
	return strings.Join(out, ", ")
}

// addOldName accepts --name NAME in place of the argument, as it was until 2022. Where there is an argument, it is the
// short form of --namespace, as ever. The function that is returned gives the name.
func addOldName(cmd *cobra.Command, o commonOptions) func(args []string) string {
	name := cmd.Flags().String("name", "", "former spelling of the argument NAME")
	cmd.Flags().Lookup("name").Hidden = true
	one := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case *name == "":
			return one(cmd, args)
		case len(args) == 0:
			return nil
		case cmd.Flags().Lookup("namespace") == nil:
			return &argparse.UnrecognizedError{Words: "--name"}
		}
		*o.namespace = *name
		return one(cmd, args)
	}
	return func(args []string) string {
		if len(args) > 0 {
			return args[0]
		}
		return *name
	}
}

// metricList gives metrics as they are sent: [] for none.
func metricList(list []option.Metric) []any {
	out := []any{}
	for _, m := range list {
		out = append(out, m)
	}
	return out
}
