package cli

import (
	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// magnumClusters are called clusters, as there are no others in their group.
func magnumClusters() presentation {
	list := with(view.Base, view.State)
	return presentation{
		kind:    api.MagnumClusterKind,
		noun:    "cluster",
		aliases: []string{"magnumcluster"},
		list:    list,
		detail: with(list,
			view.Column{Label: "reason", Path: "status.reason", Render: view.Dict},
			view.Column{Label: "master", Path: "status.master_addresses"},
			view.Column{Label: "nodes", Path: "status.node_addresses"},
			view.Column{Label: "label constraints", Path: "spec.constraints"},
			view.Column{Label: "metrics", Path: "spec.metrics", Render: view.Metrics},
			view.Column{Label: "project", Path: "status.project", Render: view.Ref},
			view.Column{Label: "template", Path: "status.template"},
			view.Column{Label: "cluster_id", Path: "status.cluster_id"},
			view.Column{Label: "node_count", Path: "status.node_count"},
			view.Column{Label: "api_address", Path: "status.api_address"},
			view.Column{Label: "master_addresses", Path: "status.master_addresses"},
			view.Column{Label: "node_addresses", Path: "status.node_addresses"},
			view.Column{Label: "cluster", Path: "status.cluster", Render: view.Ref},
		),
		del: deletion{option: addCascade},
		more: []func(*program, *presentation) *cobra.Command{
			(*program).createMagnumCluster, (*program).updateMagnumCluster, (*program).magnumKubeconfig,
		},
	}
}

// magnumOptions say how large a cluster is, and in which projects it may be made.
type magnumOptions struct {
	nodes         option.Int
	projectLabels *option.Texts
	metrics       *[]option.Metric
}

func addMagnumOptions(cmd *cobra.Command) *magnumOptions {
	o := &magnumOptions{}
	cmd.Flags().Var(&o.nodes, "node-count", "how many nodes the cluster has beside its masters")
	o.projectLabels = addTexts(cmd, "project-label-constraint", "L", "EXPRESSION",
		"what the labels of the project must fulfil, such as 'location is DE'", "-cl", "--constraints-labels", "--constraint-label")
	o.metrics = addMetrics(cmd)
	return o
}

// check says before a request what the server would refuse.
func (o *magnumOptions) check() error { return checkConstraints(o.projectLabels, &option.Texts{}) }

func (p *program) createMagnumCluster(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "create NAME", "Make a cluster with OpenStack Magnum", "my-cluster --node-count 3",
		"my-cluster -L 'location is DE' --metric load 0.5")
	var masters option.Int
	cmd.Flags().Var(&masters, "master-count", "how many masters the cluster has")
	o := addMagnumOptions(cmd)
	labels := addLabels(cmd)
	argparse.Old(cmd.Flags())
	addOldFormat(cmd)
	template := cmd.Flags().String("template", "", "")
	cmd.Flags().Lookup("template").Hidden = true
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if err := o.check(); err != nil {
			return err
		}
		if *template != "" {
			p.warn("--template has no effect: the template is that of the project")
		}
		doc := newObject(k.kind, args[0])
		document.Put(doc, labelsObject(*labels), "metadata", "labels")
		doc.Set("spec", document.New("master_count", masters.Value, "node_count", o.nodes.Value, "metrics", metricList(*o.metrics),
			"constraints", document.New("project", document.New("labels", texts(o.projectLabels.Values).list()))))
		return p.create(cmd.Context(), k, common, doc)
	})
	return cmd
}

func (p *program) updateMagnumCluster(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "update NAME", "Change a cluster that Magnum has made", "my-cluster --node-count 5")
	cmd.Long = "Change a cluster that Magnum has made. Constraints and metrics replace those that it has."
	o := addMagnumOptions(cmd)
	argparse.Old(cmd.Flags())
	addOldFormat(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if err := o.check(); err != nil {
			return err
		}
		return p.update(cmd.Context(), k, common, args[0], func(doc *document.Object) error {
			if err := anyOf(cmd, "node-count", "project-label-constraint", "metric", "global-metric"); err != nil {
				return err
			}
			if o.nodes.Value != nil {
				document.Put(doc, *o.nodes.Value, "spec", "node_count")
			}
			replace(doc, o.projectLabels.Values, false, "spec", "constraints", "project", "labels")
			if len(*o.metrics) > 0 {
				document.Put(doc, metricList(*o.metrics), "spec", "metrics")
			}
			return nil
		})
	})
	return cmd
}
