package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// approveCommand makes the command approve of kinds with removals that may wait. What is approved is exactly what was
// shown: each object by its UID.
func (p *program) approveCommand(k *presentation) *cobra.Command {
	cmd, o := p.command(k, "approve NAME", "Approve the removal of many objects that nobody asked for by name", "NAME", "NAME --yes")
	cmd.Long = cmd.Short + ".\nWhat would be removed, and from where, is shown first; the approval is for these objects and no others."
	argparse.Old(cmd.Flags())
	yes := cmd.Flags().BoolP("yes", "y", false, "approve without being asked")
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if !*yes && p.Ask == nil {
			return usagef("argument --yes/-y: needed, because there is no terminal to ask on")
		}
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		object := path(k.kind, c.namespace(*o.namespace), args[0])
		waiting, uids, err := c.waiting(cmd.Context(), object, c.namespace(*o.namespace))
		if err != nil {
			return err
		}
		if len(uids) == 0 {
			return fmt.Errorf("no removal of %s '%s' waits for approval", k.kind.Name, args[0])
		}
		if err := p.askApproval(cmd.Context(), waiting, *yes); err != nil {
			return err
		}
		doc, err := c.object(cmd.Context(), client.Request{Method: http.MethodPut, Path: object + "/approval",
			Body: api.RemovalApproval{UIDs: uids}})
		if err != nil {
			return err
		}
		return p.show(doc, k.detailOf(doc))
	})
	return cmd
}

// waiting reads which removals of an object wait, with the clusters called as people call them.
func (c *connection) waiting(ctx context.Context, object, namespace string) (objects []any, uids []string, err error) {
	part, err := c.do(ctx, client.Request{Method: http.MethodGet, Path: object + "/" + api.RemovalPart})
	if err != nil {
		return nil, nil, err
	}
	clusters, err := c.list(ctx, path(api.ClusterKind, namespace, ""), nil)
	if err != nil {
		return nil, nil, err
	}
	names := map[string]string{}
	for _, cluster := range clusters {
		names[document.Text(cluster, "status", "identity")] = document.Text(cluster, "metadata", "name")
	}
	for _, item := range document.List(part, "content", "waiting") {
		o, ok := item.(*document.Object)
		if !ok {
			return nil, nil, c.foreign()
		}
		if name := names[document.Text(o, "cluster")]; name != "" {
			o.Set("cluster", name)
		}
		objects, uids = append(objects, o), append(uids, document.Text(o, "uid"))
	}
	return objects, uids, nil
}

// removalColumns show objects that would be removed.
var removalColumns = []view.Column{
	{Label: "cluster", Path: "cluster"},
	{Label: "kind", Path: "kind"},
	{Label: "namespace", Path: "namespace"},
	{Label: "name", Path: "name"},
	{Label: "uid", Path: "uid"},
}

// askApproval shows what would be removed and, unless it is approved already, asks a person.
func (p *program) askApproval(ctx context.Context, objects []any, approved bool) error {
	if !p.machine() || !approved {
		if _, err := io.WriteString(p.Err, view.List(removalColumns, objects, p.lineWidth())); err != nil {
			return err
		}
	}
	if approved {
		return nil
	}
	answer, err := p.Ask(ctx, fmt.Sprintf("Remove what is listed (%d)? [y/N] ", len(objects)))
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was approved")
}

// approvalRow is the row about removals that wait, in details of an object that has some.
func approvalRow(doc *document.Object) []view.Column {
	for _, c := range document.List(doc, "status", "conditions") {
		if document.Text(c, "type") == string(api.AwaitingApproval) && document.Text(c, "status") == string(api.True) {
			message := document.Text(c, "message")
			return []view.Column{{Label: "awaiting approval", Path: "status", Render: func(any) string { return message }}}
		}
	}
	return nil
}
