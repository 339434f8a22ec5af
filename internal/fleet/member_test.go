package fleet

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

// junction is an address that leads to one cluster or another, as when machines are exchanged behind a name. It speaks
// plain HTTP and has the rights of the clusters' kubeconfigs.
type junction struct {
	*httptest.Server
	to atomic.Pointer[httputil.ReverseProxy] // nil: it answers 404 to everything
	// between, a func(http.ResponseWriter, *http.Request) bool, may answer a request itself.
	between atomic.Value
}

func newJunction(t *testing.T) *junction {
	t.Helper()
	j := &junction{}
	j.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers, ok := j.between.Load().(func(http.ResponseWriter, *http.Request) bool); ok && answers(w, r) {
			return
		}
		if proxy := j.to.Load(); proxy != nil {
			proxy.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(j.Close)
	return j
}

// lead makes the junction lead to a cluster, or nowhere. Connections that exist break, as they do when machines are
// exchanged.
func (j *junction) lead(t *testing.T, c *kubelabtest.Cluster) {
	t.Helper()
	defer j.CloseClientConnections()
	if c == nil {
		j.to.Store(nil)
		return
	}
	a, err := readKubeconfig(c.Kubeconfig(t))
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(a.config.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := newTransport(a.config, &dialer{}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	j.to.Store(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Set("Authorization", "Bearer "+a.config.BearerToken)
		},
		Transport: transport, FlushInterval: -1,
		ErrorLog: log.New(io.Discard, "", 0), // requests that the guard withholds end early
	})
}

func (j *junction) kubeconfig() api.Kubeconfig { return kubeconfigFor(j.URL) }

func kubeconfigFor(server string) api.Kubeconfig {
	return api.Kubeconfig{
		"current-context": "c",
		"contexts":        []any{map[string]any{"name": "c", "context": map[string]any{"cluster": "k", "user": "u"}}},
		"clusters":        []any{map[string]any{"name": "k", "cluster": map[string]any{"server": server}}},
		"users":           []any{map[string]any{"name": "u", "user": map[string]any{"token": "t0ken"}}},
	}
}

func TestAKubeconfigThatLeadsElsewhereIsNoticed(t *testing.T) {
	clusters := kubelabtest.Clusters(t, "fleet", "other")
	b, j := newBench(t), newJunction(t)
	j.lead(t, clusters[0])
	m, err := b.fleet.Member(b.ctx, j.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if m.Identity() != b.Identity() || m.Host() != "127.0.0.1" {
		t.Fatalf("identity %s, host %s", m.Identity(), m.Host())
	}
	o := b.resolve(b.owner, configMap)[0]
	entry := b.apply(o).Entry

	other := b.on(clusters[1]) // where nothing else would hinder a write
	other.apply(other.resolve(someOwner("setup"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: SPACE}")[0])
	j.lead(t, clusters[1])
	var applied error
	b.eventually("an answer over a new connection", func() bool {
		_, applied = m.Apply(b.ctx, o)
		return !errors.As(applied, new(*TransientError))
	})
	_, deleted := m.Delete(b.ctx, entry, b.owner.UID, Itself)
	_, probed := m.Probe(b.ctx)
	for name, err := range map[string]error{"apply": applied, "delete": deleted, "probe": probed} {
		var other *IdentityError
		if !errors.As(err, &other) || other.Known != b.Identity() || other.Found == b.Identity() {
			t.Errorf("%s: %v", name, err)
		}
		if Final(err) || Reason(err).Code != api.ClusterNotReachable {
			t.Errorf("%s: final %t, reason %v", name, Final(err), Reason(err))
		}
	}
	if live, err := other.Live(b.ctx, entry); live != nil || err != nil {
		t.Errorf("something was written there: %v, %v", live, err)
	}

	// Whoever asks anew gets a connection that says where it leads.
	there, err := b.fleet.Member(b.ctx, j.kubeconfig())
	if err != nil || there == m || there.Identity() == b.Identity() {
		t.Fatalf("Member = %v, %v", there, err)
	}
	j.lead(t, clusters[0])
	back, err := b.fleet.Member(b.ctx, j.kubeconfig())
	if err != nil || back.Identity() != b.Identity() {
		t.Fatalf("Member = %v, %v", back, err)
	}
	b.eventually("the first connection leading home", func() bool { _, err := m.Apply(b.ctx, o); return err == nil })
}

// A cluster that begins to answer and does not go on holds nobody for longer than a request may take, however many wait.
func TestAListOfKindsThatDoesNotEndHoldsNobody(t *testing.T) {
	b, j := newBenchWith(t, Options{Timeout: time.Second}), newJunction(t)
	j.lead(t, b.cluster)
	m, err := b.fleet.Member(b.ctx, j.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	var stuck atomic.Int64
	j.between.Store(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api" {
			return false
		}
		stuck.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	})
	var waiting sync.WaitGroup
	for range 10 {
		waiting.Go(func() {
			if _, err := m.Resolve(b.ctx, Wish{Manifest: b.manifest(configMap)}, b.owner); err == nil || Final(err) {
				t.Errorf("Resolve: %v", err)
			}
		})
	}
	waiting.Wait()
	if n := stuck.Load(); n == 0 || n > 3 {
		t.Errorf("%d requests were sent by ten callers that waited for the same answer for a second", n)
	}
}

func TestAProxyThatLostItsClusterDeletesNothing(t *testing.T) {
	b, j := newBench(t), newJunction(t)
	j.lead(t, b.cluster)
	m, err := b.fleet.Member(b.ctx, j.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	o := b.resolve(b.owner, configMap)[0]
	entry := b.apply(o).Entry
	for range 2 { // the second time with nothing known of the kinds
		j.lead(t, nil)
		if gone, err := m.Delete(b.ctx, entry, b.owner.UID, Itself); gone || err == nil || Final(err) {
			t.Errorf("Delete = %t, %v", gone, err)
		}
		if _, err := m.Apply(b.ctx, o); err == nil || Final(err) {
			t.Errorf("Apply: %v", err)
		}
		m.mu.Lock()
		m.verified = m.dialer.made.Load() // as if the connection had been kept
		m.mu.Unlock()
		if gone, err := m.Delete(b.ctx, entry, b.owner.UID, Itself); gone || err == nil || Final(err) {
			t.Errorf("Delete = %t, %v", gone, err)
		}
		if _, err := m.Resolve(b.ctx, Wish{Manifest: b.manifest(configMap)}, b.owner); err == nil && m.mapper.known.Load() == nil || Final(err) {
			t.Errorf("Resolve: %v", err)
		}
	}
}

func TestAClusterThatIsDownIsUnreachableAtOnceAndComesBack(t *testing.T) {
	clusters := kubelabtest.Clusters(t, "fleet", "other")
	b := newBench(t)
	other := b.on(clusters[1])
	m := other.Member
	other.space = other.makeNamespace()
	o := other.resolve(b.owner, configMap)[0]
	entries := other.observed(o)
	o.Entry = entries[0]

	other.cluster.Stop(t)
	for i := range 5 {
		started := time.Now()
		_, err := m.Apply(b.ctx, o)
		if !Unreachable(err) || Final(err) || Reason(err).Code != api.ClusterNotReachable {
			t.Fatalf("attempt %d: %v", i, err)
		}
		if took := time.Since(started); took > 2*time.Second {
			t.Errorf("attempt %d took %s", i, took)
		}
	}
	if _, err := m.Apply(b.ctx, o); !errors.As(err, new(*openError)) {
		t.Errorf("after many failures: %v", err)
	}
	other.eventually("nothing being known", func() bool { return !m.Snapshot(b.owner.UID, entries).Synced() })
	if _, err := b.fleet.Member(b.ctx, other.cluster.Kubeconfig(t)); err != nil && !Unreachable(err) {
		t.Errorf("Member: %v", err)
	}
	if _, err := b.Probe(b.ctx); err != nil {
		t.Errorf("the other cluster: %v", err)
	}

	other.cluster.Start(t)
	other.eventually("the cluster's return", func() bool { _, err := m.Apply(b.ctx, o); return err == nil })
	other.eventually("everything being known again", func() bool {
		s := m.Snapshot(b.owner.UID, entries)
		return s.Synced() && len(s.Live()) == 1
	})
	other.vanish(o)
	other.eventually("the end being seen", func() bool { return len(m.Snapshot(b.owner.UID, entries).Missing()) == 1 })
}

func TestACallerThatGivesUpSpeaksNotAgainstTheCluster(t *testing.T) {
	b := newBench(t)
	o := b.resolve(b.owner, configMap)[0]
	for range 2 * breakerThreshold {
		ctx, cancel := context.WithTimeout(b.ctx, time.Microsecond)
		if _, err := b.Apply(ctx, o); err == nil || Final(err) {
			t.Errorf("error: %v", err)
		}
		cancel()
		ctx, cancel = context.WithCancel(b.ctx)
		cancel()
		if _, err := b.Apply(ctx, o); !errors.Is(err, context.Canceled) {
			t.Errorf("error: %v", err)
		}
	}
	b.apply(o)
}

func TestOneConnectionForEachKubeconfig(t *testing.T) {
	b := newBench(t)
	again, err := b.fleet.Member(b.ctx, b.cluster.Kubeconfig(t))
	if err != nil || again != b.Member {
		t.Errorf("Member = %p, %v, not %p", again, err, b.Member)
	}
	otherwise := b.cluster.Kubeconfig(t)
	otherwise["contexts"].([]any)[0].(map[string]any)["context"].(map[string]any)["namespace"] = b.space
	m, err := b.fleet.Member(b.ctx, otherwise)
	if err != nil || m == b.Member || m.Identity() != b.Identity() || m.Namespace() != b.space || b.Namespace() != "default" {
		t.Fatalf("Member = %+v, %v", m, err)
	}
	if m.gate.limiter.Load() != b.gate.limiter.Load() {
		t.Error("the two do not share a limit")
	}
	objects, err := m.Resolve(b.ctx, Wish{Manifest: manifest(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}")}, b.owner)
	if err != nil || objects[0].Entry.Namespace != b.space {
		t.Errorf("Resolve = %+v, %v", objects, err)
	}
}

func TestConnectionsThatNobodyAsksForEnd(t *testing.T) {
	b := newBench(t)
	entries := b.observed(b.resolve(b.owner, configMap)...)
	later := time.Now().Add(b.fleet.options.Idle + time.Minute)
	b.fleet.mu.Lock()
	b.fleet.now = func() time.Time { return later }
	b.fleet.mu.Unlock()
	m, err := b.fleet.Member(b.ctx, b.cluster.Kubeconfig(t))
	if err != nil || m == b.Member {
		t.Fatalf("Member = %p, %v", m, err)
	}
	b.observer.wait() // its informers have been told to end
	if _, err := b.Apply(b.ctx, b.resolve(b.owner, configMap)[0]); err != nil {
		t.Errorf("a call by somebody who still has it: %v", err)
	}
	_ = entries
}
