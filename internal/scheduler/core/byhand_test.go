package core

import (
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
)

func asked(to string) func(*api.Application) {
	return func(a *api.Application) { a.Status.MoveRequest = &api.MoveRequest{To: to} }
}

func paused(a *api.Application) { a.Spec.Paused = true }

func pinned(to string) func(*api.Application) {
	return func(a *api.Application) { a.Spec.Pin = to }
}

func TestAMoveThatWasAskedFor(t *testing.T) {
	claim := map[string]any{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": "files"}}
	for name, c := range map[string]struct {
		target Cluster
		edits  []func(*api.Application)
		want   string // why it stays, empty if it moves
	}{
		"to a cluster where it may be":         {on("b"), nil, ""},
		"to one that is no better":             {on("b", values(1, 0.1)), nil, ""},
		"a short while after a move":           {on("b"), edits(since("a", time.Second)), ""},
		"after a move that failed":             {on("b"), edits(heldUntil(noon.Add(time.Hour))), ""},
		"of one that is FAILED":                {on("b"), edits(inAppState(api.AppFailed)), ""},
		"of one that must not run twice":       {on("b"), edits(stopsFirst), ""},
		"to one that is cordoned":              {on("b", cordoned), nil, "the cluster is cordoned"},
		"to one that is OFFLINE":               {on("b", in(api.ClusterOffline)), nil, "the cluster is OFFLINE"},
		"to one that does not match":           {on("b"), edits(demanding(t, "tier is gold")), "lacks the label"},
		"to one that there is not":             {on("c"), nil, "there is no such cluster"},
		"of one that is fixed":                 {on("b"), edits(fixed), "its migration is switched off"},
		"of one that is paused":                {on("b"), edits(paused), "it is paused"},
		"of one that is pinned somewhere else": {on("b"), edits(pinned("a")), "the application is pinned to a"},
		"of one that moves":                    {on("b"), edits(condition(api.Migrating, api.True)), "a move is under way"},
		"of one with files":                    {on("b"), edits(made(claim)), "it has files on the claim files"},
	} {
		t.Run(name, func(t *testing.T) {
			a := application(append(edits(bound("a"), asked("b")), c.edits...)...)
			d := Obey(NewSnapshot([]Cluster{on("a", values(1, 0.9)), c.target, on("z", cordoned), on("y", cordoned)}), a, noon)
			if c.want == "" {
				if d.Outcome != Moved || d.Chosen != "b" || d.Current != "a" || d.Code != ByHand || d.Reason != "It moves from a to b, as was asked for." {
					t.Errorf("%+v", d)
				}
				return
			}
			if d.Outcome != Kept || d.Chosen != "a" || d.Code != ByHand || !strings.Contains(d.Reason, "It stays on a and does not move to b, as was asked for: ") || !strings.Contains(d.Reason, c.want) {
				t.Errorf("%+v", d)
			}
		})
	}
	a := application(bound("gone"), asked("b"))
	if d := Obey(NewSnapshot([]Cluster{on("b")}), a, noon); d.Outcome != Moved || d.Current != "gone" {
		t.Errorf("from a cluster without a record: %+v", d)
	}
}

func TestPinsAndPauses(t *testing.T) {
	three := []Cluster{on("a"), on("b"), on("c", cordoned)}
	for name, c := range map[string]struct {
		edits   []func(*api.Application)
		outcome string
		chosen  string
		code    string
		says    string
	}{
		"a first place":                 {edits(pinned("b")), Placed, "b", First, "Only b matches."},
		"where it is":                   {edits(bound("a"), pinned("a")), Kept, "a", Matches, ""},
		"somewhere else":                {edits(bound("a"), pinned("b")), Moved, "b", "pinned", "It moves from a to b: the application is pinned to b."},
		"a cluster that refuses it":     {edits(bound("a"), pinned("c")), Refused, "", Nowhere, "1 cordoned, 2 other than the one that it is pinned to; it stays on a, although the application is pinned to c"},
		"a cluster that there is not":   {edits(bound("a"), pinned("d")), Refused, "", Nowhere, "3 other than the one"},
		"one that must not move":        {edits(bound("a"), pinned("b"), fixed), Kept, "a", MigrationOff, "although the application is pinned to b"},
		"paused, and has to leave":      {edits(bound("gone"), paused), Kept, "gone", Paused, "because it is paused, although there is no such cluster any more"},
		"paused, and has never been on": {edits(paused, pinned("a")), Placed, "a", First, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := Decide(NewSnapshot(three), application(c.edits...), noon)
			if d.Outcome != c.outcome || d.Chosen != c.chosen || d.Code != c.code || !strings.Contains(d.Reason, c.says) {
				t.Errorf("%+v", d)
			}
		})
	}
	better := []Cluster{on("a", values(1, 0.1)), on("b", values(1, 0.9))}
	for code, edit := range map[string]func(*api.Application){Paused: paused, Matches: pinned("a")} {
		if v := Weigh(NewSnapshot(better), application(since("a", time.Hour), edit), Look{Rules: free, Now: noon}); v.Outcome != Kept || v.Code != code {
			t.Errorf("%s (%s): %s", v.Outcome, v.Code, v.Reason)
		}
		dead := []Cluster{on("a", silent(time.Hour)), on("b", known)}
		if v := Rescue(NewSnapshot(dead), application(since("a", time.Hour), edit), DefaultRules, noon); v.Outcome != Kept || v.Code == "" {
			t.Errorf("%s (%s): %s", v.Outcome, v.Code, v.Reason)
		}
	}
}
