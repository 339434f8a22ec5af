package channel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// connected returns the two ends of a connection.
func connected(t *testing.T) (near, far *Conn) {
	t.Helper()
	accepted := make(chan *Conn, 1)
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := Accept(w, r)
		if err != nil {
			t.Error(err)
		}
		accepted <- conn
		<-release
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	near, _, err := Dial(t.Context(), server.URL, nil, server.Client(), V5, V4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(near.Drop)
	return near, <-accepted
}

func TestMessagesArriveAsTheyWereSent(t *testing.T) {
	near, far := connected(t)
	if near.Subprotocol() != V5 {
		t.Errorf("they speak %q", near.Subprotocol())
	}
	long := Of(Stdout, []byte(strings.Repeat("x", 100_000)))
	for _, message := range [][]byte{Of(Stdin, nil), long, Closing(Stdin)} {
		if err := far.Send(t.Context(), message); err != nil {
			t.Fatal(err)
		}
		got, err := near.Receive(t.Context())
		if err != nil || string(got) != string(message) {
			t.Errorf("%d bytes came, %v", len(got), err)
		}
	}
}

func TestTheReasonForAnEndArrives(t *testing.T) {
	for reason, want := range map[string]func(error) bool{
		"": func(err error) bool { return errors.Is(err, io.EOF) },
		"the server is stopping": func(err error) bool {
			var closed *ClosedError
			return errors.As(err, &closed) && closed.Reason == "the server is stopping"
		},
	} {
		near, far := connected(t)
		ended := make(chan struct{})
		go func() { defer close(ended); far.End(reason) }()
		if _, err := near.Receive(t.Context()); !want(err) {
			t.Errorf("%q: %v", reason, err)
		}
		<-ended
	}
}

// Nobody can make the other end keep a message of any size.
func TestAMessageThatIsTooLongEndsTheConnection(t *testing.T) {
	near, far := connected(t)
	go func() { _ = near.Send(t.Context(), make([]byte, MaxMessage+1)) }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := far.Receive(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("it was taken: %v", err)
	}
}

func TestARefusalIsReadWhole(t *testing.T) {
	long := strings.Repeat("no ", 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, long, http.StatusConflict)
	}))
	defer server.Close()
	_, answer, err := Dial(t.Context(), server.URL, nil, server.Client(), V5)
	if err == nil || answer == nil || answer.StatusCode != http.StatusConflict {
		t.Fatalf("%v, %v", answer, err)
	}
	if body, _ := io.ReadAll(answer.Body); strings.TrimSpace(string(body)) != strings.TrimSpace(long) {
		t.Errorf("%d bytes of %d came", len(body), len(long))
	}
}
