package conformance

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/internal/apiserver"
)

// held runs a server in which every write stands still, holding its place, until it is let go.
func held(t *testing.T, limits apiserver.Limits) (s *server, entered chan struct{}, letGo chan struct{}) {
	entered, letGo = make(chan struct{}, 100), make(chan struct{})
	var hold atomic.Bool
	s = start(t, func(o *apiserver.Options) {
		o.Limits = limits
		o.Now = func() time.Time {
			if hold.Load() {
				entered <- struct{}{}
				<-letGo
			}
			return time.Now()
		}
	})
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	hold.Store(true)
	return s, entered, letGo
}

func TestOneClientLeavesRoomForOthers(t *testing.T) {
	s, entered, letGo := held(t, apiserver.Limits{AtWork: 4, Waiting: 2})
	answers := make(chan int, 10)
	post := func(i int) {
		a, err := s.send("POST", apps, app(fmt.Sprint("flood-", i)), "User-Agent", "flood")
		if err != nil {
			t.Error(err)
		}
		if a.status == 429 && a.header.Get("Retry-After") == "" {
			t.Error("it is not said when to try again")
		}
		answers <- a.status
	}
	for i := range 3 { // its share of four
		go post(i)
		<-entered
	}
	for i := 3; i < 6; i++ { // two more may wait
		go post(i)
	}
	if status := <-answers; status != 429 {
		t.Errorf("the sixth request was answered with %d", status)
	}
	s.ask(t, "GET", apps+"/x", nil, "User-Agent", "another").want(t, 200)
	s.ask(t, "GET", "/healthz", nil, "User-Agent", "flood").want(t, 200)
	close(letGo)
	for range 5 {
		if status := <-answers; status != 200 {
			t.Errorf("a request that waited was answered with %d", status)
		}
	}
}

func TestRequestsThatWaitOnPurposeKeepNoPlace(t *testing.T) {
	s := start(t, func(o *apiserver.Options) { o.Limits = apiserver.Limits{AtWork: 1, Watches: 3} })
	var watches []*stream
	for range 2 {
		w := s.watch(t, apps+"?watch&heartbeat=0")
		defer w.close()
		watches = append(watches, w)
	}
	waited := make(chan answer, 1)
	go func() {
		a, _ := s.send("POST", apps+"?blocking=running", app("x"))
		waited <- a
	}()
	for _, w := range watches {
		w.want(t, "ADDED", "x")
	}
	created := s.ask(t, "GET", apps+"/x", nil).want(t, 200).document(t)
	s.ask(t, "PUT", apps+"/x/status", created.with("status.state", "RUNNING")).want(t, 200)
	if a := <-waited; a.status != 200 || !strings.Contains(string(a.body), "RUNNING") {
		t.Errorf("%d %s", a.status, a.body)
	}
	third := s.watch(t, apps+"?watch&heartbeat=0")
	defer third.close()
	s.ask(t, "GET", apps+"?watch", nil).problem(t, 429, "", "429: Too Many Requests: 3 watches of yours are open; try again in a second")
}

func TestABodyThatTricklesIsGivenUp(t *testing.T) {
	t.Parallel()
	s := start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{", apps)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(500 * time.Millisecond):
				_, _ = conn.Write([]byte(" "))
			}
		}
	}()
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	answer := make([]byte, 4096)
	n, err := conn.Read(answer)
	if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 408 ") {
		t.Errorf("%v: %s", err, answer[:n])
	}
}
