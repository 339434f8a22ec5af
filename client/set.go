package client

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// Pointer is *T, where T is the Go type of a kind.
type Pointer[T any] interface {
	*T
	api.Resource
}

// Objects is all objects of one kind. For global kinds the namespace in the methods' arguments is empty. P is the Go type
// of the objects, or api.Resource where it is not known before the program runs.
type Objects[P api.Resource] struct {
	c    *Client
	kind *api.Kind
	view string // how much of the objects reads ask for; everything when empty
}

// Set is all objects of the kind whose Go type is T.
type Set[T any, P Pointer[T]] = Objects[P]

// Of returns the objects of a kind, given by its Go type.
func Of[T any, P Pointer[T]](c *Client) Set[T, P] {
	return Objects[P]{c: c, kind: api.KindOf(P(new(T)))}
}

// OfKind returns the objects of a kind, given by its entry in the table of kinds, for code that works for all of them.
func OfKind(c *Client, kind *api.Kind) Objects[api.Resource] {
	return Objects[api.Resource]{c: c, kind: kind}
}

// MetadataOfKind returns the objects of a kind without what is in them: reads ask the server for nothing but the
// metadata. Writes are those of any other set.
func MetadataOfKind(c *Client, kind *api.Kind) Objects[*api.Envelope] {
	bare := *kind
	bare.New = func() api.Resource { return &api.Envelope{} }
	return Objects[*api.Envelope]{c: c, kind: &bare, view: "metadata"}
}

// Kind returns the kind of the objects.
func (s Objects[P]) Kind() *api.Kind { return s.kind }

// Get reads one object.
func (s Objects[P]) Get(ctx context.Context, namespace, name string) (P, error) {
	return s.one(ctx, Request{Method: http.MethodGet, Path: s.kind.Path(namespace, name), Query: s.viewed(url.Values{})})
}

// viewed adds to the query of a read how much is to be shown.
func (s Objects[P]) viewed(query url.Values) url.Values {
	if s.view != "" {
		query.Set("view", s.view)
	}
	return query
}

// Create stores a new object and returns it as the server completed it.
func (s Objects[P]) Create(ctx context.Context, obj P) (P, error) {
	namespace := api.Meta(obj).NamespaceOrEmpty()
	return s.one(ctx, Request{Method: http.MethodPost, Path: s.kind.Path(namespace, ""), Body: obj})
}

// Update replaces an object, unless it has changed since obj was read. The status is not written.
func (s Objects[P]) Update(ctx context.Context, obj P) (P, error) {
	m := api.Meta(obj)
	return s.one(ctx, Request{Method: http.MethodPut, Path: s.kind.Path(m.NamespaceOrEmpty(), m.Name), Body: obj,
		IfMatch: m.ResourceVersion})
}

// Patch changes an object by a merge patch (RFC 7396), unless it has changed since obj was read.
func (s Objects[P]) Patch(ctx context.Context, obj P, patch any) (P, error) {
	return s.patch(ctx, obj, "", patch)
}

// PatchStatus changes the status by a merge patch of the form {"status": {…}}, unless the object has changed since obj
// was read. The key "parts" may hold whole new parts, which are written in the same transaction.
func (s Objects[P]) PatchStatus(ctx context.Context, obj P, patch any) (P, error) {
	return s.patch(ctx, obj, "/status", patch)
}

func (s Objects[P]) patch(ctx context.Context, obj P, sub string, patch any) (P, error) {
	m := api.Meta(obj)
	return s.one(ctx, Request{Method: http.MethodPatch, Path: s.kind.Path(m.NamespaceOrEmpty(), m.Name) + sub,
		Body: patch, IfMatch: m.ResourceVersion})
}

// Do calls an action of an object, such as binding.
func (s Objects[P]) Do(ctx context.Context, namespace, name, action string, body any) (P, error) {
	return s.one(ctx, Request{Method: http.MethodPut, Path: s.kind.Path(namespace, name) + "/" + action, Body: body})
}

// DeleteOptions say how to delete.
type DeleteOptions struct {
	Force   bool         // remove the record at once, whoever still has work to do
	How     api.Deletion // a way that the kind knows, plainly when empty
	Cascade bool         // nobody has named the object: it goes because its owners do
	IfMatch string       // only this version
}

// Delete asks for the deletion of an object.
func (s Objects[P]) Delete(ctx context.Context, namespace, name string, o DeleteOptions) (P, error) {
	query := url.Values{}
	if o.Force {
		query.Set("force", "True")
	}
	if o.Cascade {
		query.Set("cascade", "true")
	}
	if o.How != api.DeletePlain {
		query.Set(o.How.Parameter(), "true")
	}
	return s.one(ctx, Request{Method: http.MethodDelete, Path: s.kind.Path(namespace, name), Query: query, IfMatch: o.IfMatch})
}

