package witness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestEveryRequestIsCounted asks a server that answers well, then wrongly, then badly, and whose address is unknown at last.
func TestEveryRequestIsCounted(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := served.Add(1); {
		case n <= 10:
			fmt.Fprintf(w, "\n\nHostname: pod-%d\n", n%2)
		case n <= 15:
			fmt.Fprint(w, "something else")
		default:
			http.Error(w, "\nHostname: pod\n", http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	ctx, stop := context.WithCancel(t.Context())
	var asked atomic.Int64
	got := Load{Workers: 3, Pause: time.Millisecond, Answer: EchoHost, Address: func(context.Context) (string, error) {
		switch n := asked.Add(1); {
		case n == 30:
			stop()
			fallthrough
		case n > 20:
			return "", errors.New("it is nowhere")
		}
		return strings.TrimPrefix(server.URL, "http://"), nil
	}}.Run(ctx)
	if got.By["pod-0"] != 5 || got.By["pod-1"] != 5 || int64(got.Sent) != asked.Load() || len(got.Failures) != got.Sent-10 {
		t.Errorf("asked %d times: %s", asked.Load(), got)
	}
	for i, f := range got.Failures {
		if f.Err == nil || i > 0 && f.At.Before(got.Failures[i-1].At) {
			t.Errorf("failure %d: %+v", i, f)
		}
	}
	if want := fmt.Sprintf("%d requests, %d failed; 5 answered by pod-0; 5 answered by pod-1", got.Sent, got.Sent-10); got.String() != want {
		t.Errorf("%s, want %s", got, want)
	}
}
