package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// commonOptions are the options that most commands have.
type commonOptions struct {
	config    *string
	namespace *string // always empty for kinds without namespaces
}

// command makes a command of a kind. Its arguments are named in use: "get NAME".
func (p *program) command(k *presentation, use, short string, examples ...string) (*cobra.Command, commonOptions) {
	verb, arguments, _ := strings.Cut(use, " ")
	cmd := &cobra.Command{Use: use, Short: short, Args: exactly(strings.Fields(arguments))}
	for i, e := range examples {
		examples[i] = fmt.Sprintf("  %s %s %s %s", p.Name, shortest(k.kind.Group, groups[k.kind.Group].aliases),
			shortest(strings.ToLower(k.kind.Name), k.aliases), strings.TrimSpace(verb+" "+e))
	}
	cmd.Example = strings.Join(examples, "\n")
	switch {
	case verb == "create" && k.kind == api.ClusterKind: // its former form takes a file
	case arguments == "NAME" && verb != "create" && verb != "register":
		cmd.ValidArgsFunction = p.objects(firstOnly(k.kind), false, nameOfItem)
	default:
		cmd.ValidArgsFunction = words()
	}
	addOutput(cmd, asTable, asWide, asJSON, asYAML, asName)
	o := commonOptions{config: addConfig(cmd), namespace: new(string)}
	if k.kind.Namespaced {
		cmd.Flags().StringVarP(o.namespace, "namespace", "n", "", "`NAMESPACE` instead of the configured user's")
	}
	argparse.Old(cmd.Flags())
	return cmd, o
}

// exactly wants the arguments that the usage line names. An empty one would name something else, such as all objects.
func exactly(names []string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return fmt.Errorf("the following arguments are required: %s", strings.Join(names[len(args):], ", "))
		}
		if len(args) > len(names) {
			return &argparse.UnrecognizedError{Words: strings.Join(args[len(names):], " ")}
		}
		if i := slices.Index(args, ""); i >= 0 {
			return fmt.Errorf("argument %s: must not be empty", names[i])
		}
		return nil
	}
}

// shortest is the name that examples use.
func shortest(name string, aliases []string) string {
	if len(aliases) > 0 {
		return aliases[0]
	}
	return name
}

func (p *program) listCommand(k *presentation) *cobra.Command {
	cmd, o := p.command(k, "list", "List "+spaced(k.kind.Plural), "", "-o json", "--watch")
	var all bool
	if k.kind.Namespaced {
		cmd.Flags().BoolVarP(&all, "all", "a", false, "of all namespaces")
	}
	argparse.Old(cmd.Flags())
	addOldFormat(cmd)
	watch := addWatch(cmd)
	selection := addSelection(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, _ []string) error {
		selected, err := selection.query()
		if err != nil {
			return err
		}
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		namespace := c.namespace(*o.namespace)
		if all {
			namespace = ""
		}
		if *watch {
			return p.watchList(cmd.Context(), c, k, scope{kind: k.kind, namespace: namespace, selection: selected})
		}
		items, err := c.list(cmd.Context(), path(k.kind, namespace, ""), selected)
		if err != nil {
			return err
		}
		if k.sorted != "" {
			slices.SortStableFunc(items, func(a, b any) int { return cmp.Compare(view.Plain(at(a, k.sorted)), view.Plain(at(b, k.sorted))) })
		}
		return p.showList(items, k)
	})
	return cmd
}

func at(doc any, path string) any { return document.At(doc, strings.Split(path, ".")...) }

// getter asks for an object.
type getter func(ctx context.Context, path string) (*document.Object, error)

func (p *program) getCommand(k *presentation) *cobra.Command {
	cmd, o := p.command(k, "get NAME", "Show one of the "+spaced(k.kind.Plural), "NAME", "NAME -o yaml")
	argparse.Old(cmd.Flags())
	addOldFormat(cmd)
	watch := addWatch(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		if *watch {
			return p.watchObject(cmd.Context(), c, k, c.namespace(*o.namespace), args[0])
		}
		get := getter(c.get)
		if k.get != nil {
			get = k.get(p, c)
		}
		doc, err := get(cmd.Context(), path(k.kind, c.namespace(*o.namespace), args[0]))
		if err != nil {
			return err
		}
		return p.show(doc, p.fullOf(k, doc))
	})
	return cmd
}

// deletion is what the command delete of a kind has beside the common options.
type deletion struct {
	wait   []string // states that it can wait for, the last one without a word
	option func(cmd *cobra.Command)
}

func (p *program) deleteCommand(k *presentation) *cobra.Command {
	cmd, o := p.command(k, "delete NAME", "Delete one of the "+spaced(k.kind.Plural), "NAME")
	var wait option.Wait
	if n := len(k.del.wait); n > 0 {
		wait = option.Wait{States: k.del.wait, Default: k.del.wait[n-1]}
		cmd.Flags().Var(&wait, "wait", "wait until it is in this state, "+wait.Default+" if none is named")
	}
	var force bool
	if k.kind.Force {
		cmd.Flags().BoolVar(&force, "force", false, "remove the record at once, whoever still has work to do")
	}
	argparse.Old(cmd.Flags())
	addOldFormat(cmd)
	if k.del.option != nil {
		k.del.option(cmd)
	}
	how := addDeletions(cmd, k.kind)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		query := url.Values{}
		if len(k.del.wait) > 0 {
			query.Set("blocking", wait.Blocking())
		}
		if k.kind.Force {
			query.Set("force", map[bool]string{true: "True", false: "False"}[force])
		}
		for way, chosen := range how {
			if *chosen {
				query.Set(way.Parameter(), "true")
			}
		}
		doc, err := c.object(cmd.Context(), client.Request{Method: http.MethodDelete,
			Path: path(k.kind, c.namespace(*o.namespace), args[0]), Query: query})
		if err != nil {
			return err
		}
		return p.showAwaited(doc, k.detailOf(doc), query)
	})
	return cmd
}

// addDeletions adds the options for the ways of deletion that a kind knows.
func addDeletions(cmd *cobra.Command, kind *api.Kind) map[api.Deletion]*bool {
	texts := map[api.Deletion]string{
		api.Evacuate:      "move the applications away first; those that cannot go hold the deletion",
		api.KeepWorkloads: "remove records alone: what runs on clusters stays there",
	}
	chosen := map[api.Deletion]*bool{}
	for _, way := range kind.Deletions {
		chosen[way] = cmd.Flags().Bool(strings.ReplaceAll(way.Parameter(), "_", "-"), false, texts[way])
	}
	return chosen
}
