package channel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// Conn is a WebSocket of messages. One goroutine may receive while others send.
type Conn struct {
	ws   *websocket.Conn
	once sync.Once
}

// Dial opens a WebSocket. Without one the error is that of the connection, or the answer is not nil and says why.
func Dial(ctx context.Context, address string, header http.Header, over *http.Client, subprotocols ...string) (*Conn, *http.Response, error) {
	kept := &keeping{next: over.Transport}
	client := *over
	client.Transport = kept
	ws, answer, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPClient: &client, HTTPHeader: header, Subprotocols: subprotocols,
	})
	if err != nil {
		if answer != nil && kept.body != nil {
			answer.Body = io.NopCloser(bytes.NewReader(kept.body))
		}
		return nil, answer, err
	}
	return of(ws), answer, nil
}

// keeping keeps the body of a refusal: the library gives no more than its beginning away.
type keeping struct {
	next http.RoundTripper
	body []byte
}

// maxRefusal is how much of a refusal is read, in bytes.
const maxRefusal = 1 << 16

func (k *keeping) RoundTrip(r *http.Request) (*http.Response, error) {
	next := k.next
	if next == nil {
		next = http.DefaultTransport
	}
	answer, err := next.RoundTrip(r)
	if err != nil || answer.StatusCode == http.StatusSwitchingProtocols {
		return answer, err
	}
	defer answer.Body.Close()
	k.body, err = io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(k.body))
	return answer, nil
}

// Accept makes a WebSocket of a request. Whoever calls it has made sure that the request comes from no foreign web page.
// If there is an error, it has been answered.
func Accept(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{V5, V4}, InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	return of(ws), nil
}

func of(ws *websocket.Conn) *Conn {
	ws.SetReadLimit(MaxMessage)
	return &Conn{ws: ws}
}

// Receive waits for the next message. At the regular end it is io.EOF. The connection is of no use after an error, one of
// the context included.
func (c *Conn) Receive(ctx context.Context) ([]byte, error) {
	_, message, err := c.ws.Read(ctx)
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed) && (closed.Code == websocket.StatusNormalClosure || closed.Code == websocket.StatusNoStatusRcvd):
		return nil, io.EOF
	case errors.As(err, &closed):
		return nil, &ClosedError{Reason: closed.Reason, Code: int(closed.Code)}
	}
	return message, err
}

// Send sends a message. It waits for as long as the other end takes nothing.
func (c *Conn) Send(ctx context.Context, message []byte) error {
	return c.ws.Write(ctx, websocket.MessageBinary, message)
}

// maxReason is how long the reason for an end may be, in bytes: a frame that closes has 125 at most.
const maxReason = 123

// End closes the connection and tells the other end why; regularly, if there is no reason. The first call counts.
func (c *Conn) End(reason string) {
	c.once.Do(func() {
		code := websocket.StatusNormalClosure
		if reason != "" {
			code = websocket.StatusGoingAway
		}
		_ = c.ws.Close(code, shortened(reason))
	})
}

// Drop closes the connection without a word.
func (c *Conn) Drop() { _ = c.ws.CloseNow() }

// shortened cuts a text between two characters.
func shortened(text string) string {
	if len(text) <= maxReason {
		return text
	}
	at := maxReason - len("…")
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	return text[:at] + "…"
}

// ClosedError says that the other end has closed the connection, and why.
type ClosedError struct {
	Reason string
	Code   int // of the WebSocket protocol
}

func (e *ClosedError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("the connection was closed (%d)", e.Code)
	}
	return e.Reason
}

// Subprotocol is what the two ends have agreed on, empty if they have not.
func (c *Conn) Subprotocol() string { return c.ws.Subprotocol() }

// pingEvery is how often the other end is asked for a sign of life: more often than what is in between forgets connections.
const pingEvery = 30 * time.Second

// KeepAlive pings the other end until ctx ends, so that nothing in between takes a quiet connection for a dead one. One
// that gives no answer may just be slow.
func (c *Conn) KeepAlive(ctx context.Context) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		ping, cancel := context.WithTimeout(ctx, pingEvery)
		_ = c.ws.Ping(ping)
		cancel()
	}
}
