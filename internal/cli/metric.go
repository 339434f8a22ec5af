package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// metrics are those of the whole installation or those of a namespace. The option that names their provider is called
// after the kind of it.
func metrics(kind *api.Kind, provider string, aliases ...string) presentation {
	verb := func(add func(*program, *presentation, string) *cobra.Command) func(*program, *presentation) *cobra.Command {
		return func(p *program, k *presentation) *cobra.Command { return add(p, k, provider) }
	}
	return presentation{
		kind:    kind,
		aliases: aliases,
		list: with(view.Base,
			view.Column{Label: "provider", Path: "spec.provider.name"},
			view.Column{Label: "min", Path: "spec.min"},
			view.Column{Label: "max", Path: "spec.max"},
			view.Column{Label: "allowed_values", Path: "spec.allowed_values"},
		),
		answers: []view.Column{
			{Label: "value", Path: "status.value"},
			{Label: "read_at", Path: "status.read_at", Render: view.Time},
			{Label: "error", Path: "status", Render: view.Failure},
		},
		idempotent: true,
		more: []func(*program, *presentation) *cobra.Command{
			verb((*program).createMetric), verb((*program).updateMetric),
		},
	}
}

// metricOptions say which values a metric can have and where they come from. Bounds are sent as texts, as scripts have
// always had it; the API reads numbers from them.
type metricOptions struct {
	provider, metric string
	min, max         option.Decimal
	allowed          option.Ints
	direction        option.Choice
	outOfRange       option.Choice
}

func addMetricOptions(cmd *cobra.Command, provider string) *metricOptions {
	o := &metricOptions{direction: option.Choice{Words: api.Direction("").Members()}, outOfRange: option.Choice{Words: api.OutOfRange("").Members()}}
	flags := cmd.Flags()
	flags.StringVar(&o.provider, provider, "", "`NAME` of the provider that has the metric")
	flags.StringVar(&o.metric, "metric-name", "", "`NAME` of the metric at its provider (default the metric's own)")
	flags.Var(&o.min, "min", "least value")
	flags.Var(&o.max, "max", "greatest value")
	flags.Var(&o.allowed, "allowed-values", "whole numbers that are the only values; without any, all between the bounds are")
	argparse.Old(flags)
	flags.Var(&o.direction, "direction", "which values are the better ones (default higher)")
	flags.Var(&o.outOfRange, "out-of-range", "whether a value out of the bounds is none, or counts as the nearest one (default reject)")
	return o
}

func (p *program) createMetric(k *presentation, provider string) *cobra.Command {
	cmd, common := p.command(k, "create NAME", "Create a metric", "load --"+provider+" my-prometheus --min 0 --max 1",
		"heat --"+provider+" my-values --min 0 --max 5 --allowed-values 0 1 5 --metric-name heat_demand_zone_1")
	cmd.Use = "create NAME --" + provider + " PROVIDER --min NUMBER --max NUMBER"
	o := addMetricOptions(cmd, provider)
	named := addOldName(cmd, common)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if err := require(cmd, provider, "min", "max"); err != nil {
			return err
		}
		name := named(args)
		doc := newObject(k.kind, name)
		doc.Set("spec", document.New("min", o.min.Text, "max", o.max.Text, "allowed_values", o.sorted(),
			"provider", document.New("name", o.provider, "metric", cmp.Or(o.metric, name))))
		o.prefer(doc)
		if err := p.checkBounds(doc); err != nil {
			return err
		}
		return p.create(cmd.Context(), k, common, doc)
	})
	return cmd
}

func (p *program) updateMetric(k *presentation, provider string) *cobra.Command {
	cmd, common := p.command(k, "update NAME", "Change a metric", "load --max 100", "heat --allowed-values 1 2 3")
	o := addMetricOptions(cmd, provider)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		return p.update(cmd.Context(), k, common, args[0], func(doc *document.Object) error {
			if err := anyOf(cmd, provider, "metric-name", "min", "max", "allowed-values", "direction", "out-of-range"); err != nil {
				return err
			}
			o.change(doc)
			return p.checkBounds(doc)
		})
	})
	return cmd
}

// change writes what was typed into a metric.
func (o *metricOptions) change(doc *document.Object) {
	for _, v := range []struct {
		value string
		path  []string
	}{
		{o.provider, []string{"spec", "provider", "name"}}, {o.metric, []string{"spec", "provider", "metric"}},
		{o.min.Text, []string{"spec", "min"}}, {o.max.Text, []string{"spec", "max"}},
	} {
		if v.value != "" {
			document.Put(doc, v.value, v.path...)
		}
	}
	if o.allowed.Given {
		document.Put(doc, o.sorted(), "spec", "allowed_values")
	}
	o.prefer(doc)
}

// prefer writes which values are good, if that was typed.
func (o *metricOptions) prefer(doc *document.Object) {
	if o.direction.Value != "" {
		document.Put(doc, o.direction.Value, "spec", "direction")
	}
	if o.outOfRange.Value != "" {
		document.Put(doc, o.outOfRange.Value, "spec", "out_of_range")
	}
}

// sorted are the allowed values as they are sent, the least one first.
func (o *metricOptions) sorted() []any {
	out := []any{}
	for _, n := range slices.Sorted(slices.Values(o.allowed.Values)) {
		out = append(out, json.Number(strconv.FormatInt(n, 10)))
	}
	return out
}

// checkBounds is an error if a metric cannot have a value. A person is told of an allowed value that it cannot have;
// scripts have always got away with it.
func (p *program) checkBounds(doc *document.Object) error {
	low, high := number(document.At(doc, "spec", "min")), number(document.At(doc, "spec", "max"))
	if low > high {
		return fmt.Errorf("the least value %v is greater than the greatest, %v: change --min or --max", low, high)
	}
	for _, value := range document.List(doc, "spec", "allowed_values") {
		if n := number(value); n < low || n > high {
			p.hint("the allowed value %v is not between %v and %v", n, low, high)
		}
	}
	return nil
}

// number reads a number that is written as one or as a text.
func number(v any) float64 {
	f, _ := strconv.ParseFloat(fmt.Sprint(v), 64)
	return f
}
