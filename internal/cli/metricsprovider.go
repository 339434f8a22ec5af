package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// metricsProviderTypes are the types of providers, each with the options that it needs, in the order in which their
// lack is told.
var metricsProviderTypes = map[string][]string{
	"prometheus": {"url"},
	"static":     {"metric"},
	"kafka":      {"url", "comparison-column", "value-column", "table"},
	"influx":     {"url", "token", "org", "bucket"},
}

// moreOptions are those that a provider of a type may have beside.
var moreOptions = map[string][]string{"prometheus": loginOptions}

// optionsOf are all options of a type.
func optionsOf(kind string) []string {
	return slices.Concat(metricsProviderTypes[kind], moreOptions[kind])
}

// metricsProviders are those of the whole installation or those of a namespace.
func metricsProviders(kind *api.Kind, aliases ...string) presentation {
	return presentation{
		kind:    kind,
		aliases: aliases,
		list:    with(view.Base, view.Column{Label: "type", Header: "mp_type", Path: "spec.type"}),
		byType: map[string][]view.Column{
			"prometheus": {{Label: "url", Path: "spec.prometheus.url"}},
			"static":     {{Label: "metrics", Path: "spec.static.metrics", Render: view.Readings}},
			"kafka": {
				{Label: "url", Path: "spec.kafka.url"},
				{Label: "comparison_column", Path: "spec.kafka.comparison_column"},
				{Label: "value_column", Path: "spec.kafka.value_column"},
				{Label: "table", Path: "spec.kafka.table"},
			},
			"influx": {
				{Label: "url", Path: "spec.influx.url"},
				{Label: "token", Path: "spec.influx.token", Render: view.Secret},
				{Label: "org", Path: "spec.influx.org"},
				{Label: "bucket", Path: "spec.influx.bucket"},
			},
		},
		unusual:    loginRows,
		idempotent: true,
		more: []func(*program, *presentation) *cobra.Command{
			(*program).createMetricsProvider, (*program).updateMetricsProvider,
		},
	}
}

// metricsProviderOptions say where a provider is and what it is asked for.
type metricsProviderOptions struct {
	commonOptions
	cmd     *cobra.Command
	metrics option.Readings
	login   *login
}

func (p *program) addMetricsProviderOptions(cmd *cobra.Command, common commonOptions) *metricsProviderOptions {
	o := &metricsProviderOptions{commonOptions: common, cmd: cmd}
	flags := cmd.Flags()
	flags.String("url", "", "`URL` of the provider (prometheus, kafka, influx)")
	flags.VarP(&o.metrics, "metric", "m", "metric and its value, may be repeated (static)")
	flags.String("comparison-column", "", "`COLUMN` that names the metrics (kafka)")
	flags.String("value-column", "", "`COLUMN` with their values (kafka)")
	flags.String("table", "", "`TABLE` that has both columns (kafka)")
	flags.String("token", "", "`TOKEN` to log in with (influx, prometheus)")
	flags.String("org", "", "`ORGANISATION` that owns the bucket (influx)")
	flags.String("bucket", "", "`BUCKET` with the metrics (influx)")
	argparse.Old(flags)
	o.login = p.addLogin(cmd)
	return o
}

func (p *program) createMetricsProvider(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "create NAME", "Create a provider of metrics",
		"my-prometheus --type prometheus --url http://prometheus:9090",
		"my-prometheus --type prometheus --url https://prometheus:9090 --username krake --ask-password", "my-values --type static -m load 0.9 -m price 0.1",
		"my-table --type kafka --url http://ksql:8088 --comparison-column id --value-column value --table metrics",
		"my-bucket --type influx --url http://influx:8086 --token SECRET --org me --bucket metrics")
	cmd.Use = "create NAME --type TYPE"
	kind := cmd.Flags().String("type", "", "`TYPE` of the provider: "+strings.Join(slices.Sorted(maps.Keys(metricsProviderTypes)), ", "))
	o := p.addMetricsProviderOptions(cmd, common)
	named := addOldName(cmd, common)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if err := require(cmd, "type"); err != nil {
			return err
		}
		if err := o.suit(*kind); err != nil {
			return err
		}
		for _, name := range metricsProviderTypes[*kind] {
			if f := cmd.Flags().Lookup(name); !f.Changed {
				return fmt.Errorf("a provider of type %s needs the option %s", *kind, argparse.Display(f))
			}
		}
		spec := document.New()
		if err := o.put(cmd.Context(), *kind, spec); err != nil {
			return err
		}
		doc := newObject(k.kind, named(args))
		doc.Set("spec", document.New("type", *kind, *kind, spec))
		return p.create(cmd.Context(), k, common, doc)
	})
	return cmd
}

func (p *program) updateMetricsProvider(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "update NAME", "Change a provider of metrics",
		"my-prometheus --url http://prometheus:9091", "my-values -m load 0.5 -m price 0.2")
	cmd.Long = "Change a provider of metrics. Its type remains. The metrics of a static one replace those that it has."
	o := p.addMetricsProviderOptions(cmd, common)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		return p.update(cmd.Context(), k, common, args[0], func(doc *document.Object) error {
			kind := document.Text(doc, "spec", "type")
			if err := o.suit(kind); err != nil {
				return err
			}
			if err := anyOf(cmd, optionsOf(kind)...); err != nil {
				return err
			}
			if spec, ok := document.At(doc, "spec", kind).(*document.Object); ok {
				return o.put(cmd.Context(), kind, spec)
			}
			return nil
		})
	})
	return cmd
}

// suit is an error if the type is unknown or an option says something that a provider of this type does not have.
func (o *metricsProviderOptions) suit(kind string) error {
	known := slices.Sorted(maps.Keys(metricsProviderTypes))
	if !slices.Contains(known, kind) {
		return fmt.Errorf("the type '%s' of metrics providers is unknown: choose from %s", kind, strings.Join(known, ", "))
	}
	for _, other := range known {
		for _, name := range optionsOf(other) {
			if f := o.cmd.Flags().Lookup(name); f.Changed && !slices.Contains(optionsOf(kind), name) {
				return fmt.Errorf("the option %s is not for a provider of type %s, which has %s", argparse.Display(f), kind,
					displayed(o.cmd, optionsOf(kind)))
			}
		}
	}
	return nil
}

// put writes what was typed into the part of a specification that belongs to its type.
func (o *metricsProviderOptions) put(ctx context.Context, kind string, spec *document.Object) error {
	for _, name := range []string{"url", "comparison-column", "value-column", "table", "token", "org", "bucket"} {
		if f := o.cmd.Flags().Lookup(name); f.Changed {
			spec.Set(strings.ReplaceAll(name, "-", "_"), f.Value.String())
		}
	}
	if len(o.metrics) > 0 {
		values := document.New()
		for _, m := range o.metrics {
			values.Set(m.Name, m.Value)
		}
		spec.Set("metrics", values)
	}
	if kind == "prometheus" {
		return o.login.put(ctx, spec)
	}
	return nil
}
