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
	if isDocument && (!p.ErrTerminal || p.output.isDocument()) {
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
	fmt.Fprintf(p.Err, "Error %d %s:%s\n", problem.Status, what, readable(problem.Status, detail))
}

// explain says what to do about an error of the client.
func (c *connection) explain(err error) error {
	var (
		unreachable *client.UnreachableError
		redirect    *client.RedirectError
	)
	switch {
	case errors.As(err, &unreachable):
		return c.unreachable(unreachable)
	case errors.As(err, &redirect):
		return fmt.Errorf("%w: %s", err, c.follow(redirect.Location))
	default:
		return err
	}
}

// unreachable says why no answer came. Where a proxy is in between, the API may be innocent.
func (c *connection) unreachable(err *client.UnreachableError) error {
	proxy, variable := proxyOf(err.URL)
	if proxy == "" {
		return fmt.Errorf("cannot reach %s: %s (is the API running? set api_url in %s)", err.URL, cause(err.Err), c.source())
	}
	return fmt.Errorf("cannot reach %s through the proxy %s: %s (check %s, NO_PROXY and api_url in %s)", err.URL, proxy,
		cause(err.Err), variable, c.source())
}

// proxyOf returns the proxy that requests to an address go through, without its password, and the variable of the
// environment that names it.
func proxyOf(address string) (proxy, variable string) {
	to, err := url.Parse(address)
	if err != nil {
		return "", ""
	}
	u, err := http.ProxyFromEnvironment(&http.Request{URL: to})
	if err != nil || u == nil {
		return "", ""
	}
	return u.Redacted(), strings.ToUpper(to.Scheme) + "_PROXY"
}

// follow says how to get to where a redirect leads.
func (c *connection) follow(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return "is it a Krake API? set api_url in " + c.source()
	}
	advice := fmt.Sprintf("set api_url in %s to %s://%s", c.source(), u.Scheme, u.Host)
	if u.Scheme == "https" && !c.settings.TLS.Enabled {
		advice += " and enable tls there"
	}
	return advice
}

// foreign says that an answer is not that of a Krake API.
func (c *connection) foreign() error {
	return fmt.Errorf("the answer of %s is no Krake document (is it a Krake API? set api_url in %s)", c.client.URL(), c.source())
}

// source is the file to set things in.
func (c *connection) source() string {
	if c.settings.Source != "" {
		return c.settings.Source
	}
	return "a rok.yaml"
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
