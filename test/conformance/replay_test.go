package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

// writes are the requests of a check about sequences of writes: on few objects, so that they meet.
var writes = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) write {
	return write{
		name: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"),
		op:   rapid.SampledFrom([]string{"create", "create", "update", "patch", "status", "delete", "finish", "force"}).Draw(t, "operation"),
	}
}), 1, 12)

type write struct{ name, op string }

// apply carries a write out, whether it is refused or not.
func (w write) apply(t *rapid.T, s *server, k *api.Kind, namespace string, body document, i int) {
	object := k.Path(namespace, w.name)
	current := func() document { return s.ask(t, "GET", object, nil).document(t) }
	switch w.op {
	case "create":
		s.ask(t, "POST", k.Path(namespace, ""), body.with("metadata.name", w.name))
	case "update":
		if c := current(); c["metadata"] != nil {
			s.ask(t, "PUT", object, c.with("metadata.labels", document{"step": fmt.Sprint(i)}))
		}
	case "patch":
		s.ask(t, "PATCH", object, document{"metadata": document{"labels": document{"step": fmt.Sprint(i)}}})
	case "status":
		s.ask(t, "PATCH", object+"/status", document{"status": drawStatus(t, k)})
	case "delete":
		s.ask(t, "DELETE", object, nil)
	case "finish":
		s.ask(t, "PATCH", object, `{"metadata":{"finalizers":[]}}`)
	case "force":
		s.ask(t, "DELETE", object+"?force=True", nil)
	}
}

func TestTheEventsOfAWatchReplayedGiveTheList(t *testing.T) {
	replayEqualsList(t, func(*rapid.T) string { return "" })
}

// Objects enter and leave a selection while it is watched; what was replayed is what a list of the selection has.
func TestTheEventsOfASelectionReplayedGiveItsList(t *testing.T) {
	replayEqualsList(t, func(rt *rapid.T) string {
		return "&" + encoded(rapid.SampledFrom([]string{
			"label_selector=step in (1, 3, 5, end)", "field_selector=metadata.deleted=", "field_selector=metadata.name!=a",
		}).Draw(rt, "selection"))
	})
}

// replayEqualsList compares, for every kind and any sequence of writes, what two watches told with what a list has in the
// end. selection draws parameters for all of them.
func replayEqualsList(t *testing.T, selection func(rt *rapid.T) string) {
	s := start(t)
	for _, k := range api.Kinds {
		t.Run(k.Name, func(t *testing.T) {
			body := rapid.Custom(func(t *rapid.T) document { return drawBody(t, k, "x") }).Example(2).without("metadata.finalizers")
			rapid.Check(t, func(rt *rapid.T) {
				namespace := namespaceOf(k, fresh())
				collection, query := k.Path(namespace, ""), selection(rt)
				before := s.ask(rt, "GET", collection+"?"+query, nil).want(rt, 200).document(rt)
				plain := s.watch(t, collection+"?watch&heartbeat=0"+query)
				resumed := s.watch(t, collection+"?watch&heartbeat=0&resource_version="+before.text("metadata.resource_version")+query)
				defer plain.close()
				defer resumed.close()
				for i, w := range writes.Draw(rt, "writes") {
					w.apply(rt, s, k, namespace, body, i)
				}
				end := fresh()
				last := body.with("metadata.name", end).with("metadata.labels", document{"step": "end"}) // which every selection wants
				s.ask(rt, "POST", collection, last).want(rt, 200)
				want := byName(s.ask(rt, "GET", collection+"?"+query, nil).want(rt, 200).document(rt))
				for _, w := range []*stream{plain, resumed} {
					same(rt, "the replayed events", want, w.replay(rt, byName(before), end))
				}
				s.ask(rt, "DELETE", k.Path(namespace, end)+"?force=True", nil)
			})
		})
	}
}

func byName(list document) map[string]document {
	out := map[string]document{}
	for _, item := range list["items"].([]any) {
		o := document(item.(map[string]any))
		out[o.text("metadata.name")] = o
	}
	return out
}

// replay applies events to objects until one is added that has the name end.
func (w *stream) replay(t *rapid.T, objects map[string]document, end string) map[string]document {
	last := 0
	for {
		e := w.change(t)
		name := e.Object.text("metadata.name")
		_, exists := objects[name]
		if exists != (e.Type != "ADDED") {
			t.Errorf("%s of %s, which exists: %t", e.Type, name, exists)
		}
		if version, err := strconv.Atoi(e.Object.text("metadata.resource_version")); err != nil || version <= last {
			t.Errorf("version %s after %d", e.Object.text("metadata.resource_version"), last)
		} else {
			last = version
		}
		switch e.Type {
		case "ADDED", "MODIFIED":
			objects[name] = e.Object
		case "DELETED":
			delete(objects, name)
		default:
			t.Fatalf("got %v", e)
		}
		if name == end {
			return objects
		}
	}
}

// The records that hold what is left of others must come and go with them, however often that happens.
func TestEveryRemovedApplicationLeavesWhatItHad(t *testing.T) {
	s := start(t)
	rapid.Check(t, func(t *rapid.T) {
		namespace, want := fresh(), []string{}
		for i := range rapid.IntRange(1, 4).Draw(t, "applications") {
			path := "/kubernetes/namespaces/" + namespace + "/applications"
			s.ask(t, "POST", path, app("x")).want(t, 200)
			for _, cluster := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"id-1", "id-2", "id-3"}), 0, 3, rapid.ID).Draw(t, "clusters") {
				held := s.ask(t, "GET", path+"/x/inventory", nil).want(t, 200).document(t)
				objects, _ := held.at("content.objects").([]any)
				objects = append(objects, document{"cluster": cluster, "kind": "ConfigMap", "name": fmt.Sprint("o", i)})
				s.ask(t, "PUT", path+"/x/inventory", document{"objects": objects}, "If-Match", `"`+held.text("metadata.resource_version")+`"`).want(t, 200)
				want = append(want, fmt.Sprint(cluster, " o", i))
			}
			s.ask(t, "DELETE", path+"/x?force=True", nil).want(t, 200)
		}
		got := []string{}
		for _, item := range s.ask(t, "GET", "/kubernetes/namespaces/"+namespace+"/leftovers", nil).want(t, 200).document(t)["items"].([]any) {
			l := document(item.(map[string]any))
			for _, o := range l.at("spec.objects").([]any) {
				got = append(got, l.text("spec.identity")+" "+document(o.(map[string]any)).text("name"))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		same(t, "what is left", want, got)
	})
}
