package cli

import (
	"context"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// explainApplication makes the command that says why an application is where it is.
func (p *program) explainApplication(k *presentation) *cobra.Command {
	cmd, o := p.command(k, "explain NAME", "Say why an application is where it is, and why not elsewhere", "echo-demo",
		"--not berlin echo-demo", "--metric heat 0.9 echo-demo")
	form := cmd.Flags().Lookup("output")
	*form.Value.(*option.Choice) = option.Choice{Value: asTable, Words: []string{asTable, asJSON, asYAML}}
	not := cmd.Flags().String("not", "", "say why it is not on this `CLUSTER`")
	readings := option.Readings{}
	cmd.Flags().Var(&readings, "metric", "explain as if this metric had this value, may be repeated")
	cmd.Long = "Say where the scheduler would have an application now, what it thinks of each cluster, and what would change its mind.\n" +
		"Nothing is written. Documents have more clusters, and the last decisions."
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		doc, err := c.explanation(cmd.Context(), k, c.namespace(*o.namespace), args[0], *not, readings)
		if err != nil {
			return err
		}
		return p.write(doc, func() string { return drawExplanation(doc, *not, p.lineWidth()) })
	})
	return cmd
}

// explanation asks why an application is where it is, and not elsewhere; with readings, what would be if its metrics had
// these values.
func (c *connection) explanation(ctx context.Context, k *presentation, namespace, name, not string, readings option.Readings) (*document.Object, error) {
	if len(readings) == 0 && not == "" {
		doc, err := c.do(ctx, client.Request{Method: http.MethodGet, Path: path(k.kind, namespace, name) + "/" + api.PlacementPart,
			Query: url.Values{"explain": {"true"}}})
		if err != nil {
			return nil, err
		}
		return c.explained(doc)
	}
	values := document.New()
	for _, r := range readings {
		values.Set(r.Name, r.Value)
	}
	return c.placement(ctx, namespace, document.New("name", name, "metrics", values, "about", not))
}

// placement asks where something would be placed. The answer stands where that of an existing application does.
func (c *connection) placement(ctx context.Context, namespace string, question *document.Object) (*document.Object, error) {
	doc, err := c.do(ctx, client.Request{Method: http.MethodPost, Body: question,
		Path: "/kubernetes/namespaces/" + url.PathEscape(namespace) + "/" + api.PlacementsQuestion})
	if err != nil {
		return nil, err
	}
	return c.explained(document.New("explanation", doc))
}

// explained is a document if it has an explanation, which those of older servers have not.
func (c *connection) explained(doc any) (*document.Object, error) {
	object, ok := doc.(*document.Object)
	if _, explained := document.At(doc, "explanation", "decision").(*document.Object); !ok || !explained {
		return nil, c.foreign()
	}
	return object, nil
}

// addDryRun adds the option to say what would be, and to do nothing.
func addDryRun(cmd *cobra.Command) *bool {
	dry := cmd.Flags().Bool("dry-run", false, "say where the application would be placed and why, and write nothing")
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed("wait") && *dry {
			return usagef("argument --dry-run: not allowed with argument --wait")
		}
		return before(cmd, args)
	}
	return dry
}

var checkOnly = url.Values{"dry_run": {"true"}}

// dryCreate has an application checked as it would be when it is created, and says where it would go.
func (p *program) dryCreate(ctx context.Context, c *connection, k *presentation, namespace string, body *document.Object) error {
	if _, err := c.object(ctx, client.Request{Method: http.MethodPost, Body: body, Query: checkOnly, Path: path(k.kind, namespace, "")}); err != nil {
		return err
	}
	return p.showPlacement(ctx, c, namespace, document.New("application", body))
}

// dryUpdate does the same with a change of an application.
func (p *program) dryUpdate(ctx context.Context, c *connection, k *presentation, namespace, name string, change func(*document.Object) error) error {
	next, err := c.modify(ctx, path(k.kind, namespace, name), checkOnly, change)
	if err != nil {
		return err
	}
	return p.showPlacement(ctx, c, namespace, document.New("name", name, "application", next))
}

func (p *program) showPlacement(ctx context.Context, c *connection, namespace string, question *document.Object) error {
	doc, err := c.placement(ctx, namespace, question)
	if err != nil {
		return err
	}
	return p.write(doc, func() string { return drawExplanation(doc, "", p.lineWidth()) })
}
