package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api/wire"
)

// A Resource is a pointer to a struct that embeds Envelope.
type Resource interface {
	// Envelope returns the part that all resources share.
	envelope() *Envelope
}

// Envelope is what every resource has: the kind it is of, and its metadata.
type Envelope struct {
	API      string   `json:"api"`
	Kind     string   `json:"kind"`
	Metadata Metadata `json:"metadata" wire:"required"`
}

func (e *Envelope) envelope() *Envelope { return e }

// LogValue is what a log shows of a resource: its kind and name alone, for it may hold secrets.
func (e Envelope) LogValue() slog.Value {
	return slog.StringValue(e.Kind + " " + e.Metadata.NamespaceOrEmpty() + "/" + e.Metadata.Name)
}

// Meta returns the metadata of a resource, for reading and writing.
func Meta(r Resource) *Metadata { return &r.envelope().Metadata }

// A Kind describes one kind of resource: everything that generic code needs to serve, store and show it.
type Kind struct {
	Group      string // first segment of its paths, "kubernetes"
	Name       string // "Application"
	Plural     string // "applications"
	Namespaced bool
	Status     bool // has the sub-resource status
	Force      bool // DELETE knows ?force=True
	// Deletions are the ways of deletion that DELETE knows beside the plain one.
	Deletions []Deletion
	// QuietUpdate answers an update that changes nothing with 200 instead of 400, as the reference does for this kind.
	QuietUpdate bool
	// New returns an empty object.
	New func() Resource
	// Actions are the sub-resources that change an object by a rule of their own, such as binding.
	Actions []Action
	// Parts are the documents that are stored beside an object, out of reach of clients that do not know them.
	Parts []Part
	// Passages are the sub-resources that lead to where an object runs.
	Passages []Passage
	// Questions are asked beside the objects of a namespace.
	Questions []Question
	// Fields are those by whose values lists and watches can be narrowed down, beside SelectableMetadata.
	Fields []string
	// Lasts is how long an object is kept after it was last written; for ever if zero. Crowd is how many there may be at
	// once whose names are alike up to the first dot, 0 for any number: a new one takes the place of the one that was
	// written longest ago.
	Lasts time.Duration
	Crowd int
	// Secrets are the paths of values that must not reach a log, an error or a trace. Whoever shows an object anywhere but
	// to a client of the API that asked for it must leave them out.
	Secrets []string
}

// What generic code does with an object can be refined by its type, with these optional interfaces. Their methods are
// pure: they look at nothing but their arguments.
type (
	// A Settler brings derived fields in line before an object is stored; the server calls it after every change with
	// the object as it was, nil on creation.
	Settler interface{ Settle(before Resource) }
	// A Deleter takes note that its deletion was asked for: because its owners go, or by name. It is told every time, and
	// says whether that was news.
	Deleter interface {
		Deleting(now Time, cascade bool) (news bool)
	}
	// A Remover returns what must be created in the transaction that removes its record, by force or because nobody
	// has work left.
	Remover interface {
		Removed(parts map[string]any) []Resource
	}
)

// An Action is a PUT on a sub-resource. Apply changes the object or refuses with a *Problem; it must not look anywhere else.
type Action struct {
	Name string
	New  func() any // the body to decode into, nil when the body is ignored
	// ObjectFirst says that an absent object is told before anything about the body, as the reference does for this action.
	ObjectFirst bool
	// Reads are the parts that Apply finds in parts as they are stored.
	Reads []string
	// Apply may put documents into parts, by name; they are written with the object.
	Apply func(r Resource, body any, now Time, parts map[string]any) error
}

// A Part is a document stored beside an object and removed with it.
type Part struct {
	Name string
	New  func() any
	// Question, if there is one, is asked when a GET wants the part explained; Ask makes its body for the object of a name.
	Question string
	Ask      func(name string) any
}

// Key is the place of an object in the store, and of the kind's objects when name (and namespace) are empty.
func (k *Kind) Key(namespace, name string) string {
	prefix := "/" + k.Group + "/" + k.Plural + "/"
	if !k.Namespaced || namespace == "" {
		return prefix + name
	}
	return prefix + namespace + "/" + name
}

// PartKey is the place of a part of the object with this uid in the store.
func (k *Kind) PartKey(uid, part string) string { return "/krake/" + k.Plural + "/" + uid + "/" + part }

// Path is the URL path of an object, or of the list when name is empty; of all namespaces when namespace is empty, too.
func (k *Kind) Path(namespace, name string) string {
	path := "/" + k.Group
	if k.Namespaced && namespace != "" {
		path += "/namespaces/" + url.PathEscape(namespace)
	}
	path += "/" + k.Plural
	if name != "" {
		path += "/" + url.PathEscape(name)
	}
	return path
}

