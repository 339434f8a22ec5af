package fleet

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

func TestAnswersThatSayNothingOfTheManifestAreTriedAgain(t *testing.T) {
	status := func(code int, message string, causes ...metav1.StatusCause) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{
			Status: metav1.StatusFailure, Code: int32(code), Message: message,
			Reason:  map[int]metav1.StatusReason{403: metav1.StatusReasonForbidden, 404: metav1.StatusReasonNotFound}[code],
			Details: &metav1.StatusDetails{Causes: causes, RetryAfterSeconds: 7},
		}}
	}
	for name, c := range map[string]struct {
		err   error
		final bool
	}{
		"unauthorised":                   {status(401, "who are you"), false},
		"forbidden":                      {status(403, "no"), true},
		"a namespace that is going":      {status(403, "no", metav1.StatusCause{Type: "NamespaceTerminating"}), false},
		"a namespace that is too new":    {status(403, `pods "a" is forbidden: error looking up service account a/default: serviceaccount "default" not found`), false},
		"not found":                      {status(404, `namespaces "a" not found`), true},
		"a path that is not served":      {status(404, "the server could not find the requested resource", metav1.StatusCause{Type: metav1.CauseTypeUnexpectedServerResponse}), false},
		"a conflict":                     {status(409, "changed"), false},
		"invalid":                        {status(422, "bad"), true},
		"too many requests":              {status(429, "later"), false},
		"an error of the server":         {status(500, "etcdserver: leader changed"), false},
		"an object that does not fit":    {status(500, "failed to create typed patch object (a/b; v1, Kind=C): .d: field not declared in schema"), true},
		"an object too large for etcd":   {status(500, "etcdserver: request is too large"), true},
		"a webhook that does not answer": {status(500, "failed to convert new object (a/b): conversion webhook for a failed"), false},
		"unavailable":                    {status(503, "busy"), false},
	} {
		t.Run(name, func(t *testing.T) {
			err := fmt.Errorf("wrapped: %w", answer(Key{Kind: "Pod", Namespace: "a", Name: "b"}, c.err))
			if Final(err) != c.final || Unreachable(err) || Reason(err).Code != "KUBERNETES_ERROR" {
				t.Errorf("final %t, unreachable %t, reason %v", Final(err), Unreachable(err), Reason(err))
			}
			if after := RetryAfter(err); c.final != (after == 0) || !c.final && after != 7*time.Second {
				t.Errorf("retry after %s", after)
			}
			if !strings.Contains(err.Error(), "Pod a/b") {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestOfSeveralErrorsTheRefusalCounts(t *testing.T) {
	pod := Key{Kind: "Pod", Name: "a"}
	silent := answer(pod, errDown)
	refused := &RefusedError{Object: pod, Code: 422, Message: "bad"}
	if err := errors.Join(silent, refused); !Final(err) || Reason(err).Code != "KUBERNETES_ERROR" {
		t.Errorf("final %t, reason %v", Final(err), Reason(err))
	}
	if !Unreachable(silent) || Final(silent) || Reason(silent).Code != "CLUSTER_NOT_REACHABLE" {
		t.Errorf("final %t, reason %v", Final(silent), Reason(silent))
	}
}

func TestManyWritesAtOnceOverConnectionsOfWhichNothingIsKnown(t *testing.T) {
	j := newJunction(t) // speaks HTTP/1.1: each request that is under way needs a connection of its own
	j.lead(t, kubelabtest.Clusters(t, "fleet")[0])
	b := newBenchWith(t, Options{Parallel: 16})
	m, err := b.fleet.Member(b.ctx, j.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	var documents []string
	for i := range 64 {
		documents = append(documents, strings.Replace(configMap, "settings", fmt.Sprintf("settings-%d", i), 1))
	}
	p := NewPlan(Situation{Cluster: m.Identity(), Desired: b.resolve(b.owner, strings.Join(documents, "\n---\n"))})
	for _, r := range m.ApplyWave(b.ctx, p.Waves()[0]) {
		if r.Err != nil || r.Outcome != Created {
			t.Errorf("%s, %v", r.Outcome, r.Err)
		}
	}
}
