package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
)

// Confinement keeps the objects of each namespace of Krake in a Kubernetes namespace of their own.
type Confinement struct {
	// ClusterWide are kinds without a namespace that are allowed all the same: KIND of the core group, KIND.GROUP of others.
	ClusterWide []string
}

const (
	homePrefix = "krake-"
	homeLength = 63 // of a name of a namespace
	homeDigest = 20 // hexadecimal digits that tell names apart which look alike
)

var (
	plainName = regexp.MustCompile(`\A[a-z0-9](?:[-a-z0-9]*[a-z0-9])?\z`)
	notPlain  = regexp.MustCompile(`[^a-z0-9]+`)
)

// HomeOf is the Kubernetes namespace of a namespace of Krake: krake-NAME, or krake--NAME-DIGEST where Kubernetes does not
// take the name. No two namespaces have the same one: a name does not begin with a hyphen, so the two forms never meet.
func HomeOf(namespace string) string {
	if plainName.MatchString(namespace) && len(homePrefix)+len(namespace) <= homeLength {
		return homePrefix + namespace
	}
	sum := sha256.Sum256([]byte(namespace))
	digest := hex.EncodeToString(sum[:])[:homeDigest]
	looks := strings.Trim(notPlain.ReplaceAllString(strings.ToLower(namespace), "-"), "-")
	looks = strings.Trim(looks[:min(len(looks), homeLength-len(homePrefix)-homeDigest-2)], "-")
	if looks == "" {
		return homePrefix + "-" + digest
	}
	return homePrefix + "-" + looks + "-" + digest
}

// homes decides in which namespace the objects of one application are on one cluster.
type homes struct {
	confined *Confinement
	space    string // of the application, in Krake
	home     string // of that namespace
	context  string // the namespace of the kubeconfig's context
	// spaces are the namespaces in which the application has an object, by its name without namespace.
	spaces map[Key][]string
	// abroad says that the application has something in another namespace than its home: it was there before.
	abroad bool
}

func (m *Member) homes(wish Wish, owner Owner) homes {
	h := homes{confined: wish.Confined, space: owner.Namespace, home: HomeOf(owner.Namespace), context: m.namespace, spaces: map[Key][]string{}}
	for _, e := range wish.Has {
		if e.Cluster != m.Identity() {
			continue
		}
		bare := Key{e.Group, e.Kind, "", e.Name}
		h.spaces[bare] = append(h.spaces[bare], e.Namespace)
		h.abroad = h.abroad || e.Namespace != "" && e.Namespace != h.home
	}
	return h
}

// settle gives an object its namespace, or says why it has none. What an application has keeps its place: whether objects
// are confined may change at any time, and must not have them made twice and removed once.
func (h *homes) settle(form *unstructured.Unstructured, kind schema.GroupKind, namespaced bool) error {
	bare := Key{kind.Group, kind.Kind, "", form.GetName()}
	if !namespaced {
		unstructured.RemoveNestedField(form.Object, "metadata", "namespace")
		if h.confined == nil || slices.Contains(h.spaces[bare], "") || slices.Contains(h.confined.ClusterWide, kind.String()) {
			return nil
		}
		return fmt.Errorf("%s belongs to no namespace, and this Krake keeps what is of its namespace %s in %s "+
			"(--cluster-wide-kinds %s would allow it)", bare, h.space, h.home, kind)
	}
	if form.GetNamespace() == "" {
		form.SetNamespace(h.unnamed(bare))
	}
	namespace := form.GetNamespace()
	switch {
	case h.confined == nil || slices.Contains(h.spaces[bare], namespace):
		return nil
	case namespace != h.home:
		return fmt.Errorf("%s names the namespace %s, and this Krake keeps what is of its namespace %s in %s: leave metadata.namespace out",
			bare, namespace, h.space, h.home)
	case h.abroad:
		return fmt.Errorf("%s would be in %s, and what the application has on this cluster is in another namespace, from before this Krake "+
			"kept namespaces apart: delete the application and create it again, or move it to another cluster", bare, h.home)
	}
	return nil
}

// unnamed is the namespace of an object whose manifest names none.
func (h *homes) unnamed(bare Key) string {
	spaces := h.spaces[bare]
	first := h.context
	if h.confined != nil {
		first = h.home
	}
	switch {
	case slices.Contains(spaces, first):
		return first
	case h.confined != nil && len(spaces) > 0:
		return slices.Min(spaces)
	case slices.Contains(spaces, h.home):
		return h.home
	}
	return first
}

// EnsureHome makes the Kubernetes namespace of the owner's namespace if it is not there. One that is there and was not
// made for it is a *ForeignError. Krake never deletes it: nobody can know that nothing else is in a namespace, or will be
// by the time that it goes.
func (m *Member) EnsureHome(ctx context.Context, owner Owner) error {
	home := Key{Kind: "Namespace", Name: HomeOf(owner.Namespace)}
	for range attempts(ctx) {
		live, err := m.getMeta(ctx, namespaces, "", home.Name)
		if err == nil {
			return isHome(home, live, owner)
		}
		if !apierrors.IsNotFound(err) || isUnserved(err) {
			return answer(home, err)
		}
		if err = m.makeHome(ctx, home, owner); err == nil || !apierrors.IsConflict(err) {
			return answer(home, err)
		}
	}
	return &TransientError{Message: fmt.Sprintf("%s came and went while it was being made", home)}
}

func (m *Member) makeHome(ctx context.Context, home Key, owner Owner) error {
	form := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": home.Kind}}
	form.SetName(home.Name)
	form.SetAnnotations(map[string]string{NamespaceAnnotation: owner.Namespace, InstallationAnnotation: owner.Installation})
	o := Object{Entry: api.InventoryObject{Version: "v1", Kind: home.Kind, Name: home.Name}, form: form, resource: namespaces}
	_, err := m.write(ctx, &o, "")
	return err
}

func isHome(home Key, live *unstructured.Unstructured, owner Owner) error {
	a := live.GetAnnotations()
	switch {
	case live.GetLabels()[AppUIDLabel] != "" || a[NamespaceAnnotation] != owner.Namespace || a[InstallationAnnotation] != owner.Installation:
		return &ForeignError{Object: home, Owner: fmt.Sprintf("was not made for the namespace %s of this Krake; to have it used: "+
			"kubectl annotate namespace %s %s=%s %s=%s", owner.Namespace, home.Name, NamespaceAnnotation, owner.Namespace,
			InstallationAnnotation, owner.Installation)}
	case live.GetDeletionTimestamp() != nil:
		return &TransientError{Message: fmt.Sprintf("%s is being removed from the cluster by somebody; it is made again when it is gone", home)}
	}
	return nil
}
