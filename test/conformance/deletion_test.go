package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

func TestAWayOfDeletionIsStoredOutOfReachOfOldWriters(t *testing.T) {
	for _, way := range api.ClusterKind.Deletions {
		s := start(t)
		s.ask(t, "POST", clusters, cluster).want(t, 200)
		marked := s.ask(t, "DELETE", clusters+"/x?"+way.Parameter()+"=true", nil).want(t, 200).document(t)
		check := func(what string, d document) {
			t.Helper()
			if d.text("metadata.deletion") != string(way) || d.at("metadata.deleted") == nil {
				t.Errorf("%s after %s: %v", way, what, d.at("metadata"))
			}
		}
		check("DELETE", marked)
		old := stripped(t, "Cluster", marked)
		check("PUT", s.ask(t, "PUT", clusters+"/x", old.with("metadata.labels", document{"a": "b"})).want(t, 200).document(t))
		check("PUT status", s.ask(t, "PUT", clusters+"/x/status", old).want(t, 200).document(t))
		check("PUT with another", s.ask(t, "PUT", clusters+"/x", marked.with("metadata.deletion", "")).want(t, 200).document(t))
		check("PATCH", s.ask(t, "PATCH", clusters+"/x", `{"metadata":{"deletion":null,"labels":{"c":"d"}}}`).want(t, 200).document(t))
		check("another DELETE", s.ask(t, "DELETE", clusters+"/x?"+way.Parameter()+"=True", nil).want(t, 200).document(t))
	}
}

func TestSwitchesOfAClusterSurviveOldWriters(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", clusters, cluster).want(t, 200)
	d := s.ask(t, "PATCH", clusters+"/x", `{"spec":{"unschedulable":true,"drain":true}}`).want(t, 200).document(t)
	if d.at("metadata.generation") != 2.0 {
		t.Errorf("generation %v", d.at("metadata.generation"))
	}
	got := s.ask(t, "PUT", clusters+"/x", stripped(t, "Cluster", d).with("metadata.labels", document{"a": "b"})).want(t, 200).document(t)
	if got.at("spec.unschedulable") != true || got.at("spec.drain") != true {
		t.Errorf("an old writer has set them: %v", got.at("spec"))
	}
}

func TestWaysOfDeletionExcludeEachOther(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", clusters, cluster).want(t, 200)
	s.ask(t, "DELETE", clusters+"/x?evacuate=maybe", nil).problem(t, 422, "", `{"query": {"evacuate": ["Not a valid boolean."]}}`)
	s.ask(t, "DELETE", clusters+"/x?evacuate=true&keep_workloads=true", nil).
		problem(t, 422, "", `{"query": {"keep_workloads": ["Not possible together with evacuate."]}}`)
	s.ask(t, "DELETE", clusters+"/x?keep_workloads=true&force=True", nil).
		problem(t, 422, "", `{"query": {"keep_workloads": ["Not possible with force, which removes the record alone."]}}`)
	d := s.ask(t, "DELETE", clusters+"/x?evacuate=false&keep_workloads=0", nil).want(t, 200).document(t)
	if d.at("metadata.deletion") != nil || !slices.Equal(d.at("metadata.finalizers").([]any), []any{"cascade_deletion"}) {
		t.Errorf("a plain deletion: %v", d.at("metadata"))
	}
	s.ask(t, "DELETE", clusters+"/x?evacuate=true", nil).problem(t, 409, api.TitleUpdate,
		"The deletion is under way without evacuate; what has begun cannot be taken back.")
	s.ask(t, "DELETE", clusters+"/x?force=True", nil).want(t, 200)
}

// What knows no such way is deleted as ever, whatever the parameters.
func TestOtherKindsKnowNoWaysOfDeletion(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", "/core/roles", `{"metadata":{"name":"x"},"rules":[]}`).want(t, 200)
	d := s.ask(t, "DELETE", "/core/roles/x?evacuate=true&keep_workloads=maybe", nil).want(t, 200).document(t)
	if d.at("metadata.deletion") != nil {
		t.Errorf("%v", d.at("metadata"))
	}
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	if d := s.ask(t, "DELETE", apps+"/x?evacuate=true", nil).want(t, 200).document(t); d.at("metadata.deletion") != nil {
		t.Errorf("%v", d.at("metadata"))
	}
}

// By force, an application that was to leave its objects behind leaves what is left of them to be let go.
func TestForceRemovesNoObjectThatWasToStay(t *testing.T) {
	s := start(t)
	s.ask(t, "POST", apps, app("x")).want(t, 200)
	s.ask(t, "PUT", apps+"/x/inventory", inventory).want(t, 200)
	s.ask(t, "DELETE", apps+"/x?keep_workloads=true", nil).want(t, 200)
	s.ask(t, "DELETE", apps+"/x?force=True", nil).want(t, 200)
	items := s.ask(t, "GET", leftovers, nil).want(t, 200).document(t)["items"].([]any)
	if len(items) != 2 {
		t.Fatalf("%d leftovers", len(items))
	}
	for _, item := range items {
		d := document(item.(map[string]any))
		if d.at("spec.keep") != true || !strings.HasSuffix(d.text("metadata.name"), ".kept") {
			t.Errorf("%s: %v", d.text("metadata.name"), d.at("spec"))
		}
	}
}
