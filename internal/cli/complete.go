package cli

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// completeWithin is how long somebody who has pressed the tabulator is made to wait for an API.
const completeWithin = 2 * time.Second

// completionWords are the words of a command line that the shell asks about, in the form that cobra reads: levels that
// were left out are put in, and options are spelled out as pflag knows them. The last word is the one to complete.
func completionWords(root *cobra.Command, args []string) []string {
	hidden, words := args[0], insertOmitted(root, args[1:])
	cmd, rest := descend(root, words)
	if len(rest) == 0 {
		return append([]string{hidden}, words...)
	}
	path := words[:len(words)-len(rest)]
	before, last := rest[:len(rest)-1], rest[len(rest)-1]
	// The last options may not have their values yet.
	for n := len(before); n >= 0; n-- {
		rewritten, err := argparse.Rewrite(allFlags(cmd), before[:n])
		if err != nil {
			continue
		}
		rewritten = slices.DeleteFunc(rewritten, func(word string) bool { return word == "--" })
		open := slices.Clone(before[n:])
		for i, word := range open {
			open[i] = argparse.Whole(cmd.Flags(), word)
		}
		return slices.Concat([]string{hidden}, path, rewritten, open, []string{last})
	}
	return append([]string{hidden}, words...)
}

// completions gives the words that may come next, as far as they are known.
type completions = func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective)

// words completes with the same words always.
func words(list ...string) completions {
	return func(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		return beginning(list, toComplete), cobra.ShellCompDirectiveNoFileComp
	}
}

// beginning are the words that begin as the one that is being typed does. Not every shell looks at that itself.
func beginning(list []string, toComplete string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(word string) bool { return !strings.HasPrefix(word, toComplete) })
}

// objects completes with what the API's objects of a kind have to say: take picks words from one.
func (p *program) objects(kind func(args []string) *api.Kind, allNamespaces bool, take func(item any) []string) completions {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		k := kind(args)
		if k == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var found []string
		for _, item := range p.known(cmd, k, allNamespaces) {
			found = append(found, take(item)...)
		}
		slices.Sort(found)
		return beginning(slices.Compact(found), toComplete), cobra.ShellCompDirectiveNoFileComp
	}
}

// known asks the API for objects. Nobody wants to see an error while typing: where there is one, nothing is known.
func (p *program) known(cmd *cobra.Command, kind *api.Kind, allNamespaces bool) []any {
	quiet := *p
	quiet.Err = io.Discard
	c, err := quiet.connect(flagText(cmd, "config"))
	if err != nil {
		return nil
	}
	namespace := c.namespace(flagText(cmd, "namespace"))
	if allNamespaces {
		namespace = ""
	}
	parent := cmd.Context()
	if parent == nil {
		parent = context.Background()
	}
	ctx, cancel := context.WithTimeout(parent, completeWithin)
	defer cancel()
	items, err := c.list(ctx, path(kind, namespace, ""), nil)
	if err != nil {
		return nil
	}
	return items
}

func flagText(cmd *cobra.Command, name string) string {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

func always(kind *api.Kind) func([]string) *api.Kind { return func([]string) *api.Kind { return kind } }

// firstOnly is for commands with one argument.
func firstOnly(kind *api.Kind) func([]string) *api.Kind {
	return func(args []string) *api.Kind {
		if len(args) > 0 {
			return nil
		}
		return kind
	}
}

func nameOfItem(item any) []string { return []string{document.Text(item, "metadata", "name")} }

func namespaceOfItem(item any) []string {
	return []string{document.Text(item, "metadata", "namespace")}
}

// labelsOfItem writes labels as options take them.
func labelsOfItem(item any) []string {
	labels, _ := document.At(item, "metadata", "labels").(*document.Object)
	if labels == nil {
		return nil
	}
	var out []string
	for _, key := range labels.Keys() {
		out = append(out, key+"="+document.Text(labels, key))
	}
	return out
}

// namedKinds are the options that name an object, and constrainedKinds those that speak of the labels of another kind.
var (
	namedKinds = map[string]*api.Kind{
		"mp-name": api.MetricsProviderKind, "gmp-name": api.GlobalMetricsProviderKind,
		"infra-provider": api.InfrastructureProviderKind, "global-infra-provider": api.GlobalInfrastructureProviderKind,
		"role": api.RoleKind, "global-metric": api.GlobalMetricKind, "to": api.ClusterKind,
	}
	constrainedKinds = map[string]*api.Kind{
		"cluster-label-constraint": api.ClusterKind, "cloud-label-constraint": api.CloudKind,
		"project-label-constraint": api.ProjectKind,
	}
)

// completeOptions says of each option of a command how its value is completed. Files are the shell's.
func (p *program) completeOptions(cmd *cobra.Command, kind *api.Kind) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if complete := p.completionOf(f, kind); complete != nil {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, complete) // fails for a second one of the same name only
		}
	})
}

func (p *program) completionOf(f *pflag.Flag, kind *api.Kind) completions {
	switch value := f.Value.(type) {
	case *option.Choice:
		return words(value.Words...)
	case *option.Wait:
		return words(value.States...)
	case *option.Labels:
		return p.objects(always(kind), true, labelsOfItem)
	case *option.File:
		return nil
	}
	switch {
	case f.Name == "config":
		return nil
	case f.Name == "namespace":
		return p.objects(always(kind), true, namespaceOfItem)
	case f.Name == "selector":
		return p.objects(always(kind), true, labelsOfItem)
	case f.Name == "not":
		return p.objects(always(api.ClusterKind), false, nameOfItem)
	case f.Name == "metric":
		return p.objects(always(api.MetricKind), false, nameOfItem)
	case namedKinds[f.Name] != nil:
		return p.objects(always(namedKinds[f.Name]), false, nameOfItem)
	case constrainedKinds[f.Name] != nil:
		return p.objects(always(constrainedKinds[f.Name]), true, labelsOfItem)
	case strings.HasPrefix(f.Value.Type(), "bool"):
		return nil
	default:
		return words()
	}
}

// completeWait completes the arguments of the command wait.
func (p *program) completeWait(cmd *cobra.Command) {
	names := p.objects(func(args []string) *api.Kind {
		if len(args) != 1 {
			return nil
		}
		k, err := kindCalled(args[0])
		if err != nil {
			return nil
		}
		return k.kind
	}, false, nameOfItem)
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return names(cmd, args, toComplete)
		}
		var nouns []string
		for _, k := range allPresentations() {
			nouns = append(nouns, shortest(k.noun, k.aliases))
		}
		return words(nouns...)(cmd, args, toComplete)
	}
	_ = cmd.RegisterFlagCompletionFunc("for", func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		var possible []string
		if len(args) > 0 {
			if k, err := kindCalled(args[0]); err == nil {
				possible = strings.Fields(strings.ToLower(strings.Join(states(k.kind), " ")))
			}
		}
		return words(possible...)(cmd, args, toComplete)
	})
	p.completeOptions(cmd, api.ApplicationKind)
}
