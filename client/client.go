package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// Config says how to reach the API.
type Config struct {
	// URL is the API's address, such as http://127.0.0.1:8080. https is used by saying so.
	URL string
	// Transport replaces http.DefaultTransport, for certificates of one's own or a server in the same process.
	Transport http.RoundTripper
	// UserAgent names the caller in the server's log.
	UserAgent string
	// Timeout bounds every request but watches; 30 s when zero.
	Timeout time.Duration
}

// Client sends requests. It is safe for use by several goroutines.
type Client struct {
	base    *url.URL
	http    *http.Client
	agent   string
	timeout time.Duration
}

// New checks the configuration; it does not connect.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(cfg.URL, "/"))
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the URL of an API, such as http://127.0.0.1:8080", cfg.URL)
	}
	timeout := cfg.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	return &Client{base: base, http: &http.Client{Transport: cfg.Transport, CheckRedirect: stay}, agent: cfg.UserAgent, timeout: timeout}, nil
}

// stay follows no redirect: of a POST or a DELETE it would make a GET, whose answer looks like success.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// URL returns the address that requests go to.
func (c *Client) URL() string { return c.base.String() }

// Request is one call of the API.
type Request struct {
	Method string
	Path   string
	Query  url.Values
	Body   any // encoded as JSON; nil for none
	// IfMatch is the version that the object must have, empty for any.
	IfMatch string
}

// Do sends a request and returns the body of the answer. A refusal is an *api.Problem, a server that does not answer an
// *UnreachableError, one that sends the client elsewhere a *RedirectError.
func (c *Client) Do(ctx context.Context, r Request) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, &UnreachableError{URL: c.URL(), Err: err}
	}
	return data, nil
}

// send returns an answer with a good status.
func (c *Client) send(ctx context.Context, r Request) (*http.Response, error) {
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, &UnreachableError{URL: c.URL(), Err: err}
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	if resp.StatusCode < 400 {
		return nil, &RedirectError{URL: c.URL(), Status: resp.StatusCode, Location: resp.Header.Get("Location")}
	}
	return nil, problem(resp)
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	var body io.Reader
	if r.Body != nil {
		data, err := json.Marshal(r.Body)
		if err != nil {
			return nil, fmt.Errorf("encoding the body of %s %s: %w", r.Method, r.Path, err)
		}
		body = bytes.NewReader(data)
	}
	target := c.base.String() + r.Path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target, body)
	if err != nil {
		return nil, err
	}
	if r.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.IfMatch != "" {
		req.Header.Set("If-Match", `"`+r.IfMatch+`"`)
	}
	if c.agent != "" {
		req.Header.Set("User-Agent", c.agent)
	}
	return req, nil
}

// problem reads a refusal. Whatever answered without a problem document was probably not a Krake API; its problem has no
// type. A document that leaves the type or the status out means those that are filled in here (RFC 7807, section 3.1).
func problem(resp *http.Response) error {
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	p := &api.Problem{Type: "about:blank", Status: resp.StatusCode}
	contentType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if contentType != "application/problem+json" || json.Unmarshal(data, p) != nil {
		return api.NewProblem(resp.StatusCode, "", "%s (no problem document; is this a Krake API?)", resp.Status)
	}
	return p
}

// UnreachableError says that no answer came.
type UnreachableError struct {
	URL string
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no answer from the API at %s: %v", e.URL, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// RedirectError says that the API is to be found at another address. Clients are to be configured with that one: no
// redirect is followed.
type RedirectError struct {
	URL      string
	Status   int
	Location string // as the server wrote it, empty when it did not
}

func (e *RedirectError) Error() string {
	where := "nowhere"
	if e.Location != "" {
		where = e.Location
	}
	return fmt.Sprintf("%s answers with a redirect to %s (%d %s), which is not followed", e.URL, where, e.Status,
		http.StatusText(e.Status))
}

// NotFound says whether an error means that the object does not exist.
func NotFound(err error) bool { return titled(err, api.TitleNotFound) }

// Exists says whether an error means that an object of this name exists already.
func Exists(err error) bool { return titled(err, api.TitleAlreadyExists) }

// Conflict says whether an error means that the object has changed since it was read.
func Conflict(err error) bool { return titled(err, api.TitleTransaction) }

// Expired says whether an error means that a watch cannot be resumed from there.
func Expired(err error) bool {
	var p *api.Problem
	return errors.As(err, &p) && p.Status == http.StatusGone
}

// Unreachable says whether an error means that no answer came.
func Unreachable(err error) bool {
	var u *UnreachableError
	return errors.As(err, &u)
}

func titled(err error, title string) bool {
	var p *api.Problem
	return errors.As(err, &p) && p.Title == title
}
