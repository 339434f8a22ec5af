package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// infrastructureProviders are those of the whole installation or those of a namespace.
func infrastructureProviders(kind *api.Kind, aliases ...string) presentation {
	return presentation{
		kind:    kind,
		aliases: aliases,
		list: with(view.Base,
			view.Column{Label: "type", Path: "spec.type"},
			view.Column{Label: "url", Path: "spec.im.url"},
		),
		more: []func(*program, *presentation) *cobra.Command{
			(*program).registerInfrastructureProvider, (*program).updateInfrastructureProvider,
		},
	}
}

// infrastructureManager is the only type of providers that Krake knows.
const infrastructureManager = "im"

// infrastructureProviderOptions say where a provider is and how to log in there.
type infrastructureProviderOptions struct {
	url, username, token string
	password             *password
}

func (p *program) addInfrastructureProviderOptions(cmd *cobra.Command) *infrastructureProviderOptions {
	o := &infrastructureProviderOptions{}
	flags := cmd.Flags()
	flags.StringVar(&o.url, "url", "", "`URL` of the provider")
	flags.StringVar(&o.username, "username", "", "`NAME` to log in with")
	o.password = p.addPassword(cmd)
	flags.StringVar(&o.token, "token", "", "`TOKEN` to log in with, in place of a name and a password")
	return o
}

func (p *program) registerInfrastructureProvider(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "register NAME", "Register a provider that can make clusters on clouds",
		"my-im --type im --url http://im:8800 --username me", "my-im --type im --url http://im:8800 --token TOKEN")
	cmd.Use = "register NAME --type im --url URL"
	cmd.Long = "Register a provider that can make clusters on clouds. A password that lacks is asked for."
	kind := cmd.Flags().String("type", "", "`TYPE` of the provider: "+infrastructureManager)
	o := p.addInfrastructureProviderOptions(cmd)
	argparse.Old(cmd.Flags())
	o.password.addSources(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if err := require(cmd, "type", "url"); err != nil {
			return err
		}
		if *kind != infrastructureManager {
			return fmt.Errorf("the type '%s' of infrastructure providers is unknown: choose %s", *kind, infrastructureManager)
		}
		if o.token == "" && o.username == "" {
			return errors.New("how to log in there is not known: give --token, or --username and a password")
		}
		password, err := o.password.get(cmd.Context(), o.token == "" || o.password.wanted())
		if err != nil {
			return err
		}
		doc := newObject(k.kind, args[0])
		doc.Set("spec", document.New("type", *kind, *kind, document.New("url", o.url, "username", orNull(o.username),
			"password", orNull(password), "token", orNull(o.token))))
		return p.create(cmd.Context(), k, common, doc)
	})
	return cmd
}

func (p *program) updateInfrastructureProvider(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "update NAME", "Change an infrastructure provider", "my-im --url http://im:8801", "my-im --ask-password")
	cmd.Long = "Change an infrastructure provider. What is not named stays as it is. On a terminal, a new password is asked for\n" +
		"if nothing is named."
	o := p.addInfrastructureProviderOptions(cmd)
	argparse.Old(cmd.Flags())
	o.password.addSources(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		named := anyOf(cmd, "url", "username", "token")
		return p.update(cmd.Context(), k, common, args[0], func(doc *document.Object) error {
			password, err := o.password.change(cmd.Context(), named)
			if err != nil {
				return err
			}
			for _, v := range []struct{ key, value string }{
				{"url", o.url}, {"username", o.username}, {"password", password}, {"token", o.token},
			} {
				if v.value != "" {
					document.Put(doc, v.value, "spec", infrastructureManager, v.key)
				}
			}
			return nil
		})
	})
	return cmd
}

// orNull is null for a text that was not given.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
