package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/apiserver"
)

const otherApps = "/kubernetes/namespaces/other/applications"

func watchTellsEveryChange(t *testing.T, s *server) { // vector 42
	one := s.watch(t, apps+"?watch&heartbeat=1")
	all := s.watch(t, "/kubernetes/applications?watch=false&heartbeat=0")
	for _, w := range []*stream{one, all} {
		if got := w.header.Get("Content-Type"); got != "application/x-ndjson" {
			t.Errorf("the content type is %q", got)
		}
		if w.header.Get("Content-Length") != "" {
			t.Error("the length of a stream is announced")
		}
	}
	s.ask(t, "POST", apps, app("w1")).want(t, 200)
	created := s.ask(t, "GET", apps+"/w1", nil).document(t)
	s.ask(t, "PUT", apps+"/w1", created.with("spec.backoff", 5)).want(t, 200)
	s.ask(t, "POST", otherApps, app("w1")).want(t, 200)
	deleted := s.ask(t, "DELETE", apps+"/w1", nil).want(t, 200).document(t)
	s.ask(t, "PUT", apps+"/w1", deleted.with("metadata.finalizers", []string{})).want(t, 200)
	s.ask(t, "DELETE", otherApps+"/w1?force=True", nil).want(t, 200)
	s.ask(t, "POST", apps, app("end")).want(t, 200)

	for name, w := range map[string]*stream{"one namespace": one, "all namespaces": all} {
		t.Run(name, func(t *testing.T) {
			if e := w.want(t, "ADDED", "w1"); e.Object.at("spec.backoff") != 1.0 || e.Cursor != "" {
				t.Errorf("%v", e)
			}
			if e := w.want(t, "MODIFIED", "w1"); e.Object.at("spec.backoff") != 5.0 {
				t.Errorf("%v", e)
			}
			if w == all {
				w.want(t, "ADDED", "w1")
			}
			marked := w.want(t, "MODIFIED", "w1").Object
			gone := w.want(t, "DELETED", "w1").Object
			for _, o := range []document{marked, gone} {
				if o.text("metadata.deleted") == "" {
					t.Errorf("%v", o["metadata"])
				}
				same(t, "finalizers", []string{"cascade_deletion"}, o.at("metadata.finalizers"))
			}
			if w == all {
				if e := w.want(t, "DELETED", "w1"); e.Object.at("metadata.deleted") != nil {
					t.Errorf("%v", e.Object["metadata"])
				}
			}
			w.want(t, "ADDED", "end")
		})
	}
	quiet := s.watch(t, apps+"?watch&heartbeat=0")
	beating := s.watch(t, apps+"?watch&heartbeat=1")
	began := time.Now()
	for range 2 {
		if line := beating.line(t); line != "" {
			t.Errorf("got %q for a heartbeat", line)
		}
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("two heartbeats came within %s", took)
	}
	if len(quiet.lines) > 0 {
		t.Errorf("a watch without heartbeat sent %q", <-quiet.lines)
	}
}

// enlarged creates an application and returns its record with a text of so many bytes inside.
func (s *server) enlarged(t *testing.T, name string, size int) string {
	t.Helper()
	s.ask(t, "POST", apps, app(name)).want(t, 200)
	record, err := s.data.Get(t.Context(), "/kubernetes/applications/solar/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(record.Value), `"none"`, `"`+strings.Repeat("x", size)+`"`, 1)
}

// What waits for a client is memory; one that does not read must not keep it for ever.
func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	s := start(t)
	address, ended := s.beside(t, apiserver.Options{Patience: 100 * time.Millisecond})
	d := dial(t, address)
	d.say(t, "GET", apps+"?watch&heartbeat=0", "")
	d.until(t, func(line string) bool { return line == "" })
	large := s.enlarged(t, "large", 1<<20)
	for range 40 { // more than connections hold
		s.put(t, "/kubernetes/applications/solar/large", large)
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the watch goes on")
	}
}

