package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
)

// addWatch adds the switch that makes a command go on with what changes. It is a new one: it comes after the old ones.
func addWatch(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("watch", false, "go on and show every change, until it is interrupted")
}

// A change is what happened to an object: a line of a watch.
type change struct {
	kind   client.EventType
	object *document.Object
}

// errEnough ends a watch that has seen what it was for.
var errEnough = errors.New("enough")

// A follower is told which objects there are, and then of every change. Its errors end the watch.
type follower struct {
	begin func(items []any) error
	next  func(change) error
}

// scope is which objects of a kind a follower is told of: those of a namespace, or all when it is empty, that are
// selected.
type scope struct {
	kind      *api.Kind
	namespace string
	selection url.Values
	name      string // of the only one, empty for all
}

// one is the scope of a single object.
func one(kind *api.Kind, namespace, name string) scope {
	return scope{kind: kind, namespace: namespace, name: name, selection: url.Values{"field_selector": {"metadata.name=" + name}}}
}

// has says whether a document is in scope. An older API selects nothing.
func (s scope) has(doc any) bool {
	return s.name == "" || document.Text(doc, "metadata", "name") == s.name
}

// follow tells a follower of objects. It begins anew when the server no longer knows what happened since.
func (p *program) follow(ctx context.Context, c *connection, s scope, f follower) error {
	if !s.kind.Namespaced {
		s.namespace = ""
	}
	told := false // that the connection is lost
	watch := client.DocumentWatch{
		Namespace: s.namespace,
		Select:    s.selection,
		Lost: func(err error) {
			if !told {
				p.warn("the connection to %s is lost (%s); trying again until it is there or you interrupt", c.client.URL(), cause(err))
			}
			told = true
		},
		Handle: func(e client.Event[json.RawMessage]) error {
			told = false
			doc, err := document.Parse(e.Object)
			switch {
			case err != nil || !isNamed(doc):
				return c.foreign()
			case !s.has(doc):
				return nil
			}
			return f.next(change{e.Type, doc.(*document.Object)})
		},
	}
	for {
		items, version, err := c.listed(ctx, path(s.kind, s.namespace, ""), s.selection)
		if err != nil {
			return err
		}
		if err := f.begin(slices.DeleteFunc(items, func(item any) bool { return !s.has(item) })); err != nil {
			return finished(err)
		}
		watch.From = version
		if err := client.OfKind(c.client, s.kind).WatchDocuments(ctx, watch); !client.Expired(err) {
			return finished(c.explain(err))
		}
	}
}

func finished(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// watchList shows the objects of a kind and then every change.
func (p *program) watchList(ctx context.Context, c *connection, k *presentation, of scope) error {
	s := screen{p: p, draw: func(items []any) error { return p.showList(items, k) }}
	return p.follow(ctx, c, of, follower{s.begin, s.next})
}

// watchObject shows an object and then every change, until it is gone.
func (p *program) watchObject(ctx context.Context, c *connection, k *presentation, namespace, name string) error {
	s := screen{p: p, draw: func(items []any) error {
		doc := items[0].(*document.Object)
		return p.show(doc, p.fullOf(k, doc))
	}}
	at := path(k.kind, namespace, name)
	get := getter(c.get)
	if k.get != nil {
		get = k.get(p, c)
	}
	return p.follow(ctx, c, one(k.kind, namespace, name), follower{
		begin: func([]any) error {
			doc, err := get(ctx, at)
			if err != nil {
				return err
			}
			return s.begin([]any{doc})
		},
		next: func(ch change) error {
			if ch.kind != client.Deleted && k.get != nil { // more is shown than what has changed
				doc, err := get(ctx, at)
				if client.NotFound(err) {
					return nil // the next change says so
				}
				if err != nil {
					return err
				}
				ch.object = doc
			}
			if ch.kind != client.Deleted {
				return s.next(ch)
			}
			if s.redraws() { // what it was at last stays to be seen
				return errEnough
			}
			return cmp.Or(s.next(ch), errEnough)
		},
	})
}

// screen shows objects and their changes. On a terminal a table is drawn anew in its place; elsewhere each change is a
// table, a line of JSON, a document of YAML or a name.
type screen struct {
	p     *program
	draw  func(items []any) error
	items []any // in the order of namespaces and names
}

func (s *screen) begin(items []any) error {
	if s.redraws() {
		s.items = items
		return s.redraw()
	}
	if !s.p.output.isDocument() {
		return s.draw(items)
	}
	for _, item := range items {
		if err := s.next(change{client.Added, item.(*document.Object)}); err != nil {
			return err
		}
	}
	return nil
}

func (s *screen) next(ch change) error {
	event := document.New("type", string(ch.kind), "object", ch.object)
	switch form := s.p.output.form; {
	case form == asJSON:
		line, err := json.Marshal(event)
		if err != nil {
			return err
		}
		_, err = s.p.Out.Write(append(line, '\n'))
		return err
	case form == asYAML:
		if _, err := io.WriteString(s.p.Out, "---\n"); err != nil {
			return err
		}
		return s.p.write(event, nil)
	case s.redraws():
		s.keep(ch)
		return s.redraw()
	default:
		return s.draw([]any{ch.object})
	}
}

const clearScreen = "\x1b[H\x1b[2J"

// redraws says whether there is a table on a screen that can be cleared.
func (s *screen) redraws() bool {
	form := s.p.output.form
	return s.p.OutWidth > 0 && s.p.Env("TERM") != "dumb" && (form == asTable || form == asWide)
}

func (s *screen) redraw() error {
	if _, err := io.WriteString(s.p.Out, clearScreen); err != nil {
		return err
	}
	return s.draw(s.items)
}

// keep brings the items up to date.
func (s *screen) keep(ch change) {
	i, known := slices.BinarySearchFunc(s.items, place(ch.object), func(item any, at string) int {
		return strings.Compare(place(item), at)
	})
	switch {
	case known && ch.kind == client.Deleted:
		s.items = slices.Delete(s.items, i, i+1)
	case known:
		s.items[i] = ch.object
	case ch.kind != client.Deleted:
		s.items = slices.Insert(s.items, i, any(ch.object))
	}
}

// place is where an object stands in a list.
func place(item any) string {
	return document.Text(item, "metadata", "namespace") + "/" + document.Text(item, "metadata", "name")
}
