package providertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/internal/metrics/provider"
)

// A Dialect is what the suite knows of a provider that is asked over HTTP.
type Dialect struct {
	// Open returns a source that asks the server at this URL.
	Open func(t testing.TB, url string) provider.Source
	// Asked returns the name in a request. It fails the test if the request is not as the provider's server wants it.
	Asked func(t testing.TB, r *http.Request) string
	// Value is an answer with a value, as the provider writes it: a number, or in quotes a text. Nothing is one without.
	Value   func(text string) Answer
	Nothing Answer
	// Garbage are further answers of status 200 that are none of this provider.
	Garbage map[string]Answer
	// Secrets are the texts that no error may show.
	Secrets []string
	// Stranger, if there is authentication, returns a source with other credentials than those of Open, and Admitted says
	// which requests have these.
	Stranger func(t testing.TB, url string) provider.Source
	Admitted func(r *http.Request) bool
	// Texts says that numbers may be written as texts.
	Texts bool
}

// Answer is what a server answers.
type Answer struct {
	Status int // 200 when zero
	Type   string
	Body   string
}

// ServeHTTP answers.
func (a Answer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", a.Type)
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	_, _ = w.Write([]byte(a.Body))
}

// limit is how long the suite waits for what must come.
const limit = time.Minute

// Run tests all that is to be expected of a provider.
func (d Dialect) Run(t *testing.T) {
	t.Run("values", d.values)
	t.Run("answers that are none", d.answers)
	t.Run("servers that do not answer", d.silence)
	t.Run("a redirect is not followed", d.redirect)
	t.Run("an answer without an end", d.endless)
	t.Run("a URL that is none", func(t *testing.T) {
		_, err := d.Open(t, "://").Read(t.Context(), Metric)
		Unreachable(t, err, "its URL is none")
	})
	if d.Stranger != nil {
		t.Run("authentication", d.authentication)
	}
}

// serve starts a server below a path, which a base URL may have, and a / at the end as well.
func (d Dialect) serve(t *testing.T, h http.Handler) (base string) {
	mux := http.NewServeMux()
	mux.Handle("/base/", http.StripPrefix("/base", h))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL + "/base/"
}

// read asks a server for Metric.
func (d Dialect) read(t *testing.T, h http.Handler) (float64, error) {
	t.Helper()
	value, err := d.Open(t, d.serve(t, h)).Read(t.Context(), Metric)
	d.hides(t, err)
	return value, err
}

func (d Dialect) hides(t *testing.T, err error) {
	t.Helper()
	for _, secret := range d.Secrets {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
}

func (d Dialect) values(t *testing.T) {
	Known(t, d.Open(t, d.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.Asked(t, r) == Metric {
			d.Value("0.42").ServeHTTP(w, r)
		} else {
			d.Nothing.ServeHTTP(w, r)
		}
	}))))
	numbers := map[string]float64{"0": 0, "-1.5": -1.5, "1e3": 1000, "7": 7}
	if d.Texts {
		numbers[`"10"`] = 10
	}
	for text, want := range numbers {
		if got, err := d.read(t, d.Value(text)); got != want || err != nil {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{`"warm"`, `"NaN"`, `"Infinity"`, `"-Inf"`, `""`, `true`, `1e999`} {
		value, err := d.read(t, d.Value(text))
		unusable(t, value, err)
		if t.Failed() {
			t.Fatalf("%s is %v, %v", text, value, err)
		}
	}
}

func (d Dialect) answers(t *testing.T) {
	good := d.Value("0.42")
	garbage := map[string]Answer{
		"nothing at all":        {Type: "text/plain"},
		"a page":                {Type: "text/html", Body: "<html>"},
		"a value as a page":     {Type: "text/html", Body: good.Body},
		"binary":                {Type: good.Type, Body: "\x00\xff\x1b\"\x01"},
		"nothing as a document": {Type: good.Type, Body: "null"},
		"another document":      {Type: good.Type, Body: `{"message":"hello"}`},
	}
	for name, a := range d.Garbage {
		garbage[name] = a
	}
	for name, a := range garbage {
		t.Run(name, func(t *testing.T) {
			_, err := d.read(t, a)
			Unreachable(t, err, "")
		})
	}
	for _, status := range []int{400, 401, 403, 404, 406, 429, 500, 502, 503} {
		_, err := d.read(t, Answer{Status: status, Type: good.Type, Body: good.Body})
		Unreachable(t, err, fmt.Sprintf("it answers %d %s", status, http.StatusText(status)))
	}
	_, err := d.read(t, Answer{Status: 500, Type: "text/plain", Body: "what a server of the inner network says"})
	if strings.Contains(err.Error(), "inner") {
		t.Errorf("users are told what servers say: %v", err)
	}
}

func (d Dialect) silence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	slow := func(name, url string) { // the time is up while an answer is waited for
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := d.Open(t, url).Read(ctx, Metric)
			Unreachable(t, err, "")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it cannot be seen that the time was up: %v", err)
			}
			d.hides(t, err)
		})
	}
	slow("one that only accepts", "http://user:secret@"+address)
	slow("one that stops half-way", d.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", d.Value("1").Type)
		_, _ = w.Write([]byte(d.Value("1").Body[:1]))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})))
	_ = l.Close()
	_, err = d.Open(t, "http://user:secret@"+address).Read(t.Context(), Metric)
	Unreachable(t, err, "refused")
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error shows the password of the URL: %v", err)
	}
	for name, said := range map[string]int{"one that hangs up": 0, "one that hangs up half-way": len(d.Value("1").Body) - 1} {
		t.Run(name, func(t *testing.T) {
			_, err := d.read(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if said > 0 {
					w.Header().Set("Content-Type", d.Value("1").Type)
					_, _ = w.Write([]byte(d.Value("1").Body[:said]))
					w.(http.Flusher).Flush()
				}
				panic(http.ErrAbortHandler)
			}))
			Unreachable(t, err, "")
		})
	}
}

func (d Dialect) redirect(t *testing.T) {
	var followed atomic.Bool
	elsewhere := d.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed.Store(true)
		d.Value("0.42").ServeHTTP(w, r)
	}))
	for _, status := range []int{301, 302, 307, 308} {
		_, err := d.read(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, status) }))
		Unreachable(t, err, fmt.Sprint("it answers ", status))
	}
	if followed.Load() {
		t.Error("another server was asked")
	}
}

func (d Dialect) endless(t *testing.T) {
	gone := make(chan struct{})
	_, err := d.read(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(gone)
		w.Header().Set("Content-Type", d.Value("1").Type)
		for _, err := w.Write([]byte(d.Nothing.Body)); err == nil; {
			_, err = w.Write([]byte(strings.Repeat("\n", 1<<16)))
		}
	}))
	Unreachable(t, err, "longer than")
	select {
	case <-gone:
	case <-time.After(limit):
		t.Error("the answer is still being read")
	}
}

func (d Dialect) authentication(t *testing.T) {
	url := d.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.Admitted(r) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		d.Value("0.42").ServeHTTP(w, r)
	}))
	if got, err := d.Open(t, url).Read(t.Context(), Metric); got != 0.42 || err != nil {
		t.Errorf("with the right credentials it is %v, %v", got, err)
	}
	_, err := d.Stranger(t, url).Read(t.Context(), Metric)
	Unreachable(t, err, "it answers 401 Unauthorized")
	d.hides(t, err)
}