// A client may take its time between two events, and use the connection for something else after the watch.
func TestTheDeadlineOfAWatchIsNotThatOfItsConnection(t *testing.T) {
	s := start(t)
	address, ended := s.beside(t, apiserver.Options{Patience: 10 * time.Millisecond})
	d, beating := dial(t, address), s.watch(t, otherApps+"?watch&heartbeat=1")
	d.say(t, "GET", apps+"?watch&heartbeat=1&resource_version="+s.version(t, apps), "")
	for range 2 {
		d.until(t, func(line string) bool { return line == "1" }) // a chunk of one byte, the heartbeat
	}
	if len(ended) > 0 {
		t.Error("the watch has ended")
	}
	s.put(t, "/kubernetes/applications/solar/broken", "{")
	d.until(t, func(line string) bool { return strings.HasPrefix(line, `{"type":"ERROR"`) })
	d.until(t, func(line string) bool { return line == "0" }) // the last chunk

	w := s.watch(t, apps+"?watch&heartbeat=0")
	d.say(t, "POST", apps+"?blocking=running", app("x"))
	added := w.want(t, "ADDED", "x").Object
	beating.line(t)
	s.ask(t, "PUT", apps+"/x/status", added.with("status.state", "RUNNING")).want(t, 200)
	if got := d.until(t, func(line string) bool { return strings.HasPrefix(line, "HTTP/") }); got != "HTTP/1.1 200 OK" {
		t.Errorf("the request after the watch was answered with %s", got)
	}
}

// Such numbers of seconds are no time.Duration any more; what became of them came all the time.
func TestARareHeartbeatDoesNotComeAtOnce(t *testing.T) {
	s := start(t)
	for i, heartbeat := range []string{"86401", "9223372036", "9223372037", "10000000000", "18446744074", "9223372036854775807", "99999999999999999999"} {
		w := s.watch(t, apps+"?watch&heartbeat="+heartbeat)
		s.ask(t, "POST", apps, app(fmt.Sprint("a", i))).want(t, 200)
		if line := w.line(t); line == "" {
			t.Errorf("a heartbeat came before %s seconds were over", heartbeat)
		}
		w.close()
	}
}

