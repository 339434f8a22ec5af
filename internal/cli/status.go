package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// statusCommand makes the command status.
func (p *program) statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show whether the API is there and who does the work behind it",
		Long: "Show whether the API is there, whether it can serve requests, its version, and which process does the work of each\n" +
			"component. The exit code is 0 if the API is ready.",
		Example: fmt.Sprintf("  %[1]s status\n  %[1]s status -o json", p.Name),
		Args:    exactly(nil),
	}
	config := addConfig(cmd)
	addOutput(cmd, asTable, asJSON, asYAML)
	p.addWidth(cmd)
	p.addTimeout(cmd)
	p.completeOptions(cmd, nil)
	cmd.RunE = p.run(func(cmd *cobra.Command, _ []string) error {
		c, err := p.connect(*config)
		if err != nil {
			return err
		}
		s, err := c.status(cmd.Context(), time.Now())
		if err != nil {
			return err
		}
		err = p.write(s.document, func() string {
			return view.Detail(statusColumns, s.document, p.lineWidth()) +
				view.List(componentColumns, document.List(s.document, "components"), p.lineWidth())
		})
		if err != nil {
			return err
		}
		return s.notReady
	})
	return cmd
}

var statusColumns = []view.Column{
	{Label: "api", Path: "api"},
	{Label: "alive", Path: "alive"},
	{Label: "ready", Path: "ready"},
	{Label: "version", Path: "version"},
	{Label: "wire", Path: "wire"},
}

var componentColumns = []view.Column{
	{Label: "component", Path: "name"},
	{Label: "state", Path: "state"},
	{Label: "holder", Path: "holder"},
	{Label: "since", Path: "since", Render: view.Time},
	{Label: "renewed", Path: "renewed", Render: view.Time},
}

// status is what an API says of itself.
type status struct {
	document *document.Object
	notReady error // why it cannot serve requests
}

// status asks the API how it is. What an older one does not say is null.
func (c *connection) status(ctx context.Context, now time.Time) (s status, err error) {
	s.document = document.New("api", c.client.URL(), "alive", nil, "ready", nil, "version", nil, "wire", nil, "components", []any{})
	wire, err := c.version(ctx)
	if err != nil {
		return s, err
	}
	s.document.Set("api", c.client.URL()) // of several, the one that answers
	s.document.Set("wire", wire)
	for _, q := range []struct{ key, path, of string }{
		{"alive", "/healthz", "status"}, {"ready", "/readyz", "status"}, {"version", "/version", "version"},
	} {
		answer, err := c.do(ctx, client.Request{Method: http.MethodGet, Path: q.path})
		switch {
		case err == nil:
			s.document.Set(q.key, document.Text(answer, q.of))
		case unknownPath(err):
		case q.key == "ready":
			s.document.Set("ready", "no: "+err.Error())
			s.notReady = fmt.Errorf("the API at %s is not ready: %w", c.client.URL(), withoutDocument(err))
		default:
			return s, err
		}
	}
	leases, err := c.list(ctx, path(api.LeaseKind, "", ""), nil)
	switch {
	case err == nil:
		s.document.Set("components", components(leases, now))
	case !unknownPath(err) && s.notReady == nil:
		return s, err
	}
	return s, nil
}

// unknownPath says whether an API is too old for a question.
func unknownPath(err error) bool {
	var problem *api.Problem
	return errors.As(err, &problem) && problem.Status == http.StatusNotFound
}

// withoutDocument keeps the text of an error alone, for a sentence of our own.
func withoutDocument(err error) error { return errors.New(err.Error()) }

// components say of each lease who does the work, and whether it is being done.
func components(leases []any, now time.Time) []any {
	out := []any{}
	for _, lease := range leases {
		spec := document.At(lease, "spec")
		out = append(out, document.New("name", document.Text(lease, "metadata", "name"), "state", leaseState(spec, now),
			"holder", document.At(spec, "holder"), "since", document.At(spec, "acquired"), "renewed", document.At(spec, "renewed")))
	}
	return out
}

// leaseState says whether somebody works under a lease. One that was not renewed in time is late: another process takes
// over soon if there is one.
func leaseState(spec any, now time.Time) string {
	renewed, err := time.Parse(time.RFC3339, document.Text(spec, "renewed"))
	switch {
	case document.Text(spec, "holder") == "":
		return "idle"
	case err != nil || now.Sub(renewed) > time.Duration(number(document.At(spec, "duration")))*time.Second:
		return "late"
	default:
		return "working"
	}
}
