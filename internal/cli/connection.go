package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/settings"
)

// usualTimeout bounds a request. The server holds one that waits for a state for a minute.
const usualTimeout = 2 * time.Minute

// addTimeout adds the option for another bound. It is a new one: it comes after the old ones.
func (p *program) addTimeout(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&p.timeout, "timeout", usualTimeout, "longest `TIME` to wait for an answer, such as 30s")
}

// attempts is how often a change is tried when others change the same object.
const attempts = 5

// connection is the API as one command uses it.
type connection struct {
	settings settings.Settings
	client   *client.Client
}

// addConfig adds the option for the configuration file.
func addConfig(cmd *cobra.Command) *string {
	return cmd.Flags().String("config", "", "configuration `FILE` instead of rok.yaml")
}

// connect reads the configuration. It sends nothing.
func (p *program) connect(config string) (*connection, error) {
	if p.timeout <= 0 {
		return nil, usagef("argument --timeout: must be longer than 0")
	}
	s, err := settings.Load(config, p.Env)
	if err != nil {
		return nil, err
	}
	for _, w := range s.Warnings {
		p.warn("%s", w)
	}
	transport, err := s.Transport()
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Config{URL: s.APIURL, Transport: transport, UserAgent: "rok/" + p.version(), Timeout: p.timeout})
	if err != nil {
		return nil, err
	}
	p.apiURL = c.URL()
	return &connection{settings: s, client: c}, nil
}

// namespace is the one that was named, or the user's.
func (c *connection) namespace(named string) string {
	if named != "" {
		return named
	}
	return c.settings.User
}

// path is the kind's path to an object, or to the list of them if there is no name.
func path(kind *api.Kind, namespace, name string) string {
	if !kind.Namespaced {
		namespace = ""
	}
	return kind.Path(namespace, name)
}

// do sends a request and returns the document of the answer, nil when there is none.
func (c *connection) do(ctx context.Context, r client.Request) (any, error) {
	data, err := c.client.Do(ctx, r)
	if err != nil {
		return nil, c.explain(err)
	}
	if len(data) == 0 {
		return nil, nil
	}
	doc, err := document.Parse(data)
	if err != nil || doc == nil {
		return nil, c.foreign()
	}
	return doc, nil
}

// object sends a request that is answered with an object, or with nothing: then it is nil.
func (c *connection) object(ctx context.Context, r client.Request) (*document.Object, error) {
	doc, err := c.do(ctx, r)
	if err != nil || doc == nil {
		return nil, err
	}
	if !isNamed(doc) {
		return nil, c.foreign()
	}
	return doc.(*document.Object), nil
}

// get reads an object.
func (c *connection) get(ctx context.Context, path string) (*document.Object, error) {
	object, err := c.object(ctx, client.Request{Method: http.MethodGet, Path: path})
	if err == nil && object == nil {
		err = c.foreign()
	}
	return object, err
}

// part reads the content of a part of an object.
func (c *connection) part(ctx context.Context, path, name string) (*document.Object, error) {
	doc, err := c.do(ctx, client.Request{Method: http.MethodGet, Path: path + "/" + name})
	if err != nil {
		return nil, err
	}
	content, ok := document.At(doc, "content").(*document.Object)
	if !ok {
		return nil, c.foreign()
	}
	return content, nil
}

// list reads the objects of a list.
func (c *connection) list(ctx context.Context, path string, selection url.Values) ([]any, error) {
	items, _, err := c.listed(ctx, path, selection)
	return items, err
}

// listed reads the objects of a list and the version that they are of, empty if the API does not say.
func (c *connection) listed(ctx context.Context, path string, selection url.Values) (items []any, version string, err error) {
	doc, err := c.do(ctx, client.Request{Method: http.MethodGet, Path: path, Query: selection})
	if err != nil {
		return nil, "", err
	}
	items, ok := document.At(doc, "items").([]any)
	if !ok || !all(items, isNamed) {
		return nil, "", c.foreign()
	}
	return items, document.Text(doc, "metadata", "resource_version"), nil
}

// isNamed says whether a document is an object of Krake's: all of them have a name.
func isNamed(doc any) bool { return document.Text(doc, "metadata", "name") != "" }

func all(items []any, holds func(any) bool) bool {
	return !slices.ContainsFunc(items, func(item any) bool { return !holds(item) })
}

// modify reads an object, changes it and writes it back whole. It starts again when someone else was faster.
func (c *connection) modify(ctx context.Context, path string, query url.Values, change func(*document.Object) error) (*document.Object, error) {
	for attempt := 1; ; attempt++ {
		object, err := c.get(ctx, path)
		if err != nil {
			return nil, err
		}
		if err := change(object); err != nil {
			return nil, err
		}
		body, err := json.Marshal(object)
		if err != nil {
			return nil, err
		}
		version := document.Text(object, "metadata", "resource_version")
		object, err = c.object(ctx, client.Request{Method: http.MethodPut, Path: path, Query: query, Body: json.RawMessage(body),
			IfMatch: version})
		if err == nil || !client.Conflict(err) || attempt == attempts {
			return object, err
		}
	}
}
