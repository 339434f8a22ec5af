package conformance

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"

	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/test/conformance/closed"
)

// What the data of testdata/reference.txtar has beside records that are all in order.
const (
	brokenKey     = "/kubernetes/applications/system:admin/broken"
	olderKey      = "/kubernetes/applications/system:admin/older"
	upsideDownKey = "/core/globalmetrics/upside_down"

	bigNumberKey, bigNumber = "/kubernetes/applications/system:admin/echo-demo", "12345678901234567890"
)

// strangers are records beside those of the archive: one that is no JSON, and one of another program.
var strangers = map[string]string{"/core/roles/broken": "{'no': json}", "/other/program": "x"}

// referenceData is the content of an etcd of the Python Krake, by key.
func referenceData(t *testing.T) map[string]document {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/reference.txtar")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]document{}
	for _, f := range archive.Files {
		out[f.Name] = parse(t, f.Data)
	}
	return out
}

// etcd runs an etcd in a directory as it runs when nobody configures it, but for its addresses, until it is stopped.
func etcd(t *testing.T, dir string) (client *clientv3.Client, stop func()) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		cfg := embed.NewConfig()
		cfg.Dir = dir
		cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
		clients, peers := freeAddress(t), freeAddress(t)
		cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{clients}, []url.URL{clients}
		cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peers}, []url.URL{peers}
		cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
		member, err := embed.StartEtcd(cfg)
		if err != nil { // somebody else may have taken an address meanwhile
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
			continue
		}
		<-member.Server.ReadyNotify()
		client, err = clientv3.New(clientv3.Config{Endpoints: []string{clients.Host}, DialTimeout: patience, Logger: zap.NewNop()})
		if err != nil {
			t.Fatal(err)
		}
		stop = sync.OnceFunc(func() {
			_ = client.Close()
			member.Close()
		})
		t.Cleanup(stop)
		return client, stop
	}
}

func freeAddress(t *testing.T) url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return url.URL{Scheme: "http", Host: l.Addr().String()}
}

