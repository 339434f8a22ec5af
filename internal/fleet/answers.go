package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// answer turns what came back from a cluster for an object into one of this package's errors.
func answer(object Key, err error) error {
	var (
		status apierrors.APIStatus
		wrong  *IdentityError
		known  *TransientError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong): // from the guard, as the next one, and wrapped by the HTTP client
		return wrong
	case errors.As(err, &known):
		return known
	case errors.As(err, &status):
		return refusal(object, err, status)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", object, err)
	}
	return silence(object, err)
}

// silence is the error for a request without an answer. Its text is the same as long as the reason is: it leaves out the
// URL, which says what the object does already, and the port that a connection had at our end.
func silence(object Key, err error) error {
	var (
		limit      *limitError
		address    *url.Error
		connection *net.OpError
	)
	cause := err
	if errors.As(err, &address) {
		cause = address.Err
	}
	if errors.As(err, &connection) {
		far := *connection
		far.Source = nil
		cause = &far
	}
	return &TransientError{
		Unreachable: !errors.As(err, &limit),
		Message:     fmt.Sprintf("no answer from the cluster for %s: %v", object, cause),
		cause:       err,
	}
}

// refusal is the error for an answer that is one. Whether the object is to blame, or the moment, decides whether it is
// tried again: rejected credentials say nothing of a manifest.
func refusal(object Key, err error, status apierrors.APIStatus) error {
	s := status.Status()
	code := int(s.Code)
	message := brief(describe(object, err, status), longestReason/2) + remedy(err)
	transient := code >= 500 || code < 400 || slices.Contains(passing, code) || isMoment(err)
	if !transient || isMalformed(s) || isTooLarge(s) {
		return &RefusedError{Object: object, Code: code, Message: message}
	}
	t := &TransientError{Message: fmt.Sprintf("the cluster could not handle %s: %s", object, message), cause: err}
	if s.Details != nil {
		t.RetryAfter = time.Duration(s.Details.RetryAfterSeconds) * time.Second
	}
	return t
}

// passing are answers below 500 that have nothing to do with what was sent.
var passing = []int{
	http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests,
}

// isMalformed recognises objects that do not fit their kind's schema: unknown fields, wrong types, doubled keys. The
// API server answers applies of such with 500 and without a reason, as it does when something of its own is broken;
// only the words tell.
func isMalformed(s metav1.Status) bool {
	if s.Code != http.StatusInternalServerError || strings.Contains(s.Message, "conversion webhook") {
		return false
	}
	return slices.ContainsFunc([]string{
		"failed to create typed patch object", "failed to convert new typed object", "failed to convert new object",
	}, func(start string) bool { return strings.HasPrefix(s.Message, start) })
}

// isTooLarge recognises objects that the cluster's database does not take. The API server hands on its words as an error
// of its own.
func isTooLarge(s metav1.Status) bool {
	return s.Code == http.StatusInternalServerError && strings.HasSuffix(s.Message, "request is too large")
}

// isUnserved recognises the answer to a path that the server does not have: the kind has been taken out of service, or
// is not in service yet.
func isUnserved(err error) bool {
	return apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// isMoment recognises refusals that end by themselves: a kind that is not in service yet, a namespace that is on its
// way out, and one so new that its service account does not exist yet.
func isMoment(err error) bool {
	return isUnserved(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) ||
		apierrors.IsForbidden(err) && strings.Contains(err.Error(), "error looking up service account")
}

// describe gives the cluster's words. Those about a Secret may repeat what is in it, so of these only the fields that
// they are about are said.
func describe(object Key, err error, status apierrors.APIStatus) string {
	if object.Group != "" || object.Kind != "Secret" {
		return err.Error()
	}
	if right := denied(err); right != "" {
		return "it is forbidden: the user " + right
	}
	s := status.Status()
	words := []string{string(s.Reason)}
	if s.Reason == "" {
		words[0] = http.StatusText(int(s.Code))
	}
	if s.Details != nil {
		for _, cause := range s.Details.Causes {
			if cause.Field != "" {
				words = append(words, cause.Field)
			}
		}
	}
	return strings.Join(words, " ") + " (details about Secrets are not shown)"
}
