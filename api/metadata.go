package api

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/api/wire"
)

// Names of finalizers: who still has work to do before an object's record may go. The last one in the list is next.
const (
	// FinalizerCascade is the garbage collector's: what depends on the object goes first.
	FinalizerCascade = "cascade_deletion"
	// FinalizerResources is the application controller's: the objects on the clusters go first.
	FinalizerResources = "kubernetes_resources_deletion"
	// FinalizerEvacuation keeps a cluster's record until nothing of Krake's is on the cluster any more.
	FinalizerEvacuation = "evacuation"
)

// Metadata is what is known of every object, whatever its kind.
type Metadata struct {
	Name          string        `json:"name" wire:"required,im"`
	Namespace     *string       `json:"namespace" wire:"im"`
	Labels        Labels        `json:"labels"`
	InheritLabels bool          `json:"inherit_labels"`
	Finalizers    []string      `json:"finalizers"`
	UID           string        `json:"uid" wire:"required,ro"`
	Created       Time          `json:"created" wire:"required,ro"`
	Modified      Time          `json:"modified" wire:"required,ro"`
	Deleted       *Time         `json:"deleted" wire:"ro"`
	Owners        []ResourceRef `json:"owners"`
	// ResourceVersion identifies one stored state of the object. It is opaque.
	ResourceVersion string `json:"resource_version" wire:"server"`
	// Generation counts the changes of what the user asked for, from 1.
	Generation int64 `json:"generation" wire:"server"`
	// Deletion is how the deletion is carried out that was asked for. It is left out for as the reference does it, and for
	// none.
	Deletion Deletion `json:"deletion,omitempty" wire:"server"`
}

var name = regexp.MustCompile(`\A(?:\w|(\w[\w\-_.:]{0,253}\w))\z`)

// ValidName says whether a text may be the name of an object or of a namespace.
func ValidName(s string) bool { return name.MatchString(s) }

// CheckWire checks name and namespace.
func (m *Metadata) CheckWire(e *wire.Errors) {
	if !ValidName(m.Name) {
		e.At("name").Add("Invalid character in resource name.")
	}
	if m.Namespace != nil && !ValidName(*m.Namespace) {
		e.At("namespace").Add("Invalid character in resource namespace.")
	}
}

// NamespaceOrEmpty returns the namespace, empty for global objects.
func (m *Metadata) NamespaceOrEmpty() string {
	if m.Namespace == nil {
		return ""
	}
	return *m.Namespace
}

// own adds an owner unless it is one already.
func (m *Metadata) own(owner ResourceRef) {
	if !slices.ContainsFunc(m.Owners, owner.Equal) {
		m.Owners = append(m.Owners, owner)
	}
}

// LastFinalizer returns the finalizer whose turn it is, empty when none is left.
func (m *Metadata) LastFinalizer() string {
	if len(m.Finalizers) == 0 {
		return ""
	}
	return m.Finalizers[len(m.Finalizers)-1]
}

// Labels are the labels of an object.
type Labels map[string]string

// DecodeWire checks every label and reports all that are wrong.
func (l *Labels) DecodeWire(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return wire.Message("Not a valid mapping type.")
	}
	out := make(Labels, len(m))
	errs := &wire.Errors{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := constraint.CheckKey(key); err != nil {
			errs.AddPair(key, err.Error())
		}
		value, ok := m[key].(string)
		if !ok {
			errs.AddPair(fmt.Sprint(m[key]), "expected string or bytes-like object, got '"+pythonType(m[key])+"'")
			continue
		}
		if err := constraint.CheckValue(value); err != nil {
			errs.AddPair(value, err.Error())
		}
		out[key] = value
	}
	*l = out
	return errs.Err()
}

func pythonType(v any) string {
	switch v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64:
		return "int"
	case []any:
		return "list"
	case map[string]any:
		return "dict"
	default:
		return "float"
	}
}

// ResourceRef names an object. Neither its existence nor its form is checked.
type ResourceRef struct {
	API       string  `json:"api" wire:"required"`
	Namespace *string `json:"namespace"`
	Kind      string  `json:"kind" wire:"required"`
	Name      string  `json:"name" wire:"required"`
}

// Equal compares all four fields.
func (r ResourceRef) Equal(o ResourceRef) bool {
	return r.API == o.API && r.Kind == o.Kind && r.Name == o.Name &&
		(r.Namespace == nil) == (o.Namespace == nil) && r.NamespaceOrEmpty() == o.NamespaceOrEmpty()
}

// NamespaceOrEmpty returns the namespace, empty for global objects.
func (r ResourceRef) NamespaceOrEmpty() string {
	if r.Namespace == nil {
		return ""
	}
	return *r.Namespace
}

// String gives the reference as kubernetes/Cluster/NAMESPACE/NAME; usable as a map key.
func (r ResourceRef) String() string {
	s := r.API + "/" + r.Kind + "/"
	if r.Namespace != nil {
		s += *r.Namespace + "/"
	}
	return s + r.Name
}

// SameRef compares two references of which either may be null.
func SameRef(a, b *ResourceRef) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// MetricRef names a metric and says how much it counts.
type MetricRef struct {
	Name       string  `json:"name" wire:"required"`
	Weight     float64 `json:"weight" wire:"required"`
	Namespaced bool    `json:"namespaced"`
}
