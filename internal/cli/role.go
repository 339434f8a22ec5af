package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

func roles() presentation {
	return presentation{
		kind:       api.RoleKind,
		list:       with(view.Base, view.Column{Label: "rules", Path: "rules", Render: view.Rules}),
		idempotent: true,
		more:       []func(*program, *presentation) *cobra.Command{(*program).createRole, (*program).updateRole},
	}
}

// ruleOptions are where rules come from.
type ruleOptions struct {
	rules option.Rules
	file  *option.File
}

func addRules(cmd *cobra.Command) *ruleOptions {
	o := &ruleOptions{}
	cmd.Flags().Var(&o.rules, "rule", "what the role allows, may be repeated; * is everything and may be left out")
	o.file = addFile(cmd, "file", "f", "`FILE` with a list of rules or with a whole role, - for standard input")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if len(o.rules) > 0 && *o.file != "" {
			return errors.New("argument -f/--file: not allowed with argument --rule")
		}
		return nil
	}
	return o
}

const aboutRules = "A rule is written 'api=kubernetes;resources=applications,clusters;namespaces=*;verbs=get,list'.\n" +
	"The verbs are create, list, list_all, get, update and delete."

func (p *program) createRole(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "create NAME", "Create a role",
		"reader --rule 'api=kubernetes;resources=applications,clusters;namespaces=*;verbs=get,list'", "operator -f rules.yaml")
	cmd.Use = "create NAME (--rule RULE | -f FILE)"
	cmd.Long = "Create a role: what those may do who have it.\n" + aboutRules
	o := addRules(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		rules, err := p.readRules(cmd.Context(), o)
		if err != nil {
			return err
		}
		if rules == nil {
			return usagef("the following arguments are required: --rule or -f/--file")
		}
		doc := newObject(k.kind, args[0])
		doc.Set("rules", rules)
		return p.create(cmd.Context(), k, common, doc)
	})
	return cmd
}

func (p *program) updateRole(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "update NAME", "Change a role",
		"reader --rule 'api=kubernetes;resources=applications;namespaces=*;verbs=get,list'")
	cmd.Long = "Change a role. The rules replace those that it has.\n" + aboutRules
	o := addRules(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		rules, err := p.readRules(cmd.Context(), o)
		if err != nil {
			return err
		}
		return p.update(cmd.Context(), k, common, args[0], func(doc *document.Object) error {
			if err := anyOf(cmd, "rule", "file"); err != nil {
				return err
			}
			doc.Set("rules", rules)
			return nil
		})
	})
	return cmd
}

// readRules returns the rules that the command line gives or names, nil if there are none.
func (p *program) readRules(ctx context.Context, o *ruleOptions) ([]any, error) {
	if *o.file == "" {
		var rules []any
		for _, rule := range o.rules {
			rules = append(rules, rule)
		}
		return rules, nil
	}
	doc, err := p.readOne(ctx, *o.file, "a list of rules or a role")
	if err != nil {
		return nil, err
	}
	if role, ok := doc.(*document.Object); ok {
		doc = role.Get("rules")
	}
	rules, ok := doc.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: there is neither a list of rules nor a role with the key rules", called(*o.file))
	}
	return rules, nil
}
