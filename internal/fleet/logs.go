package fleet

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
)

// LogOptions say which lines of a container are read.
type LogOptions struct {
	Container string
	Follow    bool          // go on with what is written later, until this run of the container ends
	Tail      int64         // at most so many of the last lines; below 0 all
	Since     time.Duration // only what was written so long ago; 0 for all
	After     time.Time     // only what was written in this second or later, if it is not zero
}

// Lines reads what a container has written. Every line begins with the time in the form of RFC 3339 and a blank. Whoever
// reads slowly makes the cluster wait. It ends with ctx, or when it is closed; before that it may be quiet for any time.
func (m *Member) Lines(ctx context.Context, p Pod, o LogOptions) (io.ReadCloser, error) {
	request := m.lasting.Get().AbsPath(pathOf(podsResource, p.Namespace, p.Name)...).Suffix("log").
		Param("container", o.Container).Param("timestamps", "true")
	if o.Follow {
		request.Param("follow", "true")
	}
	if o.Tail >= 0 {
		request.Param("tailLines", strconv.FormatInt(o.Tail, 10))
	}
	switch {
	case !o.After.IsZero():
		request.Param("sinceTime", o.After.UTC().Format(time.RFC3339))
	case o.Since > 0:
		request.Param("sinceSeconds", strconv.FormatInt(max(1, int64(o.Since/time.Second)), 10))
	}
	if err := m.gate.limiter.Load().Wait(ctx); err != nil {
		return nil, answer(keyOfPod(p), &limitError{err})
	}
	stream, err := request.MaxRetries(0).Stream(ctx)
	if err != nil {
		return nil, answer(keyOfPod(p), err)
	}
	return stream, nil
}

// newLasting makes a client for streams that may be quiet before they begin: a log of which nothing was written yet has not
// even a header. So they have connections of their own, which wait for headers, and do not tell the breaker how the cluster
// is. Connections that are dead are found out by pings.
func (m *Member) newLasting() (*rest.RESTClient, *http.Transport, error) {
	transport, err := newTransport(m.config, m.dialer, 0)
	if err != nil {
		return nil, nil, err
	}
	authenticated, err := rest.HTTPWrappersForConfig(m.config, transport)
	if err != nil {
		return nil, nil, &KubeconfigError{"the credentials do not fit together"}
	}
	bare, err := newRESTClient(m.config, &http.Client{Transport: authenticated})
	if err != nil {
		return nil, nil, errAddress
	}
	g := &guard{next: authenticated}
	g.identify = func(ctx context.Context) error { return m.identifyOver(ctx, g, bare) }
	g.distrust()
	lasting, err := newRESTClient(m.config, &http.Client{Transport: g})
	if err != nil {
		return nil, nil, errAddress
	}
	return lasting, transport, nil
}
