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

// cloudOptions say where a cluster may be made and what it takes over from there.
type cloudOptions struct {
	labels, metrics               *option.Texts
	inheritLabels, inheritMetrics *bool
}

func addCloudConstraints(cmd *cobra.Command) (labels, metrics *option.Texts) {
	labels = addTexts(cmd, "cloud-label-constraint", "L", "EXPRESSION",
		"what the labels of the cloud must fulfil, such as 'location is DE'")
	metrics = addTexts(cmd, "cloud-metric-constraint", "M", "EXPRESSION",
		"what the metrics of the cloud must fulfil, such as 'load < 5'")
	return labels, metrics
}

func (p *program) createCluster(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "create NAME", "Make a cluster on a cloud", "-f tosca.yaml my-cluster",
		"-f tosca.yaml -L 'location is DE' --inherit-labels my-cluster", "kubeconfig.yaml")
	cmd.Use = "create NAME -f TOSCA"
	cmd.Long = "Make a cluster on a cloud, as a TOSCA template describes it.\n" +
		"The former spelling of register is understood, too: create KUBECONFIG."
	file := addFile(cmd, "file", "f", "`FILE` with a TOSCA template, - for standard input")
	o := addClusterOptions(cmd, common)
	var cloud cloudOptions
	cloud.labels, cloud.metrics = addCloudConstraints(cmd)
	cloud.inheritLabels = cmd.Flags().Bool("inherit-labels", false, "take over the labels of the cloud")
	cloud.inheritMetrics = cmd.Flags().Bool("inherit-metrics", false, "take over the metrics of the cloud")
	argparse.Old(cmd.Flags())
	o.capacity = addCapacity(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		switch {
		case *file != "":
			if err := refuse(cmd, "not allowed without a kubeconfig", "context"); err != nil {
				return err
			}
			return p.make(cmd, k, o, cloud, args[0], *file)
		case isFile(args[0]):
			if err := refuse(cmd, "not allowed with a kubeconfig", "cloud-label-constraint", "cloud-metric-constraint",
				"inherit-labels", "inherit-metrics"); err != nil {
				return err
			}
			return p.register(cmd.Context(), k, o, registration{file: option.File(args[0]), wait: (&option.Wait{}).Blocking()})
		default:
			return usagef("'%s' is no file: use 'create NAME -f TOSCA' to make a cluster, "+
				"'register -k KUBECONFIG' or 'create KUBECONFIG' to register one", args[0])
		}
	})
	return cmd
}

func (p *program) make(cmd *cobra.Command, k *presentation, o *clusterOptions, cloud cloudOptions, name string, file option.File) error {
	template, err := p.readOne(cmd.Context(), file, "a TOSCA template")
	if err != nil {
		return err
	}
	if kubeconfig.Is(template) && !isTosca(template) {
		return fmt.Errorf("%s is a kubeconfig, not a TOSCA template: register its cluster with "+
			"'%s kube cluster register -k %s --as %s'", called(file), p.Name, file, name)
	}
	if err := checkConstraints(cloud.labels, cloud.metrics); err != nil {
		return err
	}
	spec := document.New("tosca", template)
	o.put(spec)
	spec.Set("inherit_metrics", *cloud.inheritMetrics)
	document.Put(spec, document.New("labels", texts(cloud.labels.Values).list(),
		"metrics", texts(cloud.metrics.Values).list()), "constraints", "cloud")
	metadata := document.New("name", name, "labels", labelsObject(*o.labels), "inherit_labels", *cloud.inheritLabels)
	return p.postCluster(cmd.Context(), k, o.commonOptions, url.Values{}, document.New("metadata", metadata, "spec", spec))
}

// readOne returns the only document of a file.
func (p *program) readOne(ctx context.Context, file option.File, what string) (any, error) {
	docs, err := p.readYAML(ctx, file)
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 {
		return nil, fmt.Errorf("%s: %s is one document, this file has %d", called(file), what, len(docs))
	}
	return docs[0], nil
}