// List reads all objects of a namespace, or of all namespaces when it is empty, and the version at which the list is
// complete. An object that cannot be read, of a newer server for example, is logged and left out: it must not hide the
// others.
func (s Objects[P]) List(ctx context.Context, namespace string) ([]P, string, error) {
	return s.list(ctx, namespace, slog.Default())
}

// pageSize is how many objects are read at once, so that a long list is never in memory as a whole beside its objects.
const pageSize = 500

func (s Objects[P]) list(ctx context.Context, namespace string, log *slog.Logger) ([]P, string, error) {
	out, next := []P{}, ""
	for {
		page, err := s.page(ctx, namespace, next)
		if err != nil {
			return nil, "", err
		}
		for _, item := range page.Items {
			obj, err := s.read(item)
			if err != nil {
				log.Warn("left out of a list", "error", err)
				continue
			}
			out = append(out, obj)
		}
		if next = page.Metadata.Continue; next == "" {
			return out, page.Metadata.ResourceVersion, nil
		}
	}
}

// A page is a part of a list.
type page struct {
	Metadata struct {
		ResourceVersion string `json:"resource_version"`
		Continue        string `json:"continue"`
	} `json:"metadata"`
	Items []json.RawMessage `json:"items"`
}

func (s Objects[P]) page(ctx context.Context, namespace, from string) (page, error) {
	query := s.viewed(url.Values{"limit": {strconv.Itoa(pageSize)}})
	if from != "" {
		query.Set("continue", from)
	}
	data, err := s.c.Do(ctx, Request{Method: http.MethodGet, Path: s.kind.Path(namespace, ""), Query: query})
	if err != nil {
		return page{}, err
	}
	var p page
	if err := json.Unmarshal(data, &p); err != nil {
		return page{}, fmt.Errorf("the list of %s cannot be read: %w", s.kind.Plural, err)
	}
	if p.Items == nil {
		return page{}, fmt.Errorf("the list of %s cannot be read: it has no items", s.kind.Plural)
	}
	return p, nil
}

func (s Objects[P]) one(ctx context.Context, r Request) (P, error) {
	var none P
	data, err := s.c.Do(ctx, r)
	if err != nil {
		return none, err
	}
	obj, err := s.read(data)
	if err != nil {
		return none, fmt.Errorf("the answer to %s %s: %w", r.Method, r.Path, err)
	}
	return obj, nil
}

// read decodes an object, and says in the error which one it is, as far as that can be read.
func (s Objects[P]) read(data []byte) (P, error) {
	doc, err := wire.Parse(data)
	if err == nil {
		var r api.Resource
		if r, err = s.kind.Decode(doc, wire.Stored); err == nil {
			return r.(P), nil
		}
	}
	var named struct {
		Metadata struct{ Namespace, Name string }
	}
	_ = json.Unmarshal(data, &named)
	var none P
	return none, fmt.Errorf("%s %s/%s cannot be read: %w", s.kind.Name, named.Metadata.Namespace, named.Metadata.Name, err)
}

// GetPart reads a part of an object into into, a pointer to the part's type, and returns the part's version. A part that
// was never written is empty and has version 0.
func (s Objects[P]) GetPart(ctx context.Context, obj P, part string, into any) (version string, err error) {
	m := api.Meta(obj)
	data, err := s.c.Do(ctx, Request{Method: http.MethodGet, Path: s.kind.Path(m.NamespaceOrEmpty(), m.Name) + "/" + part})
	if err != nil {
		return "", err
	}
	return decodePart(data, into)
}

// PutPart replaces a part of an object, unless it has changed since the version was read, and returns its new version.
func (s Objects[P]) PutPart(ctx context.Context, obj P, part string, body any, version string) (string, error) {
	m := api.Meta(obj)
	data, err := s.c.Do(ctx, Request{Method: http.MethodPut, Path: s.kind.Path(m.NamespaceOrEmpty(), m.Name) + "/" + part,
		Query: url.Values{"uid": {m.UID}}, Body: body, IfMatch: version})
	if err != nil {
		return "", err
	}
	var answer api.PartDocument
	err = json.Unmarshal(data, &answer)
	return answer.Metadata.ResourceVersion, err
}

func decodePart(data []byte, into any) (string, error) {
	var answer api.PartDocument
	if err := json.Unmarshal(data, &answer); err != nil {
		return "", fmt.Errorf("a part cannot be read: %w", err)
	}
	return answer.Metadata.ResourceVersion, wire.Into(answer.Content, into)
}
