package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rak-n-rok/krake/api"
)

// Config says how to reach the API.
type Config struct {
	// URL is the API's address, such as http://127.0.0.1:8080. https is used by saying so. Several addresses, separated by
	// commas, are servers of the same API: requests go to the one that answered last, and on to the next when it does not.
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
	servers []string     // addresses, without a slash at the end
	current atomic.Int32 // the server that answered last
	http    *http.Client
	agent   string
	timeout time.Duration
}

// New checks the configuration; it does not connect.
func New(cfg Config) (*Client, error) {
	var servers []string
	for _, address := range strings.Split(cfg.URL, ",") {
		base, err := url.Parse(strings.TrimSuffix(strings.TrimSpace(address), "/"))
		if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
			return nil, fmt.Errorf("%q is not the URL of an API, such as http://127.0.0.1:8080", address)
		}
		servers = append(servers, base.String())
	}
	transport := cfg.Transport
	if transport == nil && len(servers) > 1 {
		transport = impatient()
	}
	return &Client{
		servers: servers, http: &http.Client{Transport: transport, CheckRedirect: stay}, agent: cfg.UserAgent,
		timeout: cmp.Or(cfg.Timeout, 30*time.Second),
	}, nil
}

// connectWithin is how long a server may take to accept a connection when there are others.
const connectWithin = 3 * time.Second

// impatient is the usual transport, but for the time that it waits for a connection.
func impatient() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: connectWithin, KeepAlive: 30 * time.Second}).DialContext
	return t
}

// stay follows no redirect: of a POST or a DELETE it would make a GET, whose answer looks like success.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// URL returns the address that requests go to at present.
func (c *Client) URL() string { return c.servers[c.at()] }

func (c *Client) at() int { return int(c.current.Load()) }

// leave makes the next request go to another server, unless somebody else has left this one already.
func (c *Client) leave(server int) {
	c.current.CompareAndSwap(int32(server), int32((server+1)%len(c.servers)))
}

// Request is one call of the API.
type Request struct {
	Method string
	Path   string
	Query  url.Values
	Body   any // encoded as JSON; nil for none
	// IfMatch is the version that the object must have, empty for any.
	IfMatch string
}

// attempts is how often a request is sent to the servers before its failure is told.
const attempts = 3

// Do sends a request and returns the body of the answer. A refusal is an *api.Problem, a server that does not answer an
// *UnreachableError, one that sends the client elsewhere a *RedirectError.
//
// What can do no harm is tried again a few times, after a growing pause or the one that the server asks for: what only
// reads, if no server answers or the answer is 502, 503 or 504; what writes, if no connection could be made; everything,
// if the answer is 429, since that was not carried out.
func (c *Client) Do(ctx context.Context, r Request) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		data, err := c.once(ctx, r)
		if err == nil || attempt == attempts || !again(err, r.Method) || pauseFor(ctx, max(backoff(attempt), retryAfter(err))) != nil {
			return data, err
		}
	}
}

// again says whether a request that failed is worth another attempt, and can do no harm by it.
func again(err error, method string) bool {
	var p *api.Problem
	if errors.As(err, &p) && p.Status == http.StatusTooManyRequests {
		return true
	}
	return failing(err) && harmless(err, method)
}

// retryAfter is how long a server asks to be left alone.
func retryAfter(err error) time.Duration {
	var p *api.Problem
	if errors.As(err, &p) {
		return p.RetryAfter
	}
	return 0
}

// once sends a request and reads the answer.
func (c *Client) once(ctx context.Context, r Request) (json.RawMessage, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, &UnreachableError{URL: c.URL(), Err: err, Sent: r.Method != http.MethodGet}
	}
	return data, nil
}

// send returns an answer with a good status. Every server gets the request at most once, as long as that can do no harm:
// what only reads may be asked anywhere; what writes goes on to the next server only if the connection could not even be
// made.
func (c *Client) send(ctx context.Context, r Request) (resp *http.Response, err error) {
	for range c.servers {
		server := c.at()
		resp, err = c.sendTo(ctx, server, r)
		if !failing(err) {
			break
		}
		c.leave(server)
		if !harmless(err, r.Method) || ctx.Err() != nil {
			break
		}
	}
	return resp, err
}

// failing says whether an error is the server's, so that another one may do better.
func failing(err error) bool {
	var p *api.Problem
	return Unreachable(err) || errors.As(err, &p) && p.Status >= http.StatusBadGateway && p.Status <= http.StatusGatewayTimeout
}

// harmless says whether a request that failed can be sent again, whatever became of it.
func harmless(err error, method string) bool {
	var u *UnreachableError
	return method == http.MethodGet || errors.As(err, &u) && !u.Sent
}

// answered is the server that an answer came from.
func (c *Client) answered(resp *http.Response) int {
	return max(0, slices.IndexFunc(c.servers, func(address string) bool {
		return strings.HasPrefix(resp.Request.URL.String(), address+"/")
	}))
}

func (c *Client) sendTo(ctx context.Context, server int, r Request) (*http.Response, error) {
	address := c.servers[server]
	req, err := c.request(ctx, address, r)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var dial *net.OpError
		left := !errors.As(err, &dial) || dial.Op != "dial"
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, &UnreachableError{URL: address, Err: err, Sent: left && r.Method != http.MethodGet}
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	if resp.StatusCode < 400 {
		return nil, &RedirectError{URL: address, Status: resp.StatusCode, Location: resp.Header.Get("Location")}
	}
	return nil, problem(resp)
}

func (c *Client) request(ctx context.Context, address string, r Request) (*http.Request, error) {
	var body io.Reader
	if r.Body != nil {
		data, err := json.Marshal(r.Body)
		if err != nil {
			return nil, fmt.Errorf("encoding the body of %s %s: %w", r.Method, r.Path, err)
		}
		body = bytes.NewReader(data)
	}
	target := address + r.Path
	query := maps.Clone(r.Query)
	if r.Body != nil { // a typing error is to be told, not to be dropped
		if query == nil {
			query = url.Values{}
		}
		query.Set("strict", "true")
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
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
	identify(ctx, req.Header)
	return req, nil
}

// problem reads a refusal. Whatever answered without a problem document was probably not a Krake API; its problem has no
// type. A document that leaves the type or the status out means those that are filled in here (RFC 7807, section 3.1).
func problem(resp *http.Response) error {
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	p := &api.Problem{Type: "about:blank", Status: resp.StatusCode}
	contentType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if contentType != "application/problem+json" || json.Unmarshal(data, p) != nil {
		p = api.NewProblem(resp.StatusCode, "", "%s (no problem document; is this a Krake API?)", resp.Status)
	}
	p.RequestID = resp.Header.Get(api.RequestIDHeader)
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		p.RetryAfter = time.Duration(seconds) * time.Second
	}
	return p
}

// UnreachableError says that no answer came.
type UnreachableError struct {
	URL string
	Err error
	// Sent says of a write that it left: whether it was carried out is not known.
	Sent bool
}

func (e *UnreachableError) Error() string {
	unknown := ""
	if e.Sent {
		unknown = "; it may have done what it was asked to"
	}
	return fmt.Sprintf("no answer from the API at %s: %v%s", e.URL, e.Err, unknown)
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
