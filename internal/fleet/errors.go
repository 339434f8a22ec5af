package fleet

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rak-n-rok/krake/api"
)

// Key names an object within a cluster.
type Key struct{ Group, Kind, Namespace, Name string }

// KeyOf returns the name of an inventory's object.
func KeyOf(e api.InventoryObject) Key { return Key{e.Group, e.Kind, e.Namespace, e.Name} }

// keyOf returns the name of a live object.
func keyOf(live *unstructured.Unstructured) Key {
	kind := live.GroupVersionKind()
	return Key{kind.Group, kind.Kind, live.GetNamespace(), live.GetName()}
}

// String gives the object as KIND NAMESPACE/NAME.
func (k Key) String() string {
	if k.Namespace == "" {
		return k.Kind + " " + k.Name
	}
	return k.Kind + " " + k.Namespace + "/" + k.Name
}

// KubeconfigError says that a kubeconfig cannot be used. It repeats nothing of it.
type KubeconfigError struct{ message string }

func (e *KubeconfigError) Error() string { return "the kubeconfig cannot be used: " + e.message }

// InvalidError says that an object of a manifest is none.
type InvalidError struct {
	Index   int // in the manifest
	Message string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("the object at index %d of the manifest is not valid: %s", e.Index, e.Message)
}

// UnsupportedError says that a cluster does not know a kind, or keeps no objects of it.
type UnsupportedError struct {
	Index      int // in the manifest
	APIVersion string
	Kind       string
	Passing    bool // it knows the kind, and keeps no objects of it
}

func (e *UnsupportedError) Error() string {
	if e.Passing {
		return fmt.Sprintf("%s of %s (index %d of the manifest) is a request that a cluster answers, and not an object that it keeps", e.Kind, e.APIVersion, e.Index)
	}
	return fmt.Sprintf("the cluster does not know the kind %s of %s (index %d of the manifest)", e.Kind, e.APIVersion, e.Index)
}

// ForeignError says that an object exists that is not this application's.
type ForeignError struct {
	Object Key
	Owner  string // a phrase that goes on after "exists on the cluster and"
	// Going says that Krake itself is removing it.
	Going bool
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s exists on the cluster and %s", e.Object, e.Owner)
}

// VanishedError says that an object that was there has been deleted by somebody else. Its next apply creates it.
type VanishedError struct{ Object Key }

func (e *VanishedError) Error() string { return fmt.Sprintf("%s is gone from the cluster", e.Object) }

// RefusedError says that the cluster looked at a request and does not accept it. Trying again does not help.
type RefusedError struct {
	Object  Key
	Code    int // of the HTTP answer
	Message string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the cluster refused %s: %s", e.Object, e.Message)
}

// TransientError says that something did not work this time.
type TransientError struct {
	// Unreachable says that the cluster gave no answer at all.
	Unreachable bool
	// RetryAfter is how long the cluster asked to be left alone, 0 when it did not.
	RetryAfter time.Duration
	Message    string
	cause      error
}

func (e *TransientError) Error() string { return e.Message }
func (e *TransientError) Unwrap() error { return e.cause }

// IdentityError says that a kubeconfig leads to another cluster than it did before.
type IdentityError struct {
	Host         string
	Known, Found string
}

func (e *IdentityError) Error() string {
	return fmt.Sprintf("%s is another cluster than before: its identity is %s, it was %s", e.Host, e.Found, e.Known)
}

// Final says whether an error stays until the application is changed: its manifest, or what is on the cluster, is
// wrong. Every other error is worth another try.
func Final(err error) bool {
	var (
		invalid     *InvalidError
		unsupported *UnsupportedError
		foreign     *ForeignError
		refused     *RefusedError
	)
	return errors.As(err, &invalid) || errors.As(err, &unsupported) || errors.As(err, &foreign) && !foreign.Going || errors.As(err, &refused)
}

// Unreachable says whether there was no answer from the cluster, or from another one than meant.
func Unreachable(err error) bool {
	var (
		transient  *TransientError
		identity   *IdentityError
		kubeconfig *KubeconfigError
	)
	return errors.As(err, &transient) && transient.Unreachable || errors.As(err, &identity) || errors.As(err, &kubeconfig)
}

// Refuses says whether an error shows that a cluster is there, but not for Krake, or that nobody has asked it: it refuses
// the credentials, is another one than before, or its kubeconfig cannot be used. No answer, and one that says that the
// cluster itself is broken, show the contrary.
func Refuses(err error) bool {
	var (
		identity   *IdentityError
		kubeconfig *KubeconfigError
		refused    *RefusedError
		limit      *limitError
		status     apierrors.APIStatus
	)
	return errors.As(err, &identity) || errors.As(err, &kubeconfig) || errors.As(err, &refused) || errors.As(err, &limit) ||
		errors.As(err, &status) && status.Status().Code < 500
}

// RetryAfter is how long the cluster asked to be left alone, 0 when it did not.
func RetryAfter(err error) time.Duration {
	var transient *TransientError
	if errors.As(err, &transient) {
		return transient.RetryAfter
	}
	return 0
}

// Reason gives an error as the wire states it.
func Reason(err error) api.Reason {
	var (
		invalid     *InvalidError
		unsupported *UnsupportedError
	)
	code := api.KubernetesError
	switch {
	case errors.As(err, &invalid):
		code = api.InvalidResource
	case errors.As(err, &unsupported):
		code = api.UnsupportedResource
	case !Final(err) && Unreachable(err): // of several errors, a refusal is what can be done something about
		code = api.ClusterNotReachable
	}
	return api.Reason{Code: code, Message: brief(err.Error(), longestReason)}
}

// longestReason bounds what is stored of errors, in bytes: an API server may name every one of ten thousand annotations.
const longestReason = 4096

// brief cuts a text that is too long.
func brief(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	cut := longest
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%d bytes more)", text[:cut], len(text)-cut)
}
