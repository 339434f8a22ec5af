package cli

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

func (p *program) createApplication(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "create NAME", "Create an application", "-f echo-demo.yaml echo-demo",
		"-f echo-demo.yaml -L 'location is DE' --wait running echo-demo", "-f echo-demo.yaml --dry-run echo-demo", "-u https://example.org/app.csar my-app")
	cmd.Use = "create NAME (-f FILE | -u URL)"
	o := addApplicationOptions(cmd, common, "creating", "pending", "running")
	autoCreate := cmd.Flags().Bool("auto-cluster-create", false, "let Krake make a cluster if none fits")
	values := option.Inject{}
	cmd.Flags().VarP(&values, "inject", "i", "replace KEY by VALUE where it is the value of an environment variable")
	o.asOld()
	dry := addDryRun(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		files, err := p.readApplication(cmd.Context(), o)
		if err != nil {
			return err
		}
		spec, err := p.newApplication(o, files, values)
		if err != nil {
			return err
		}
		spec.Set("auto_cluster_create", *autoCreate)
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		body := document.New("metadata", document.New("name", args[0], "labels", labelsObject(*o.labels)), "spec", spec)
		if *dry {
			return p.dryCreate(cmd.Context(), c, k, c.namespace(*o.namespace), body)
		}
		query := url.Values{"blocking": {o.wait.Blocking()}}
		doc, err := c.object(cmd.Context(), client.Request{Method: http.MethodPost, Body: body, Query: query,
			Path: path(k.kind, c.namespace(*o.namespace), "")})
		if err != nil {
			return err
		}
		return p.showAwaited(doc, k.detailOf(doc), query)
	})
	return cmd
}

// newApplication makes the specification of an application from the command line.
func (p *program) newApplication(o *applicationOptions, files applicationFiles, values option.Inject) (*document.Object, error) {
	if files.source == nil {
		return nil, errNoSource
	}
	if len(values) > 0 && *o.file == "" {
		return nil, usagef("argument -i/--inject: not allowed with argument -u/--url")
	}
	if err := checkConstraints(o.clusterLabels, o.clusterMetrics); err != nil {
		return nil, err
	}
	files.source.inject(values)
	migration, _ := o.migration()
	spec := document.New("manifest", []any{}, "tosca", document.New(), "csar", nil, "observer_schema", []any{},
		"constraints", document.New("migration", migration, "cluster", document.New(
			"labels", texts(o.clusterLabels.Values).list(),
			"custom_resources", texts(o.clusterResources.Values).list(),
			"metrics", texts(o.clusterMetrics.Values).list())))
	files.put(spec)
	o.backoff.all(spec)
	o.putHooks(spec)
	o.putMigrationData(spec)
	p.warnOfMigration(spec)
	return spec, nil
}
