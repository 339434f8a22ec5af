package conformance

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/test/conformance/closed"
)

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "rapid.checks" })
	if !chosen { // a check is several requests; -rapid.checks makes it more
		_ = flag.Set("rapid.checks", "12")
	}
	_ = flag.Set("rapid.nofailfile", "true")
	os.Exit(m.Run())
}

var names atomic.Int64

// fresh returns a name that no other check uses.
func fresh() string { return fmt.Sprint("n", names.Add(1)) }

// namespaceOf is the namespace in which a check works with a kind.
func namespaceOf(k *api.Kind, namespace string) string {
	if k.Namespaced {
		return namespace
	}
	return ""
}

// forEveryKind runs a property for every kind on one server.
func forEveryKind(t *testing.T, property func(t *rapid.T, s *server, k *api.Kind)) {
	s := start(t)
	for _, k := range api.Kinds {
		t.Run(k.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { property(t, s, k) })
		})
	}
}

// includes says where want has something that got has not; objects may have more keys.
func includes(path string, want, got any) string {
	if w, ok := want.(map[string]any); ok {
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: %v became %v", path, want, got)
		}
		for key := range w {
			if problem := includes(path+"."+key, w[key], g[key]); problem != "" {
				return problem
			}
		}
		return ""
	}
	if w, ok := want.([]any); ok {
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s: %v became %v", path, want, got)
		}
		for i := range w {
			if problem := includes(fmt.Sprintf("%s[%d]", path, i), w[i], g[i]); problem != "" {
				return problem
			}
		}
		return ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return path + ": " + diff
	}
	return ""
}

func TestWhatIsCreatedIsWhatIsRead(t *testing.T) {
	forEveryKind(t, func(t *rapid.T, s *server, k *api.Kind) {
		name := fresh()
		collection, object := k.Path(namespaceOf(k, "solar"), ""), k.Path(namespaceOf(k, "solar"), name)
		sent := drawBody(t, k, name)
		created := s.ask(t, "POST", collection, sent).want(t, 200).document(t)
		if problem := includes("", map[string]any(sent.copy()), map[string]any(created)); problem != "" {
			t.Errorf("what was sent is not what came back: %s", problem)
		}
		same(t, "the object", created, s.ask(t, "GET", object, nil).want(t, 200).document(t))
		if k.Status && created["status"] == nil || created.text("metadata.created") != created.text("metadata.modified") {
			t.Errorf("%v", created)
		}
		s.ask(t, "POST", collection, sent).want(t, 409)
	})
}

func TestAnUpdateThatChangesNothingSaysSo(t *testing.T) {
	forEveryKind(t, func(t *rapid.T, s *server, k *api.Kind) {
		name := fresh()
		object := k.Path(namespaceOf(k, "solar"), name)
		s.ask(t, "POST", k.Path(namespaceOf(k, "solar"), ""), drawBody(t, k, name)).want(t, 200)
		if k.Status {
			s.ask(t, "PATCH", object+"/status", document{"status": drawStatus(t, k)}).want(t, 200)
		}
		before := s.ask(t, "GET", object, nil).want(t, 200)
		bodies := []any{before.document(t), string(before.body)}
		if closed.Known(k.Name) {
			bodies = append(bodies, stripped(t, k.Name, before.document(t)))
		}
		for _, body := range bodies {
			got := s.ask(t, "PUT", object, body)
			if k.QuietUpdate {
				same(t, "the answer", before.document(t), got.want(t, 200).document(t))
			} else {
				got.problem(t, 400, api.TitleUpdate, "The body contained no update.")
			}
		}
		same(t, "the patched object", before.document(t), s.ask(t, "PATCH", object, "{}").want(t, 200).document(t))
		same(t, "the object", before.document(t), s.ask(t, "GET", object, nil).want(t, 200).document(t))
	})
}

func TestAStatusIsReadAsItWasWritten(t *testing.T) {
	forEveryKind(t, func(t *rapid.T, s *server, k *api.Kind) {
		if !k.Status {
			return
		}
		name := fresh()
		object := k.Path(namespaceOf(k, "solar"), name)
		created := s.ask(t, "POST", k.Path(namespaceOf(k, "solar"), ""), drawBody(t, k, name)).want(t, 200).document(t)
		sent := created.with("status", drawStatus(t, k)).without("status.conditions") // from which the state would be computed
		got := s.ask(t, "PUT", object+"/status", sent).want(t, 200).document(t)
		if problem := includes("status", map[string]any(sent.copy())["status"], got["status"]); problem != "" {
			t.Errorf("what was sent is not what came back: %s", problem)
		}
		same(t, "the rest", without(created, "owners"), without(got, "owners")) // computed from the status
	})
}

// without returns an object without its status, version and one field of its metadata.
func without(d document, field string) document {
	return d.without("status").without("metadata.resource_version").without("metadata." + field)
}

func TestListsAreInTheByteOrderOfTheirKeys(t *testing.T) {
	letter := rapid.SampledFrom([]string{"a", "A", "b", "0", "_"})
	inner := rapid.SampledFrom([]string{"a", "A", "-", ".", ":", "_", "0"})
	name := rapid.Custom(func(t *rapid.T) string {
		middle := strings.Join(rapid.SliceOfN(inner, 0, 2).Draw(t, "middle"), "")
		return letter.Draw(t, "first") + middle + letter.Draw(t, "last")
	})
	s := start(t)
	for _, k := range api.Kinds {
		t.Run(k.Name, func(t *testing.T) {
			body := rapid.Custom(func(t *rapid.T) document { return drawBody(t, k, "x") }).Example(1)
			known := map[string]bool{}
			rapid.Check(t, func(t *rapid.T) {
				namespace := namespaceOf(k, name.Draw(t, "namespace"))
				key := k.Key(namespace, name.Draw(t, "name"))
				if !known[key] {
					known[key] = true
					s.ask(t, "POST", k.Path(namespace, ""), body.with("metadata.name", key[strings.LastIndex(key, "/")+1:])).want(t, 200)
				}
				var got []string
				for _, item := range s.ask(t, "GET", k.Path("", ""), nil).want(t, 200).document(t)["items"].([]any) {
					o := document(item.(map[string]any))
					got = append(got, k.Key(o.text("metadata.namespace"), o.text("metadata.name")))
				}
				if want := slices.Sorted(maps.Keys(known)); !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			})
		})
	}
}
