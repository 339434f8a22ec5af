package cli

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
)

// newObject is a document of a kind, with its name and without labels.
func newObject(kind *api.Kind, name string) *document.Object {
	return document.New("api", kind.Group, "kind", kind.Name, "metadata", document.New("name", name))
}

// create sends a new object and shows what has become of it.
func (p *program) create(ctx context.Context, k *presentation, o commonOptions, body *document.Object) error {
	c, err := p.connect(*o.config)
	if err != nil {
		return err
	}
	doc, err := c.object(ctx, client.Request{Method: http.MethodPost, Body: body,
		Path: path(k.kind, c.namespace(*o.namespace), "")})
	if err != nil {
		return err
	}
	return p.show(doc, k.detailOf(doc))
}

// update changes an object and shows what has become of it.
func (p *program) update(ctx context.Context, k *presentation, o commonOptions, name string, change func(*document.Object) error) error {
	c, err := p.connect(*o.config)
	if err != nil {
		return err
	}
	at := path(k.kind, c.namespace(*o.namespace), name)
	doc, err := c.modify(ctx, at, url.Values{}, change)
	if k.idempotent && changesNothing(err) {
		p.hint("no change: '%s' is as the command line wants it already", name)
		doc, err = c.get(ctx, at)
	}
	if err != nil {
		return err
	}
	return p.show(doc, k.detailOf(doc))
}

// changesNothing says whether an update was refused because the object is already as it should be.
func changesNothing(err error) bool {
	var problem *api.Problem
	return errors.As(err, &problem) && problem.Status == http.StatusBadRequest && problem.Title == api.TitleUpdate
}
