package cli

import (
	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

func roleBindings() presentation {
	return presentation{
		kind: api.RoleBindingKind,
		list: with(view.Base,
			view.Column{Label: "roles", Path: "roles"},
			view.Column{Label: "users", Path: "users"},
		),
		idempotent: true,
		more:       []func(*program, *presentation) *cobra.Command{(*program).createRoleBinding, (*program).updateRoleBinding},
	}
}

// bindingOptions say who has which roles.
type bindingOptions struct{ roles, users *option.Texts }

func addBinding(cmd *cobra.Command) bindingOptions {
	return bindingOptions{
		roles: addTexts(cmd, "role", "", "NAME", "role that the users have"),
		users: addTexts(cmd, "user-name", "", "NAME", "user who has the roles"),
	}
}

func (p *program) createRoleBinding(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "create NAME", "Give roles to users", "readers --role reader --user-name alice --user-name bob")
	cmd.Use = "create NAME --role NAME --user-name NAME"
	o := addBinding(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if err := require(cmd, "role", "user-name"); err != nil {
			return err
		}
		doc := newObject(k.kind, args[0])
		doc.Set("users", texts(o.users.Values).list())
		doc.Set("roles", texts(o.roles.Values).list())
		return p.create(cmd.Context(), k, common, doc)
	})
	return cmd
}

func (p *program) updateRoleBinding(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "update NAME", "Change who has which roles", "readers --user-name alice --user-name carol")
	cmd.Long = "Change who has which roles. The roles and the users that are named replace those before."
	o := addBinding(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		return p.update(cmd.Context(), k, common, args[0], func(doc *document.Object) error {
			if err := anyOf(cmd, "role", "user-name"); err != nil {
				return err
			}
			replace(doc, o.users.Values, false, "users")
			replace(doc, o.roles.Values, false, "roles")
			return nil
		})
	})
	return cmd
}
