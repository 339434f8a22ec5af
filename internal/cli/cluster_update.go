package cli

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/kubeconfig"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// clusterUpdate is what update has beside the options of create.
type clusterUpdate struct {
	*clusterOptions
	cloud                                              cloudOptions
	kubeconfig, file                                   *option.File
	noLabels, noMetrics, noCloudLabels, noCloudMetrics *bool
}

func (p *program) updateCluster(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "update NAME", "Change a cluster", "-l location=DE my-cluster",
		"-k kubeconfig.yaml my-cluster", "--metric load 2 my-cluster")
	flags := cmd.Flags()
	o := clusterUpdate{
		clusterOptions: addClusterOptions(cmd, common),
		kubeconfig:     addFile(cmd, "kubeconfig", "k", "kubeconfig `FILE` that leads to the cluster, - for standard input"),
		file:           addFile(cmd, "file", "f", "`FILE` with a TOSCA template, - for standard input"),
		noLabels:       flags.Bool("remove-existing-labels", false, "remove all labels first"),
		noMetrics:      flags.Bool("remove-existing-metrics", false, "remove all metrics first"),
		noCloudLabels:  flags.Bool("remove-existing-cloud-label-constraints", false, "remove all label constraints first"),
		noCloudMetrics: flags.Bool("remove-existing-cloud-metric-constraints", false, "remove all metric constraints first"),
	}
	o.cloud.labels, o.cloud.metrics = addCloudConstraints(cmd)
	argparse.Old(flags)
	o.capacity = addCapacity(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		changed, err := p.clusterSource(cmd.Context(), o)
		if err != nil {
			return err
		}
		if changed["kubeconfig"] == nil {
			if err := refuse(cmd, "not allowed without a kubeconfig", "context"); err != nil {
				return err
			}
		}
		if err := checkConstraints(o.cloud.labels, o.cloud.metrics); err != nil {
			return err
		}
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		doc, err := c.modify(cmd.Context(), path(k.kind, c.namespace(*o.namespace), args[0]), url.Values{},
			func(cluster *document.Object) error { return changeCluster(cluster, o, changed) })
		if err != nil {
			return err
		}
		return p.show(doc, k.detailOf(doc))
	})
	return cmd
}

// clusterSource reads the files of an update: new values of the keys kubeconfig and tosca.
func (p *program) clusterSource(ctx context.Context, o clusterUpdate) (map[string]any, error) {
	changed := map[string]any{}
	if *o.kubeconfig != "" {
		config, _, err := p.readKubeconfig(ctx, *o.kubeconfig, *o.context)
		if err != nil {
			return nil, err
		}
		changed["kubeconfig"] = config
	}
	if *o.file == "" {
		return changed, nil
	}
	doc, err := p.readOne(ctx, *o.file, "a TOSCA template")
	if err != nil {
		return nil, err
	}
	if isTosca(doc) || !kubeconfig.Is(doc) {
		changed["tosca"] = doc
		return changed, nil
	}
	// Until 2022 this option named the kubeconfig.
	if changed["kubeconfig"] != nil {
		return nil, usagef("argument -f/--file: a kubeconfig is named by -k/--kubeconfig already")
	}
	changed["kubeconfig"], _, err = oneContext(*o.file, doc, *o.context)
	return changed, err
}

// changeCluster changes what the command line names and nothing else.
func changeCluster(cluster *document.Object, o clusterUpdate, changed map[string]any) error {
	for key, value := range changed {
		document.Put(cluster, value, "spec", key)
	}
	mergeLabels(cluster, *o.labels, *o.noLabels)
	replace(cluster, o.customResources.Values, false, "spec", "custom_resources")
	extend(cluster, o.cloud.labels.Values, *o.noCloudLabels, "spec", "constraints", "cloud", "labels")
	extend(cluster, o.cloud.metrics.Values, *o.noCloudMetrics, "spec", "constraints", "cloud", "metrics")
	if spec, ok := cluster.Get("spec").(*document.Object); ok {
		o.backoff.typed(spec)
		o.capacity.put(spec)
	}
	return addNewMetrics(cluster, o)
}

// addNewMetrics appends the metrics that are not there yet with the same name, weight and kind.
func addNewMetrics(cluster *document.Object, o clusterUpdate) error {
	if len(*o.metrics) == 0 && !*o.noMetrics {
		return nil
	}
	var list []any
	if !*o.noMetrics {
		list = document.List(cluster, "spec", "metrics")
	}
	present := map[string]bool{}
	for _, item := range list {
		present[metricKey(item)] = true
	}
	out := append([]any{}, list...)
	for _, m := range *o.metrics {
		item, err := document.Of(m)
		if err != nil {
			return fmt.Errorf("metric '%s': %w", m.Name, err)
		}
		if key := metricKey(item); !present[key] {
			present[key] = true
			out = append(out, item)
		}
	}
	document.Put(cluster, out, "spec", "metrics")
	return nil
}
