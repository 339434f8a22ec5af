package apiserver

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fairness"
)

// Limits bound what clients can take from each other. A client is a user with a program on a host; each component in this
// process is one of its own. Zero values are the defaults.
type Limits struct {
	AtWork  int // requests that are worked on at a time, watches not counted
	Waiting int // requests of one client that wait for their turn
	Watches int // watches of one client
	// Passages is how many ways to clusters one client may have open. Each costs connections there.
	Passages int
}

// The defaults. So many requests at work keep the disk of the database busy while others compute; one client gets three
// quarters of them at most, so that the others find a place at once. One with a long line gets an eighth while others come:
// what they then share is the processors and the disk.
const (
	defaultAtWork   = 16
	defaultWaiting  = 1024
	defaultWatches  = 16384
	defaultPassages = 128
	longLine        = 64
)

func (l Limits) withDefaults() Limits {
	return Limits{
		AtWork: cmp.Or(l.AtWork, defaultAtWork), Waiting: cmp.Or(l.Waiting, defaultWaiting), Watches: cmp.Or(l.Watches, defaultWatches),
		Passages: cmp.Or(l.Passages, defaultPassages),
	}
}

// Bodies must be sent and answers be taken within a while, and what is large at minimalRate at least.
const (
	bodyPatience   = 10 * time.Second
	answerPatience = 30 * time.Second
	minimalRate    = 16 << 10 // bytes per second
)

func atMinimalRate(size int64) time.Duration { return time.Duration(size) * time.Second / minimalRate }

// clientOf says whose request it is.
func (s *Server) clientOf(r *http.Request) fairness.Client {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return fairness.Client{User: s.userOf(r.Context()) + " " + r.UserAgent(), Host: host}
}

// admitted lets requests about objects work by turns of their clients. A body is read before, so that who sends slowly
// keeps no place from others. A request that waits on purpose gives its place back with release.
func (s *Server) admitted(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := receive(w, r); err != nil {
			s.fail(w, r, err)
			return
		}
		client := s.clientOf(r)
		err := s.gate.Enter(r.Context(), client)
		if errors.Is(err, fairness.ErrFull) {
			err = tooMany("%d requests of yours are waiting", s.limits.Waiting)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		leave := sync.OnceFunc(func() { s.gate.Leave(client) })
		defer leave()
		requestOf(r).release = leave
		next(w, r)
	}
}

func tooMany(format string, args ...any) error {
	return api.NewProblem(http.StatusTooManyRequests, "", "429: Too Many Requests: "+format+"; try again in a second", args...)
}

// receive reads the body of a request as far as it may be used.
func receive(w http.ResponseWriter, r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 || r.ContentLength > maxUpdate {
		return nil // nothing to read, or to be refused without reading
	}
	connection := http.NewResponseController(w)
	in := &progressing{r: r.Body, connection: connection, began: time.Now()}
	var data bytes.Buffer
	_, err := data.ReadFrom(io.LimitReader(in, maxUpdate+1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return api.NewProblem(http.StatusRequestTimeout, "",
			"408: Request Timeout: the body came too slowly, at less than %d bytes per second", minimalRate)
	}
	_ = connection.SetReadDeadline(time.Time{})
	if err != nil {
		return api.NewProblem(http.StatusBadRequest, "", "400: Bad Request: the body cannot be read")
	}
	if data.Len() > maxUpdate {
		r.Body = io.NopCloser(io.MultiReader(&data, r.Body))
		return nil
	}
	r.Body = io.NopCloser(&data)
	return nil
}

// progressing reads a body that has to get on. The pipe of a client in this process knows no deadline.
type progressing struct {
	r          io.Reader
	connection *http.ResponseController
	began      time.Time
	got        int64
}

func (p *progressing) Read(data []byte) (int, error) {
	_ = p.connection.SetReadDeadline(p.began.Add(bodyPatience + atMinimalRate(p.got)))
	n, err := p.r.Read(data)
	p.got += int64(n)
	return n, err
}

// A tally counts what each client has of something.
type tally struct {
	mu sync.Mutex
	n  map[fairness.Client]int
}

// add takes one more, unless the client has as many as it may.
func (t *tally) add(c fairness.Client, limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n[c] >= limit {
		return false
	}
	t.n[c]++
	return true
}

func (t *tally) remove(c fairness.Client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n[c]--; t.n[c] == 0 {
		delete(t.n, c)
	}
}
