package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// A presentation says how rok names and shows a kind, and what can be done with it beside list, get and delete.
type presentation struct {
	kind    *api.Kind
	noun    string // in place of the kind's name in lower case
	aliases []string
	// list, detail and full are the columns of lists, of answers to changes, and of get. Detail is that of list when
	// empty, full that of detail.
	list, detail, full []view.Column
	// answers are shown by get to people, and with -o wide: scripts of the Python client know them not.
	answers []view.Column
	// byType are what details show beside, by the object's spec.type.
	byType map[string][]view.Column
	// unusual are what details show beside of objects with which something is not as usual; nil for nothing.
	unusual func(doc *document.Object) []view.Column
	// sorted is the path of the text by which lists are in order; that of the server when empty.
	sorted string
	// get asks the API for an object with what is to be shown; nil for the plain request.
	get func(p *program, c *connection) getter
	// del describes the command delete; its zero value is that of a kind without options.
	del deletion
	// idempotent kinds take an update that changes nothing as one that worked, as scripts expect.
	idempotent bool
	// more are the other commands, the most usual one first.
	more []func(p *program, k *presentation) *cobra.Command
	// ways are the commands that lead to where an object runs.
	ways []func(p *program, k *presentation) *cobra.Command
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
		objectRules(),
		events(),
		metrics(api.GlobalMetricKind, "gmp-name", "gm"),
		metrics(api.MetricKind, "mp-name"),
		metricsProviders(api.GlobalMetricsProviderKind, "gmp"),
		metricsProviders(api.MetricsProviderKind, "mp"),
		infrastructureProviders(api.GlobalInfrastructureProviderKind, "gprovider", "gip"),
		infrastructureProviders(api.InfrastructureProviderKind, "provider", "ip"),
		clouds(api.GlobalCloudKind, "gcloud", "gc"),
		clouds(api.CloudKind),
		projects(),
		magnumClusters(),
		roles(),
		roleBindings(),
		leases(),
	}
}

// allPresentations are those of all kinds in the table, complete.
func allPresentations() []presentation {
	known := map[*api.Kind]presentation{}
	for _, k := range presentations() {
		known[k.kind] = k
	}
	all := make([]presentation, len(api.Kinds))
	for i, kind := range api.Kinds {
		k, ok := known[kind]
		if !ok {
			k = presentation{kind: kind, list: common(kind)}
		}
		k.noun = cmp.Or(k.noun, strings.ToLower(kind.Name))
		if k.detail == nil {
			k.detail = k.list
		}
		if k.full == nil {
			k.full = k.detail
		}
		all[i] = k
	}
	return all
}

// names are all words that mean the kind.
func (k *presentation) names() []string {
	return append([]string{k.noun, k.kind.Plural}, k.aliases...)
}

// addKinds adds the commands of all kinds in the table.
func (p *program) addKinds(root *cobra.Command) {
	for _, k := range allPresentations() {
		p.addKind(p.groupOf(root, k.kind.Group), k)
	}
}

// detailOf are the columns of the answer to a change.
func (k *presentation) detailOf(doc *document.Object) []view.Column {
	return k.withOwn(k.detail, doc)
}

// fullOf are the columns of the answer to get.
func (p *program) fullOf(k *presentation, doc *document.Object) []view.Column {
	columns := k.withOwn(k.full, doc)
	if p.OutWidth > 0 || p.output.form == asWide {
		columns = with(columns, k.answers...)
	}
	return columns
}

// withOwn adds the columns that depend on the object.
func (k *presentation) withOwn(columns []view.Column, doc *document.Object) []view.Column {
	columns = with(columns, k.byType[document.Text(doc, "spec", "type")]...)
	columns = with(columns, approvalRow(doc)...)
	if k.unusual != nil {
		columns = with(columns, k.unusual(doc)...)
	}
	return columns
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
	cmd := group(&cobra.Command{Use: k.noun, Short: fmt.Sprintf("Manage %s", spaced(k.kind.Plural)), Aliases: k.aliases})
	var verbs []*cobra.Command
	for _, add := range k.more {
		verbs = append(verbs, add(p, &k))
	}
	verbs = append(verbs, p.listCommand(&k), p.getCommand(&k), p.deleteCommand(&k))
	cmd.AddCommand(verbs...)
	var examples []string
	for _, c := range verbs {
		p.addWidth(c)
		p.addTimeout(c)
		p.completeOptions(c, k.kind)
		if first, _, _ := strings.Cut(c.Example, "\n"); first != "" {
			examples = append(examples, first)
		}
	}
	for _, add := range k.ways {
		way := add(p, &k)
		p.addTimeout(way)
		p.completeOptions(way, k.kind)
		cmd.AddCommand(way)
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
	for _, tail := range []string{"rules", "providers", "metrics", "bindings", "clouds", "clusters"} {
		if head, ok := strings.CutSuffix(plural, tail); ok && head != "" {
			return head + " " + tail
		}
	}
	return plural
}
