package apiserver

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// Local returns a transport that calls the API inside the process as a user. The listener cannot be made to believe
// that a caller from outside is that user.
func (s *Server) Local(user string) http.RoundTripper { return local{s, user} }

type local struct {
	s    *Server
	user string
}

// RoundTrip serves a request and returns as soon as its header is known; the body follows through a pipe.
func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(context.WithValue(r.Context(), userKey{}, l.user))
	in := r.Clone(ctx)
	in.RequestURI = in.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	reader, writer := io.Pipe()
	out := &localWriter{header: http.Header{}, started: make(chan struct{}), body: writer}
	go func() {
		defer cancel()
		l.s.inside.ServeHTTP(out, in)
		out.WriteHeader(http.StatusOK)
		_ = writer.Close()
	}()
	select {
	case <-out.started:
	case <-r.Context().Done():
		_ = reader.CloseWithError(r.Context().Err())
		return nil, r.Context().Err()
	}
	return &http.Response{
		Status: http.StatusText(out.status), StatusCode: out.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: out.sent, Body: &localBody{reader, cancel}, ContentLength: -1, Request: r,
	}, nil
}

// localBody ends the handler when the caller has read enough.
type localBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *localBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}

// localWriter is the handler's side of the pipe.
type localWriter struct {
	header, sent http.Header
	status       int
	once         sync.Once
	started      chan struct{}
	body         *io.PipeWriter
}

func (w *localWriter) Header() http.Header { return w.header }

func (w *localWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.started)
	})
}

func (w *localWriter) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(data)
}

// Flush has nothing to do: a pipe holds nothing back.
func (w *localWriter) Flush() { w.WriteHeader(http.StatusOK) }
