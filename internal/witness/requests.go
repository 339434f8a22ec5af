package witness

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// requestTimeout is how long a user waits for an answer before giving up.
const requestTimeout = 2 * time.Second

// Load is how an application is asked. Its rate is at most Workers per Pause.
type Load struct {
	Workers int
	Pause   time.Duration                                  // of each worker between two requests
	Address func(context.Context) (host string, err error) // where the application is now; asked before each request
	Answer  func(body string) (from string, ok bool)       // who gave an answer, and whether it is one
}

// Answered is what came of a Load.
type Answered struct {
	Sent     int
	By       map[string]int // answers, by who gave them
	Failures []Failure      // in the order of time
}

// Failure is a request that got no answer, or not the right one.
type Failure struct {
	At      time.Time
	Address string
	Err     error
}

// Run sends requests until ctx ends. Each one uses a connection of its own, as those of many users would. Requests that
// are under way when ctx ends are waited for, and count.
func (l Load) Run(ctx context.Context) Answered {
	client := &http.Client{Timeout: requestTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	result := Answered{By: map[string]int{}}
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range l.Workers {
		workers.Go(func() {
			tick := time.NewTicker(l.Pause)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case at := <-tick.C:
					address, from, err := l.ask(context.WithoutCancel(ctx), client)
					mu.Lock()
					result.add(at, address, from, err)
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	slices.SortFunc(result.Failures, func(a, b Failure) int { return a.At.Compare(b.At) })
	return result
}

func (l Load) ask(ctx context.Context, client *http.Client) (address, from string, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if address, err = l.Address(ctx); err != nil {
		return "", "", fmt.Errorf("asking where the application is: %w", err)
	}
	from, err = Ask(ctx, client, address, l.Answer)
	return address, from, err
}

// Ask sends one request to host:port and tells who answered.
func Ask(ctx context.Context, client *http.Client, address string, answer func(string) (string, bool)) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", err
	}
	from, ok := answer(string(body))
	if resp.StatusCode != http.StatusOK || !ok {
		return "", fmt.Errorf("%s: %q", resp.Status, body)
	}
	return from, nil
}

func (a *Answered) add(at time.Time, address, from string, err error) {
	a.Sent++
	if err != nil {
		a.Failures = append(a.Failures, Failure{at, address, err})
		return
	}
	a.By[from]++
}

// String is one line: how many requests there were, how many failed, and who answered.
func (a Answered) String() string {
	text := fmt.Sprintf("%d requests, %d failed", a.Sent, len(a.Failures))
	for _, name := range slices.Sorted(maps.Keys(a.By)) {
		text += fmt.Sprintf("; %d answered by %s", a.By[name], name)
	}
	return text
}

// EchoHost finds the host name in an answer of the echo server of the examples.
func EchoHost(body string) (string, bool) {
	_, after, ok := strings.Cut(body, "\nHostname: ")
	name, _, _ := strings.Cut(after, "\n")
	return name, ok && name != ""
}
