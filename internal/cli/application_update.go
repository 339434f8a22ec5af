package cli

import (
	"net/url"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli/document"
)

// applicationUpdate is what update has beside the options of create.
type applicationUpdate struct {
	*applicationOptions
	noLabels, noClusterLabels, noClusterResources, noClusterMetrics *bool
}

func (p *program) updateApplication(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "update NAME", "Change an application", "-f echo-demo-update.yaml echo-demo",
		"-L 'location is SK' echo-demo")
	flags := cmd.Flags()
	o := applicationUpdate{
		applicationOptions: addApplicationOptions(cmd, common, "reconciling", "running"),
		noLabels:           flags.Bool("remove-existing-labels", false, "remove all labels first"),
		noClusterLabels:    flags.Bool("remove-existing-label-constraints", false, "remove all label constraints first"),
		noClusterResources: flags.Bool("remove-existing-resource-constraints", false, "remove all resource constraints first"),
		noClusterMetrics:   flags.Bool("remove-existing-metric-constraints", false, "remove all metric constraints first"),
	}
	o.asOld()
	dry := addDryRun(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		files, err := p.readApplication(cmd.Context(), o.applicationOptions)
		if err != nil {
			return err
		}
		if err := checkConstraints(o.clusterLabels, o.clusterMetrics); err != nil {
			return err
		}
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		change := func(app *document.Object) error { changeApplication(app, o, files); return nil }
		if *dry {
			return p.dryUpdate(cmd.Context(), c, k, c.namespace(*o.namespace), args[0], change)
		}
		query := url.Values{"blocking": {o.wait.Blocking()}}
		doc, err := c.modify(cmd.Context(), path(k.kind, c.namespace(*o.namespace), args[0]), query, change)
		if err != nil {
			return err
		}
		if o.url == "" {
			p.warnOfMigration(document.At(doc, "spec"))
		}
		return p.showAwaited(doc, k.detailOf(doc), query)
	})
	return cmd
}

// changeApplication changes what the command line names and nothing else. Constraints on labels and resources replace
// the old ones, so that -L can move an application; those on metrics are added.
func changeApplication(app *document.Object, o applicationUpdate, files applicationFiles) {
	mergeLabels(app, *o.labels, *o.noLabels)
	replace(app, o.clusterLabels.Values, *o.noClusterLabels, "spec", "constraints", "cluster", "labels")
	replace(app, o.clusterResources.Values, *o.noClusterResources, "spec", "constraints", "cluster", "custom_resources")
	extend(app, o.clusterMetrics.Values, *o.noClusterMetrics, "spec", "constraints", "cluster", "metrics")
	if allowed, said := o.migration(); said {
		document.Put(app, allowed, "spec", "constraints", "migration")
	}
	spec, ok := app.Get("spec").(*document.Object)
	if !ok {
		return // the server says what is wrong with it
	}
	files.put(spec)
	o.backoff.typed(spec)
	o.putHooks(spec)
	o.putMigrationData(spec)
}
