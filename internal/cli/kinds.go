package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// A presentation says how rok names and shows a kind, and what can be done with it beside list, get and delete.
type presentation struct {
	kind    *api.Kind
	aliases []string
	// list, detail and full are the columns of lists, of answers to changes, and of get. Detail is that of list when
	// empty, full that of detail.
	list, detail, full []view.Column
	// get asks the API for an object with what is to be shown; nil for the plain request.
	get func(p *program, c *connection) getter
	// del describes the command delete; its zero value is that of a kind without options.
	del deletion
	// more are the other commands, the most usual one first.
	more []func(p *program, k *presentation) *cobra.Command
}

// groups are the first level of the tree, by the kinds' group.
var groups = map[string]struct {
	short     string
	aliases   []string
	omissible string
}{
	"core":           {short: "metrics, their providers, and roles"},
	"kubernetes":     {short: "applications and the clusters that they run on", aliases: []string{"kube", "k8s"}, omissible: "application"},
	"infrastructure": {short: "clouds and infrastructure providers", aliases: []string{"infra"}},
	"openstack":      {short: "OpenStack projects and Magnum clusters", aliases: []string{"os"}},
}

// presentations are the kinds that rok knows more of than the table of kinds says.
func presentations() []presentation {
	return []presentation{
		applications(),
		clusters(),
		leftovers(),
	}
}

// addKinds adds the commands of all kinds in the table.
func (p *program) addKinds(root *cobra.Command) {
	known := map[*api.Kind]presentation{}
	for _, k := range presentations() {
		known[k.kind] = k
	}
	for _, kind := range api.Kinds {
		k, ok := known[kind]
		if !ok {
			k = presentation{kind: kind, list: common(kind)}
		}
		p.addKind(p.groupOf(root, kind.Group), k)
	}
}

// common are the columns of a kind of which nothing more is known.
func common(kind *api.Kind) []view.Column {
	if kind.Status {
		return with(view.Base, view.State)
	}
	return view.Base
}

func with(columns []view.Column, more ...view.Column) []view.Column {
	return append(columns[:len(columns):len(columns)], more...)
}

func (p *program) groupOf(root *cobra.Command, name string) *cobra.Command {
	if cmd := child(root, name); cmd != nil {
		return cmd
	}
	g := groups[name]
	cmd := group(&cobra.Command{Use: name, Short: "Manage " + g.short, Aliases: g.aliases})
	if g.omissible != "" {
		cmd.Annotations = map[string]string{omissible: g.omissible}
	}
	root.AddCommand(cmd)
	return cmd
}

func (p *program) addKind(parent *cobra.Command, k presentation) {
	if k.detail == nil {
		k.detail = k.list
	}
	if k.full == nil {
		k.full = k.detail
	}
	noun := strings.ToLower(k.kind.Name)
	cmd := group(&cobra.Command{Use: noun, Short: fmt.Sprintf("Manage %s", spaced(k.kind.Plural)), Aliases: k.aliases})
	var verbs []*cobra.Command
	for _, add := range k.more {
		verbs = append(verbs, add(p, &k))
	}
	verbs = append(verbs, p.listCommand(&k), p.getCommand(&k), p.deleteCommand(&k))
	cmd.AddCommand(verbs...)
	var examples []string
	for _, c := range verbs {
		p.addWidth(c)
		if first, _, _ := strings.Cut(c.Example, "\n"); first != "" {
			examples = append(examples, first)
		}
	}
	cmd.Example = strings.Join(examples, "\n")
	parent.AddCommand(cmd)
	parent.Example = strings.TrimPrefix(parent.Example+"\n"+examples[0], "\n") // one for each kind
}

// spaced makes words of a plural that is written in one, where this is known.
func spaced(plural string) string {
	if rest, ok := strings.CutPrefix(plural, "global"); ok {
		return "global " + spaced(rest)
	}
	for _, tail := range []string{"providers", "metrics", "bindings", "clouds"} {
		if head, ok := strings.CutSuffix(plural, tail); ok && head != "" {
			return head + " " + tail
		}
	}
	return plural
}