// SelectableMetadata are the fields by whose values lists and watches of every kind can be narrowed down.
var SelectableMetadata = []string{"metadata.name", "metadata.namespace", "metadata.uid", "metadata.deleted"}

// SelectableFields lists the fields by whose values lists and watches can be narrowed down.
func (k *Kind) SelectableFields() []string { return slices.Concat(SelectableMetadata, k.Fields) }

// Action returns the action of this name, nil when there is none.
func (k *Kind) Action(name string) *Action {
	for i := range k.Actions {
		if k.Actions[i].Name == name {
			return &k.Actions[i]
		}
	}
	return nil
}

// Part returns the part of this name, nil when there is none.
func (k *Kind) Part(name string) *Part {
	for i := range k.Parts {
		if k.Parts[i].Name == name {
			return &k.Parts[i]
		}
	}
	return nil
}

// Ref returns the reference by which other objects name this one.
func (k *Kind) Ref(namespace, name string) ResourceRef {
	ref := ResourceRef{API: k.Group, Kind: k.Name, Name: name}
	if k.Namespaced {
		ref.Namespace = &namespace
	}
	return ref
}

// Decode reads an object of this kind from a tree that wire.Parse returned.
func (k *Kind) Decode(doc any, mode wire.Mode) (Resource, error) {
	r := k.New()
	return k.complete(r, doc, mode, wire.Decode(doc, r, mode))
}

// DecodeUpdate reads what is to replace the stored object; see wire.DecodeUpdate.
func (k *Kind) DecodeUpdate(doc any, stored Resource) (Resource, error) {
	r := k.New()
	return k.complete(r, doc, wire.Update, wire.DecodeUpdate(doc, r, stored))
}

// complete adds to a decoded object what its kind knows, and to the errors what is wrong with the names of the kind.
func (k *Kind) complete(r Resource, doc any, mode wire.Mode, err error) (Resource, error) {
	e, errs := r.envelope(), &wire.Errors{}
	if err != nil && !errors.As(err, &errs) {
		return nil, err
	}
	if mode != wire.Stored {
		checkNames(errs, stated(doc, "api", k.Group), stated(doc, "kind", k.Name), k.Group, k.Name)
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	e.API, e.Kind = k.Group, k.Name
	if mode == wire.Stored && !k.Namespaced {
		e.Metadata.Namespace = nil // the reference stored what was sent, and made paths of it that lead nowhere
	}
	if e.Metadata.Generation == 0 {
		e.Metadata.Generation = 1 // written before generations were counted
	}
	return r, nil
}

// stated is the text that a document has under a key, want when it has none.
func stated(doc any, key, want string) string {
	m, _ := doc.(map[string]any)
	if text, ok := m[key].(string); ok {
		return text
	}
	return want
}

// checkNames checks the api and the kind of a body, which need not state them.
func checkNames(e *wire.Errors, api, kind, wantAPI, wantKind string) {
	if api != wantAPI {
		e.At("api").Add("Must be equal to " + wantAPI + ".")
	}
	if kind != wantKind {
		e.At("kind").Add("Must be equal to " + wantKind + ".")
	}
}

// checkTarget checks that a binding leads to an object of one of these kinds. That it exists is not checked.
func checkTarget(e *wire.Errors, ref ResourceRef, kinds ...*Kind) {
	want := make([]string, 0, len(kinds))
	for _, k := range kinds {
		if ref.API == k.Group && ref.Kind == k.Name {
			return
		}
		want = append(want, k.Group+"/"+k.Name)
	}
	e.Add("Must be a reference to " + strings.Join(want, " or ") + ", not to " + ref.API + "/" + ref.Kind + ".")
}

// KindOf returns the kind of a resource by its Go type. It panics for a type that is not in the table.
func KindOf(r Resource) *Kind {
	t := reflect.TypeOf(r)
	for _, k := range Kinds {
		if reflect.TypeOf(k.New()) == t {
			return k
		}
	}
	panic(fmt.Sprintf("api: %s is not in the table of kinds", t))
}

// FindKind returns the kind that a reference names, nil when there is none.
func FindKind(group, name string) *Kind {
	for _, k := range Kinds {
		if k.Group == group && k.Name == name {
			return k
		}
	}
	return nil
}

// New returns an object of a kind by its Go type, with every field at its default.
func New[T any, P interface {
	*T
	Resource
}]() P {
	r := P(new(T))
	wire.Default(r)
	k := KindOf(r)
	r.envelope().API, r.envelope().Kind = k.Group, k.Name
	return r
}
