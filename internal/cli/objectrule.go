package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

func objectRules() presentation {
	list := with(view.Base,
		view.Column{Label: "group", Path: "spec.group"},
		view.Column{Label: "version", Path: "spec.version"},
		view.Column{Label: "kind", Path: "spec.kind"},
	)
	return presentation{
		kind:    api.GlobalObjectRuleKind,
		aliases: []string{"objectrule", "gor"},
		list:    list,
		detail: with(list,
			view.Column{Label: "ready", Path: "spec.ready"},
			view.Column{Label: "failed", Path: "spec.failed"},
			view.Column{Label: "completed", Path: "spec.completed"},
			view.Column{Label: "message", Path: "spec.message"},
			view.Column{Label: "addresses", Path: "spec.addresses", Render: view.Dict},
			view.Column{Label: "pods", Path: "spec.pods", Render: view.Dict},
		),
		idempotent: true,
		more: []func(*program, *presentation) *cobra.Command{
			(*program).createObjectRule, (*program).updateObjectRule,
		},
	}
}

const aboutObjectRules = "The file has the specification of the rule, or a whole rule. The server compiles its expressions and runs its tests\n" +
	"before it stores them."

func addRuleFile(cmd *cobra.Command) *option.File {
	return addFile(cmd, "file", "f", "`FILE` with the specification or with a whole rule, - for standard input")
}

func (p *program) createObjectRule(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "create NAME", "Create a rule for a kind of objects", "databases -f examples/database-rule.yaml")
	cmd.Use = "create NAME -f FILE"
	cmd.Long = "Create a rule that says how objects of a kind are doing.\n" + aboutObjectRules
	file := addRuleFile(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		spec, err := p.readObjectRule(cmd, *file)
		if err != nil {
			return err
		}
		doc := newObject(k.kind, args[0])
		doc.Set("spec", spec)
		return p.create(cmd.Context(), k, common, doc)
	})
	return cmd
}

func (p *program) updateObjectRule(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "update NAME", "Change a rule for a kind of objects", "databases -f examples/database-rule.yaml")
	cmd.Use = "update NAME -f FILE"
	cmd.Long = "Change a rule. What the file has takes the place of all that it said.\n" + aboutObjectRules
	file := addRuleFile(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		spec, err := p.readObjectRule(cmd, *file)
		if err != nil {
			return err
		}
		return p.update(cmd.Context(), k, common, args[0], func(doc *document.Object) error {
			doc.Set("spec", spec)
			return nil
		})
	})
	return cmd
}

// readObjectRule returns the specification of a rule from the file that the command must have been given.
func (p *program) readObjectRule(cmd *cobra.Command, file option.File) (*document.Object, error) {
	if err := require(cmd, "file"); err != nil {
		return nil, err
	}
	doc, err := p.readOne(cmd.Context(), file, "a rule")
	if err != nil {
		return nil, err
	}
	rule, _ := doc.(*document.Object)
	if rule != nil && rule.Get("spec") != nil {
		rule, _ = rule.Get("spec").(*document.Object)
	}
	if rule == nil || rule.Get("group") == nil {
		return nil, fmt.Errorf("%s: there is neither the specification of a rule, with the key group, nor a rule with the key spec", called(file))
	}
	return rule, nil
}
