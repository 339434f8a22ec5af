package cli

import (
	"context"
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// byHand are the rows of an application that somebody has paused, pinned or asked to move. Others have none.
func byHand(app *document.Object) []view.Column {
	var rows []view.Column
	if document.At(app, "spec", "paused") == true {
		rows = append(rows, view.Column{Label: "paused", Path: "spec.paused"})
	}
	if document.Text(app, "spec", "pin") != "" {
		rows = append(rows, view.Column{Label: "pinned to", Path: "spec.pin"})
	}
	switch {
	case document.Text(app, "status", "move_request", "refused") != "":
		rows = append(rows, view.Column{Label: "not moved", Path: "status.move_request.refused"})
	case document.Text(app, "status", "move_request", "to") != "":
		rows = append(rows, view.Column{Label: "is to move to", Path: "status.move_request.to"})
	}
	return rows
}

func (p *program) pauseApplication(k *presentation) *cobra.Command {
	cmd := p.switchSpec(k, "pause NAME", "Keep an application where it is, whatever happens", map[string]any{"paused": true})
	cmd.Long = cmd.Short + ". It is not moved, also not away from a cluster that is drained or dead.\n" +
		"Changes of its manifest are still applied where it is. 'resume' ends that."
	return cmd
}

func (p *program) resumeApplication(k *presentation) *cobra.Command {
	return p.switchSpec(k, "resume NAME", "Let an application move again that was paused", map[string]any{"paused": false})
}

func (p *program) unpinApplication(k *presentation) *cobra.Command {
	return p.switchSpec(k, "unpin NAME", "Let an application be on any cluster that it matches again", map[string]any{"pin": ""})
}

func (p *program) pinApplication(k *presentation) *cobra.Command {
	cmd, o := p.command(k, "pin NAME", "Let an application be on one cluster only, and move it there", "--to minikube NAME")
	cmd.Long = cmd.Short + ". All its constraints must hold\nthere; if it may not be there, it stays where it is and says why. 'unpin' ends that."
	to := addTarget(cmd)
	again := *k
	again.idempotent = true
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if err := require(cmd, "to"); err != nil {
			return err
		}
		return p.update(cmd.Context(), &again, o, args[0], func(app *document.Object) error {
			document.Put(app, *to, "spec", "pin")
			return nil
		})
	})
	return cmd
}

func (p *program) moveApplication(k *presentation) *cobra.Command {
	cmd, o := p.command(k, "move NAME", "Move an application to a cluster, once", "--to minikube NAME", "--to minikube NAME --wait")
	cmd.Long = cmd.Short + ". It goes there if it may be there; its constraints hold as ever.\n" +
		"Afterwards Krake moves it as usual, but not before it has been there for a while. 'pin' keeps it there."
	to := addTarget(cmd)
	wait := cmd.Flags().Bool("wait", false, "wait until it runs there, or say why it does not move")
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if err := require(cmd, "to"); err != nil {
			return err
		}
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		namespace := c.namespace(*o.namespace)
		doc, err := c.object(cmd.Context(), client.Request{Method: http.MethodPut, Path: path(k.kind, namespace, args[0]) + "/move",
			Body: api.ApplicationMove{Cluster: *to}})
		if err == nil && *wait {
			doc, err = p.awaitMoved(cmd.Context(), c, one(k.kind, namespace, args[0]), *to)
		}
		if err != nil {
			return err
		}
		return p.show(doc, k.detailOf(doc))
	})
	return cmd
}

// addTarget adds the option that names a cluster; it is required.
func addTarget(cmd *cobra.Command) *string {
	return cmd.Flags().String("to", "", "name of the `CLUSTER`")
}

// awaitMoved follows an application until it runs on a cluster that it was asked to move to.
func (p *program) awaitMoved(ctx context.Context, c *connection, of scope, to string) (seen *document.Object, err error) {
	next := func(ch change) error {
		seen = ch.object
		status := document.At(seen, "status")
		asked, moving := document.Text(status, "move_request", "to"), conditionOf(document.At(status, "conditions"), api.Migrating)
		switch {
		case ch.kind == client.Deleted:
			return errors.New("the application was removed meanwhile")
		case asked != "" && document.Text(status, "move_request", "refused") != "":
			return errors.New(document.Text(status, "move_request", "refused"))
		case asked != "" || document.Text(moving, "status") == string(api.True):
			return nil
		case document.Text(status, "running_on", "name") == to:
			return errEnough
		case document.Text(moving, "status") == string(api.False):
			return errors.New(document.Text(moving, "message"))
		}
		return nil
	}
	err = p.follow(ctx, c, of, follower{next: next, begin: func(items []any) error {
		if len(items) == 0 {
			return errors.New("the application was removed meanwhile")
		}
		return next(change{client.Added, items[0].(*document.Object)})
	}})
	return seen, err
}

// conditionOf finds a condition in a list, nil if there is none.
func conditionOf(conditions any, of api.ConditionType) any {
	list, _ := conditions.([]any)
	for _, c := range list {
		if document.Text(c, "type") == string(of) {
			return c
		}
	}
	return nil
}
