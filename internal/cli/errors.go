package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
)

// report writes an error that stopped a command: a line for people, the problem document for programs.
func (p *program) report(err error) {
	var problem *api.Problem
	if !errors.As(err, &problem) {
		fmt.Fprintf(p.Err, "Error: %v\n", err)
		return
	}
	// The client fills in a problem where the answer was none; it has no type then.
	isDocument := problem.Type != ""
	if isDocument && (!p.ErrTerminal || p.output.form.Value != asTable) {
		doc, treeErr := document.Of(problem)
		if treeErr == nil {
			_, _ = p.Err.Write(document.JSON(doc))
			return
		}
	}
	what := problem.Title
	if what == "" {
		what = http.StatusText(problem.Status)
	}
	detail := strings.TrimPrefix(problem.Error(), fmt.Sprintf("%d: ", problem.Status))
	if !isDocument {
		detail = fmt.Sprintf("that is all that %s answers; is it a Krake API?", p.apiURL)
	}
	fmt.Fprintf(p.Err, "Error %d %s: %s\n", problem.Status, what, detail)
}

// unreachable says why no answer came, and what to do about it.
func (c *connection) unreachable(err error) error {
	var u *client.UnreachableError
	if !errors.As(err, &u) {
		return err
	}
	where := "a rok.yaml"
	if c.settings.Source != "" {
		where = c.settings.Source
	}
	return fmt.Errorf("cannot reach %s: %s (is the API running? set api_url in %s)", u.URL, cause(u.Err), where)
}

func cause(err error) string {
	var (
		dns       *net.DNSError
		operation *net.OpError
		request   *url.Error
	)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &dns):
		return "unknown host " + dns.Name
	case errors.As(err, &operation):
		return operation.Err.Error()
	case errors.As(err, &request):
		return request.Err.Error()
	default:
		return err.Error()
	}
}