// referenceDir makes the data directory that a deployment of the Python Krake leaves behind: every record was written
// more than once, others were deleted, and the history was compacted.
func referenceDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "default.etcd")
	client, stop := etcd(t, dir)
	put := func(key, value string) int64 {
		resp, err := client.Put(t.Context(), key, value)
		if err != nil {
			t.Fatal(err)
		}
		return resp.Header.Revision
	}
	archive, err := txtar.ParseFile("testdata/reference.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var last int64
	for range 2 {
		for _, f := range archive.Files {
			last = put(f.Name, strings.TrimSuffix(string(f.Data), "\n"))
		}
	}
	for key, value := range strangers {
		put(key, value)
	}
	put("/core/roles/gone", `{"api": "core"}`)
	if _, err := client.Delete(t.Context(), "/core/roles/gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Compact(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	stop()
	return dir
}

// objectPath is the path of the object under a key: /GROUP/PLURAL/[NAMESPACE/]NAME.
func objectPath(key string) string {
	parts := strings.Split(key, "/")
	if len(parts) == 5 {
		return "/" + parts[1] + "/namespaces/" + parts[3] + "/" + parts[2] + "/" + parts[4]
	}
	return key
}

func collectionPath(key string) string { return strings.Join(strings.Split(key, "/")[:3], "/") }

// readable is what old clients see of a record: the fields that they know, with the defaults of those that are not there.
func (d document) readable(t *testing.T) document {
	t.Helper()
	out := document{}
	for _, key := range []string{"api", "kind", "metadata", "spec", "status", "rules", "users", "roles"} {
		if d[key] != nil {
			out[key] = d[key]
		}
	}
	return out
}

func TestTheDataOfThePythonKrakeIsServedWithoutLoss(t *testing.T) {
	data := referenceData(t)
	var log syncBuffer
	s := startIn(t, referenceDir(t), func(o *apiserver.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })

	byCollection := map[string][]string{}
	for key := range data {
		byCollection[collectionPath(key)] = append(byCollection[collectionPath(key)], key)
	}
	for _, e := range entries {
		keys := byCollection["/"+e.group+"/"+e.plural]
		t.Run(e.kind, func(t *testing.T) {
			if len(keys) == 0 {
				t.Fatal("there is no record of this kind in testdata/reference.txtar")
			}
			listed := map[string]document{}
			for _, item := range s.ask(t, "GET", collectionPath(keys[0]), nil).want(t, 200).document(t)["items"].([]any) {
				o := document(item.(map[string]any))
				listed[e.table().Key(o.text("metadata.namespace"), o.text("metadata.name"))] = o
			}
			w := s.watch(t, collectionPath(keys[0])+"?watch&heartbeat=0")
			for _, key := range keys {
				if key == brokenKey {
					continue
				}
				served := s.ask(t, "GET", objectPath(key), nil).want(t, 200).document(t)
				same(t, "the listed "+key, served, listed[key])
				delete(listed, key)
				surviveLife(t, s, w, e, key, data[key], served)
			}
			if len(listed) > 0 {
				t.Errorf("listed beside: %v", listed)
			}
		})
	}

	t.Run("strangers", func(t *testing.T) {
		if record, err := s.data.Get(t.Context(), "/core/roles/broken"); err != nil || string(record.Value) != strangers["/core/roles/broken"] {
			t.Errorf("it was touched: %s, %v", record.Value, err)
		}
	})
	t.Run("the broken one", func(t *testing.T) {
		if !strings.Contains(log.String(), "key="+brokenKey) {
			t.Errorf("nobody was told:\n%s", log.String())
		}
		s.ask(t, "GET", objectPath(brokenKey), nil).want(t, http.StatusInternalServerError)
		s.ask(t, "POST", collectionOf(brokenKey), app("broken")).want(t, 409)
		s.ask(t, "DELETE", objectPath(brokenKey)+"?force=True", nil).want(t, 200)
		s.ask(t, "POST", collectionOf(brokenKey), app("broken")).want(t, 200)
	})
}

func collectionOf(key string) string {
	path := objectPath(key)
	return path[:strings.LastIndex(path, "/")]
}

// surviveLife takes an object of the reference through a life: read, changed by old clients, and deleted.
func surviveLife(t *testing.T, s *server, w *stream, e entry, key string, record, served document) {
	t.Helper()
	object, name := objectPath(key), served.text("metadata.name")
	want := record.readable(t)
	if key == upsideDownKey {
		want = want.with("metadata.namespace", nil) // a global object has none
	}
	if key == olderKey {
		want = want.without("metadata.finalizer_hint").without("spec.replicas").without("status.cluster").without("status.observed")
	}
	if problem := includes("", map[string]any(want), map[string]any(served)); problem != "" {
		t.Errorf("%s is not served as it was stored: %s", key, problem)
	}
	read := func() []byte { return s.oldRead(t, e.kind, object) }
	s.ask(t, "PUT", object, read()).want(t, map[bool]int{true: 200, false: 400}[e.table().QuietUpdate])
	s.ask(t, "PUT", object, withMetadata(t, read(), "labels", document{"changed": "yes"})).want(t, 200)
	w.want(t, "MODIFIED", name)
	if e.hasStatus() {
		s.ask(t, "PUT", object+"/status", read()).want(t, 200)
		w.want(t, "MODIFIED", name)
	}
	s.survives(t, key, record)

	if s.ask(t, "DELETE", object, nil).want(t, 200); record.at("metadata.deleted") == nil { // which is no change otherwise
		w.want(t, "MODIFIED", name)
	}
	s.survives(t, key, record)
	s.ask(t, "PUT", object, withMetadata(t, read(), "finalizers", []string{})).want(t, 200)
	w.want(t, "DELETED", name)
	s.ask(t, "GET", object, nil).want(t, 404)
	s.ask(t, "POST", collectionOf(key), e.body(name)).want(t, 200)
	w.want(t, "ADDED", name)
}

// oldRead is what an old client has of an object after reading it, to the digit.
func (s *server) oldRead(t *testing.T, kind, object string) []byte {
	t.Helper()
	text, err := closed.Strip(kind, s.ask(t, "GET", object, nil).want(t, 200).body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// withMetadata replaces one field of an object's metadata and leaves everything else to the digit.
func withMetadata(t *testing.T, object []byte, field string, value any) []byte {
	t.Helper()
	var o map[string]json.RawMessage
	if err := json.Unmarshal(object, &o); err != nil {
		t.Fatal(err)
	}
	o["metadata"] = text(t, parse(t, o["metadata"]).with(field, value))
	return text(t, o)
}

func text(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// survives checks that everything that a record had is still in etcd, but for what was changed.
func (s *server) survives(t *testing.T, key string, record document) {
	t.Helper()
	stored, err := s.data.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	now := parse(t, stored.Value)
	if key == bigNumberKey && !bytes.Contains(stored.Value, []byte(bigNumber)) {
		t.Errorf("a number has lost its digits: %s", stored.Value)
	}
	want := record
	for _, changed := range []string{"labels", "modified", "deleted", "finalizers", "namespace"} {
		want = want.without("metadata." + changed)
	}
	if want.text("status.state") != "" {
		want = want.without("status.state") // an application is asked to shut down
	}
	if problem := includes("", map[string]any(want), map[string]any(now)); problem != "" {
		t.Errorf("%s is not as it was stored: %s", key, problem)
	}
}

// The data of the archive is as the reference would have written it.
func TestTheDataOfTheReferenceIsTheReferences(t *testing.T) {
	for key, record := range referenceData(t) {
		if key == brokenKey || key == olderKey {
			continue
		}
		if err := closed.Check(record.text("kind"), text(t, record)); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// An etcd of its own can still open what ours has worked on: there is a way back.
func TestADirectoryThatWasServedIsStillThatOfAnEtcd(t *testing.T) {
	dir := referenceDir(t)
	t.Run("ours", func(t *testing.T) {
		s := startIn(t, dir)
		s.ask(t, "PATCH", "/core/roles/role:system:gc", `{"metadata":{"labels":{"seen":"by-us"}}}`).want(t, 200)
	})
	client, _ := etcd(t, dir)
	resp, err := client.Get(t.Context(), "/core/roles/role:system:gc")
	if err != nil || len(resp.Kvs) != 1 || !bytes.Contains(resp.Kvs[0].Value, []byte("by-us")) {
		t.Errorf("got %v, %v", resp, err)
	}
}