func TestHeartbeatsDoNotWaitForSilence(t *testing.T) {
	s := start(t)
	w := s.watch(t, apps+"?watch&heartbeat=1")
	created := s.ask(t, "POST", apps, app("busy")).want(t, 200).document(t)
	deadline := time.Now().Add(patience)
	for i := 0; ; i++ { // never a second without a change
		s.ask(t, "PUT", apps+"/busy", created.with("spec.backoff", i+2)).want(t, 200)
		for len(w.lines) > 0 {
			if <-w.lines == "" {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("no heartbeat came beside the changes")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestEveryLineOfAWatchIsOneDocument(t *testing.T) {
	s := start(t)
	w := s.watch(t, apps+"?watch&heartbeat=0")
	tricky := parse(t, []byte(app("tricky"))).with("spec.storage_migration", "two\nlines\r\u2028<&>\x00é")
	s.ask(t, "POST", apps, tricky).want(t, 200)
	if got := w.want(t, "ADDED", "tricky").Object.text("spec.storage_migration"); got != "two\nlines\r\u2028<&>\x00é" {
		t.Errorf("got %q", got)
	}
}

// version is the version at which a list is complete.
func (s *server) version(t tb, path string) string {
	t.Helper()
	return s.ask(t, "GET", path, nil).want(t, 200).document(t).text("metadata.resource_version")
}

func TestAResumedWatchLosesAndRepeatsNothing(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("before")).want(t, 200)
	from := s.version(t, apps)
	for i := range 5 {
		s.ask(t, "POST", apps, app(fmt.Sprint("a", i))).want(t, 200)
	}
	s.ask(t, "POST", otherApps, app("other")).want(t, 200)
	s.ask(t, "DELETE", apps+"/a0?force=True", nil).want(t, 200)

	type seen struct{ kind, name, cursor string }
	var whole []seen
	w := s.watch(t, apps+"?watch&heartbeat=0&resource_version="+from)
	for range 6 {
		e := w.change(t)
		whole = append(whole, seen{e.Type, e.Object.text("metadata.name"), e.Cursor})
	}
	if whole[0].name != "a0" || whole[5] != (seen{"DELETED", "a0", whole[5].cursor}) {
		t.Errorf("%v", whole)
	}
	resumed := make([]*stream, len(whole))
	for i, at := range whole {
		resumed[i] = s.watch(t, apps+"?watch&heartbeat=0&resource_version="+at.cursor)
	}
	s.ask(t, "POST", apps, app("live")).want(t, 200)
	for i, w := range resumed { // from every event on, the rest comes and nothing else
		for _, want := range whole[i+1:] {
			e := w.change(t)
			if got := (seen{e.Type, e.Object.text("metadata.name"), e.Cursor}); got != want {
				t.Fatalf("resumed after %v: got %v, want %v", whole[i], got, want)
			}
		}
		w.want(t, "ADDED", "live")
	}
}

func TestEventsHaveTheVersionOfTheObject(t *testing.T) {
	s := start(t)
	w := s.watch(t, apps+"?watch&heartbeat=0&resource_version="+s.version(t, apps))
	created := s.ask(t, "POST", apps, app("x")).want(t, 200).document(t)
	if got := w.want(t, "ADDED", "x").Object.text("metadata.resource_version"); got != created.text("metadata.resource_version") {
		t.Errorf("created as %s, told as %s", created.text("metadata.resource_version"), got)
	}
	s.ask(t, "DELETE", apps+"/x?force=True", nil).want(t, 200)
	gone := w.want(t, "DELETED", "x")
	if got := gone.Object.text("metadata.resource_version"); got == created.text("metadata.resource_version") || got != s.version(t, apps) {
		t.Errorf("the deletion has version %s, the list is at %s", got, s.version(t, apps))
	}
}

func TestAnIdleWatchMovesItsCursorOn(t *testing.T) {
	s := start(t)
	w := s.watch(t, apps+"?watch&heartbeat=1&resource_version="+s.version(t, apps))
	for i := range 3 {
		s.ask(t, "POST", otherApps, app(fmt.Sprint("other", i))).want(t, 200)
	}
	target := s.version(t, "/kubernetes/applications")
	deadline := time.Now().Add(patience)
	for {
		line := w.line(t)
		if line == "" {
			continue
		}
		var e struct {
			Type   string
			Cursor string
			Object *document
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Type != "BOOKMARK" || e.Object != nil || !strings.Contains(line, `"object":null`) {
			t.Fatalf("got %s, want a bookmark", line)
		}
		if e.Cursor == target {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the cursor is %s, want %s", e.Cursor, target)
		}
	}
	plain := s.watch(t, apps+"?watch&heartbeat=1")
	s.ask(t, "POST", otherApps, app("more")).want(t, 200)
	if line := plain.line(t); line != "" {
		t.Errorf("a watch that cannot be resumed sent %s", line)
	}
}

func TestAVersionThatNobodyRemembersIsGone(t *testing.T) {
	s := start(t)
	for _, v := range []string{"999999", "999999.1"} { // from before a backup was put back, or from another Krake
		if got := s.ask(t, "GET", apps+"?watch&resource_version="+v, nil); got.status != 410 {
			t.Errorf("%s: answered %d %s", v, got.status, got.body)
		}
	}
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	from := s.version(t, apps)
	s.ask(t, "PATCH", apps+"/x", `{"metadata":{"labels":{"a":"b"}}}`).want(t, 200)
	s.watch(t, apps+"?watch&resource_version="+from).want(t, "MODIFIED", "x")
	for _, v := range []string{"soon", "-1", "1.5.2", "%00"} {
		s.ask(t, "GET", apps+"?watch&resource_version="+v, nil).problem(t, 422, "", `{"query": {"resource_version": ["Not a version or cursor."]}}`)
	}
}

// A client that reads more slowly than the history is forgotten is told so, and not left waiting.
func TestAWatchThatIsOvertakenByTheCompactionEndsWithAnError(t *testing.T) {
	s := start(t)
	large := s.enlarged(t, "x", 64<<10)
	from := s.version(t, apps)
	const events = 2500 // far more than the connection, the queue of the watch and the newest events hold
	for range events {
		s.put(t, "/kubernetes/applications/solar/x", large)
	}
	address, _ := s.beside(t, apiserver.Options{})
	d := dial(t, address)
	d.say(t, "GET", apps+"?watch&heartbeat=0&resource_version="+from, "")
	d.until(t, func(line string) bool { return line == "" }) // the header; nothing more is read yet
	newest, err := s.data.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.data.Compact(t.Context(), newest); err != nil {
		t.Fatal(err)
	}
	told := 0
	last := d.until(t, func(line string) bool {
		if strings.HasPrefix(line, `{"type":"MODIFIED"`) {
			told++
		}
		return strings.HasPrefix(line, `{"type":"ERROR"`)
	})
	e := parse(t, []byte(last))
	if told == 0 || told >= events || e.at("object.status") != 410.0 || !strings.HasPrefix(e.text("object.detail"), "410: Gone: ") {
		t.Errorf("after %d events: %s", told, last)
	}
	d.until(t, func(line string) bool { return line == "0" }) // the last chunk
}

func TestUnknownParametersOfAWatchAreIgnored(t *testing.T) {
	s := start(t)
	for _, query := range []string{"?watch", "?watch=", "?watch=0", "?watch=False", "?zzz=1&watch=x&limit=3", "?watch&timeout=1"} {
		w := s.watch(t, apps+query)
		s.ask(t, "POST", apps, app("x")).want(t, 200)
		w.want(t, "ADDED", "x")
		s.ask(t, "DELETE", apps+"/x?force=True", nil).want(t, 200)
		w.close()
	}
}

func TestABlockingRequestWaitsForItsObject(t *testing.T) {
	s := start(t)
	at := s.ask(t, "POST", apps+"?blocking=pending", app("now")).want(t, 200).document(t)
	if at.text("status.state") != "PENDING" {
		t.Errorf("%v", at["status"])
	}
	s.ask(t, "POST", apps+"?blocking=False", app("off")).want(t, 200)
	s.ask(t, "POST", apps+"?blocking=running", app("off")).problem(t, 409, api.TitleAlreadyExists, "Application 'off' already exists in namespace 'solar'")

	w := s.watch(t, apps+"?watch&heartbeat=0")
	answered := make(chan answer, 1)
	go func() {
		a, _ := s.send("POST", apps+"?blocking=RuNNing", app("later"))
		answered <- a
	}()
	later := w.want(t, "ADDED", "later").Object
	now := s.ask(t, "GET", apps+"/now", nil).document(t)
	s.ask(t, "PUT", apps+"/now/status", now.with("status.state", "RUNNING")).want(t, 200) // another object
	select {
	case a := <-answered:
		t.Fatalf("answered %d %s before its object ran", a.status, a.body)
	case <-time.After(100 * time.Millisecond):
	}
	s.ask(t, "PUT", apps+"/later/status", later.with("status.state", "RUNNING")).want(t, 200)
	got := (<-answered).want(t, 200).document(t)
	if got.text("metadata.name") != "later" || got.text("status.state") != "RUNNING" {
		t.Errorf("%v", got)
	}

	go func() {
		a, _ := s.send("DELETE", apps+"/later?blocking=deleted", nil)
		answered <- a
	}()
	for w.change(t).Object.text("metadata.deleted") == "" {
	}
	s.ask(t, "DELETE", apps+"/later?force=True", nil).want(t, 200)
	if got := (<-answered).want(t, 200).document(t); got.text("status.state") != "DELETED" {
		t.Errorf("%v", got["status"])
	}
	if got := s.ask(t, "DELETE", apps+"/now?force=True&blocking=deleted", nil).want(t, 200).document(t); got.text("metadata.name") != "now" {
		t.Errorf("%v", got)
	}
}
