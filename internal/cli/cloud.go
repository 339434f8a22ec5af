package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// clouds are those of the whole installation or those of a namespace.
func clouds(kind *api.Kind, aliases ...string) presentation {
	return presentation{
		kind:    kind,
		aliases: aliases,
		list: with(view.Base,
			view.Column{Label: "type", Path: "spec.type"},
			view.Column{Label: "metrics", Path: "spec.openstack.metrics", Render: view.Metrics},
			view.Column{Label: "infra_provider", Path: "spec.openstack.infrastructure_provider.name"},
			view.State,
		),
		more: []func(*program, *presentation) *cobra.Command{(*program).registerCloud, (*program).updateCloud},
	}
}

// openStack is the only type of clouds that Krake knows.
const openStack = "openstack"

// cloudSpecOptions say where a cloud is, how to log in there, and who makes clusters on it.
type cloudSpecOptions struct {
	cmd                                *cobra.Command
	url, username, project             string
	domainName, domainID               string
	infraProvider, globalInfraProvider string
	password                           *password
	labels                             *option.Labels
	metrics                            *[]option.Metric
}

func (p *program) addCloudOptions(cmd *cobra.Command, k *presentation) *cloudSpecOptions {
	o := &cloudSpecOptions{cmd: cmd}
	flags := cmd.Flags()
	flags.StringVar(&o.url, "url", "", "`URL` of the cloud's Keystone, without a path")
	flags.StringVar(&o.username, "username", "", "`NAME` to log in with")
	flags.StringVar(&o.project, "project", "", "`NAME` of the project in which clusters are made")
	o.password = p.addPassword(cmd)
	flags.StringVar(&o.domainName, "domain-name", "Default", "`NAME` of the user's domain")
	flags.StringVar(&o.domainID, "domain-id", "default", "`ID` of the project's domain")
	flags.StringVar(&o.globalInfraProvider, "global-infra-provider", "", "`NAME` of the global infrastructure provider that makes clusters")
	o.labels = addLabels(cmd)
	if k.kind.Namespaced {
		flags.StringVar(&o.infraProvider, "infra-provider", "", "`NAME` of the infrastructure provider that makes clusters, of the cloud's namespace")
		o.metrics = addMetrics(cmd)
	} else {
		argparse.Spelled(flags, "global-infra-provider", "--infra-provider")
		o.metrics = addGlobalMetrics(cmd)
	}
	return o
}

func (p *program) registerCloud(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "register NAME", "Register a cloud on which clusters can be made",
		"my-cloud --type openstack --url https://keystone:5000 --username me --project mine --global-infra-provider my-im",
		"my-cloud --type openstack --url https://keystone:5000 --username me --project mine --global-infra-provider my-im "+
			"-l location=DE --global-metric price 0.5")
	cmd.Use = "register NAME --type openstack --url URL --username NAME --project NAME"
	cmd.Long = "Register a cloud on which clusters can be made. A password that lacks is asked for."
	kind := cmd.Flags().String("type", "", "`TYPE` of the cloud: "+openStack)
	o := p.addCloudOptions(cmd, k)
	argparse.Old(cmd.Flags())
	o.password.addSources(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if err := require(cmd, "type", "url", "username", "project"); err != nil {
			return err
		}
		if *kind != openStack {
			return fmt.Errorf("the type '%s' of clouds is unknown: choose %s", *kind, openStack)
		}
		if o.infraProvider == "" && o.globalInfraProvider == "" {
			return fmt.Errorf("who makes clusters on the cloud? give %s", o.providers())
		}
		if err := o.oneProvider(); err != nil {
			return err
		}
		password, err := o.password.get(cmd.Context(), true)
		if err != nil {
			return err
		}
		doc := newObject(k.kind, args[0])
		document.Put(doc, labelsObject(*o.labels), "metadata", "labels")
		doc.Set("spec", document.New("type", *kind, *kind, document.New(
			"url", o.url, "metrics", metricList(*o.metrics), "infrastructure_provider", o.provider(),
			"auth", document.New("type", "password", "password", document.New("version", "3",
				"user", document.New("username", o.username, "password", password, "domain_name", o.domainName),
				"project", document.New("name", o.project, "domain_id", o.domainID))))))
		return p.create(cmd.Context(), k, common, doc)
	})
	return cmd
}

func (p *program) updateCloud(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "update NAME", "Change a cloud", "my-cloud -l location=SK", "my-cloud --ask-password")
	cmd.Long = "Change a cloud. What is not named stays as it is; labels and metrics replace those that it has. On a terminal, a\n" +
		"new password is asked for if nothing is named."
	o := p.addCloudOptions(cmd, k)
	argparse.Old(cmd.Flags())
	o.password.addSources(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if err := o.oneProvider(); err != nil {
			return err
		}
		named := anyOf(cmd, o.names()...)
		return p.update(cmd.Context(), k, common, args[0], func(doc *document.Object) error {
			password, err := o.password.change(cmd.Context(), named)
			if err != nil {
				return err
			}
			o.change(doc, password)
			return nil
		})
	})
	return cmd
}

// names are the options by which an update can change a cloud, beside those for the password.
func (o *cloudSpecOptions) names() []string {
	names := []string{"url", "username", "project", "domain-name", "domain-id", "label", "global-metric", "global-infra-provider"}
	if o.cmd.Flags().Lookup("infra-provider") != nil {
		names = append(names, "metric", "infra-provider")
	}
	return names
}

// providers are the options that name an infrastructure provider.
func (o *cloudSpecOptions) providers() string {
	if o.cmd.Flags().Lookup("infra-provider") == nil {
		return "--global-infra-provider"
	}
	return "--infra-provider or --global-infra-provider"
}

func (o *cloudSpecOptions) oneProvider() error {
	if o.infraProvider != "" && o.globalInfraProvider != "" {
		return errors.New("a cloud has one infrastructure provider: give --infra-provider or --global-infra-provider, not both")
	}
	return nil
}

func (o *cloudSpecOptions) provider() *document.Object {
	if o.infraProvider != "" {
		return document.New("name", o.infraProvider, "namespaced", true)
	}
	return document.New("name", o.globalInfraProvider, "namespaced", false)
}

// change writes what was typed into a cloud.
func (o *cloudSpecOptions) change(doc *document.Object, password string) {
	for _, v := range []struct {
		option string
		value  any
		path   []string
	}{
		{"url", o.url, []string{"url"}},
		{"username", o.username, []string{"auth", "password", "user", "username"}},
		{"domain-name", o.domainName, []string{"auth", "password", "user", "domain_name"}},
		{"project", o.project, []string{"auth", "password", "project", "name"}},
		{"domain-id", o.domainID, []string{"auth", "password", "project", "domain_id"}},
	} {
		if o.cmd.Flags().Changed(v.option) {
			document.Put(doc, v.value, append([]string{"spec", openStack}, v.path...)...)
		}
	}
	if password != "" {
		document.Put(doc, password, "spec", openStack, "auth", "password", "user", "password")
	}
	if o.infraProvider != "" || o.globalInfraProvider != "" {
		document.Put(doc, o.provider(), "spec", openStack, "infrastructure_provider")
	}
	if len(*o.labels) > 0 {
		document.Put(doc, labelsObject(*o.labels), "metadata", "labels")
	}
	if len(*o.metrics) > 0 {
		document.Put(doc, metricList(*o.metrics), "spec", openStack, "metrics")
	}
}
