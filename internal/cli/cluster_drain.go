package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// departure are the rows of a cluster that applications are kept away from, or are to leave. Others have none.
func departure(cluster *document.Object) []view.Column {
	unusual := document.At(cluster, "spec", "unschedulable") == true || document.At(cluster, "spec", "drain") == true
	if way := document.Text(cluster, "metadata", "deletion"); way == "" && !unusual {
		return nil
	}
	return []view.Column{
		{Label: "unschedulable", Path: "spec.unschedulable"},
		{Label: "drain", Path: "spec.drain"},
		{Label: "deletion", Path: "metadata.deletion"},
		{Label: "drained", Path: "status.conditions", Render: drainedCell},
	}
}

// drainedCell says how far a drain is.
func drainedCell(conditions any) string {
	c := conditionOf(conditions, api.Drained)
	if c == nil {
		return view.Plain(nil)
	}
	return document.Text(c, "status") + ": " + document.Text(c, "message")
}

func (p *program) cordonCluster(k *presentation) *cobra.Command {
	cmd := p.switchSpec(k, "cordon NAME", "Keep new applications away from a cluster", map[string]any{"unschedulable": true})
	cmd.Long = "Keep new applications away from a cluster. Those that run there stay."
	return cmd
}

func (p *program) uncordonCluster(k *presentation) *cobra.Command {
	cmd := p.switchSpec(k, "uncordon NAME", "Let applications come to a cluster again", map[string]any{"unschedulable": false, "drain": false})
	cmd.Long = "Let applications come to a cluster again, and stay there: it is neither cordoned nor drained afterwards."
	return cmd
}

func (p *program) drainCluster(k *presentation) *cobra.Command {
	cmd := p.switchSpec(k, "drain NAME", "Move the applications of a cluster away", map[string]any{"unschedulable": true, "drain": true})
	cmd.Long = "Keep new applications away from a cluster, and move those away that are there. The row drained says what is still there\n" +
		"and why. 'uncordon' calls it off; what has moved stays where it is."
	wait := cmd.Flags().Bool("wait", false, "wait until nothing is left, and tell what still is; the drain goes on if this is interrupted")
	set := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := set(cmd, args); err != nil || !*wait {
			return err
		}
		c, err := p.connect(cmd.Flag("config").Value.String())
		if err != nil {
			return err
		}
		return p.awaitDrained(cmd.Context(), c, one(k.kind, c.namespace(cmd.Flag("namespace").Value.String()), args[0]))
	}
	return cmd
}

// switchSpec makes a command that sets fields of a specification. An object that is so already is fine.
func (p *program) switchSpec(k *presentation, use, short string, fields map[string]any) *cobra.Command {
	cmd, o := p.command(k, use, short, "NAME")
	again := *k
	again.idempotent = true
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		return p.update(cmd.Context(), &again, o, args[0], func(object *document.Object) error {
			for name, value := range fields {
				document.Put(object, value, "spec", name)
			}
			return nil
		})
	})
	return cmd
}

// awaitDrained follows a cluster until nothing is left there.
func (p *program) awaitDrained(ctx context.Context, c *connection, of scope) error {
	told := ""
	next := func(ch change) error {
		condition := conditionOf(document.At(ch.object, "status", "conditions"), api.Drained)
		message := document.Text(condition, "message")
		if message != told && !p.machine() {
			fmt.Fprintln(p.Err, message)
			told = message
		}
		switch {
		case document.Text(condition, "status") == string(api.True):
			return errEnough
		case ch.kind == client.Deleted:
			return errors.New("the cluster was removed meanwhile")
		case document.At(ch.object, "spec", "drain") != true:
			return errors.New("the drain was called off")
		}
		return nil
	}
	return p.follow(ctx, c, of, follower{next: next, begin: func(items []any) error {
		if len(items) == 0 {
			return errors.New("the cluster was removed meanwhile")
		}
		return next(change{client.Added, items[0].(*document.Object)})
	}})
}
