package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// clusterKubeconfig writes the kubeconfig that Krake has of a cluster.
func (p *program) clusterKubeconfig(k *presentation) *cobra.Command {
	return p.kubeconfigCommand(k, func(_ context.Context, _ *connection, cluster *document.Object) (*document.Object, error) {
		return cluster, nil
	})
}

// magnumKubeconfig writes the kubeconfig of the cluster that was made.
func (p *program) magnumKubeconfig(k *presentation) *cobra.Command {
	return p.kubeconfigCommand(k, func(ctx context.Context, c *connection, magnum *document.Object) (*document.Object, error) {
		at, known := refPath(document.At(magnum, "status", "cluster"))
		if !known {
			return nil, fmt.Errorf("the cluster has not been made yet: it is %s, 'get' shows why",
				document.Text(magnum, "status", "state"))
		}
		return c.get(ctx, at)
	})
}

// kubeconfigCommand makes the command kubeconfig. Find leads from an object to the record of the Kubernetes cluster.
func (p *program) kubeconfigCommand(k *presentation, find func(context.Context, *connection, *document.Object) (*document.Object, error)) *cobra.Command {
	cmd, o := p.command(k, "kubeconfig NAME", "Write the kubeconfig with which Krake reaches a cluster", "NAME > kubeconfig.yaml")
	form := cmd.Flags().Lookup("output")
	*form.Value.(*option.Choice) = option.Choice{Value: asYAML, Words: []string{asYAML, asJSON}}
	form.DefValue = asYAML
	cmd.Long = "Write the kubeconfig with which Krake reaches a cluster. It holds secrets."
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		doc, err := c.get(cmd.Context(), path(k.kind, c.namespace(*o.namespace), args[0]))
		if err != nil {
			return err
		}
		if doc, err = find(cmd.Context(), c, doc); err != nil {
			return err
		}
		config, ok := document.At(doc, "spec", "kubeconfig").(*document.Object)
		if !ok || config.Len() == 0 {
			return errors.New("the cluster has no kubeconfig yet; 'get' shows how far it is")
		}
		return p.write(config, nil)
	})
	return cmd
}
