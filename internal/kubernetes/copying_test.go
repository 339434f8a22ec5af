package kubernetes

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

func TestCopyingEndsWithItsRun(t *testing.T) {
	var c copying
	over := make(chan string, 10)
	waits := func(ctx context.Context, _ *copyJob) error { <-ctx.Done(); return ctx.Err() }
	c.begin("u", "pod", waits, func() { over <- "none" })
	if c.get("u", "pod") != nil {
		t.Error("it has begun between runs")
	}
	run, stop := context.WithCancel(t.Context())
	c.open(run)
	c.begin("u", "pod", waits, func() { over <- "first" })
	first := c.get("u", "pod")
	if first == nil || first.hasEnded() || c.get("u", "pod of another attempt") != nil || c.get("v", "pod") != nil {
		t.Fatalf("it runs as %+v", first)
	}
	c.begin("u", "next", waits, func() { over <- "next" }) // which ends the one before
	if got := <-over; got != "first" || !first.hasEnded() || !errors.Is(first.err, context.Canceled) {
		t.Errorf("%s is over, %v", got, first.err)
	}
	stop()
	c.close()
	if got := <-over; got != "next" {
		t.Errorf("%s is over", got)
	}
	c.begin("u", "late", waits, func() { over <- "late" })
	if c.get("u", "late") != nil || len(over) > 0 {
		t.Error("it has begun after the run")
	}
}

func TestProgressIsWhatHasGoneThrough(t *testing.T) {
	job := &copyJob{}
	if job.getsOn() {
		t.Error("nothing is progress")
	}
	if _, err := io.Copy(job.counted(io.Discard), strings.NewReader("files")); err != nil || !job.getsOn() || job.getsOn() {
		t.Errorf("%d bytes, %v", job.moved.Load(), err)
	}
}

// Of two things that depend on each other the error counts with which it began, whoever returns first.
func TestTheErrorThatCountsIsTheFirstCause(t *testing.T) {
	noRoom := errors.New("no room")
	for name, consequence := range map[string]error{"a pipe": io.ErrClosedPipe, "the end of it all": context.Canceled} {
		first := make(chan struct{})
		err := both(t.Context(),
			func(context.Context) error { defer close(first); return consequence },
			func(context.Context) error { <-first; return noRoom })
		if !errors.Is(err, noRoom) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := both(t.Context(), func(context.Context) error { return context.Canceled }); !errors.Is(err, context.Canceled) {
		t.Errorf("what was ended is said to be done: %v", err)
	}
	if err := both(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestTheClaimsOfTemplatesAreMadeAsTheirSetWouldMakeThem(t *testing.T) {
	m := api.Manifest{{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": map[string]any{"name": "db", "namespace": "solar"},
		"spec": map[string]any{
			"selector": map[string]any{"matchLabels": map[string]any{"app": "db"}},
			"volumeClaimTemplates": []any{map[string]any{
				"metadata": map[string]any{"name": "data", "labels": map[string]any{"kind": "data"}},
				"spec":     map[string]any{"storageClassName": "fast", "resources": map[string]any{"requests": map[string]any{"storage": "1Gi"}}},
			}}}},
		{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": "own"}}}
	made := fromTemplates(m, []api.MovedVolume{{Claim: "data-db-3", Size: "5Gi"}, {Claim: "own"}, {Claim: "data-other-0"}})
	if len(made) != 1 {
		t.Fatalf("made are %v", made)
	}
	metadata, spec := mapIn(made[0], "metadata"), mapIn(made[0], "spec")
	labels := mapIn(metadata, "labels")
	if metadata["name"] != "data-db-3" || metadata["namespace"] != "solar" || labels["app"] != "db" || labels["kind"] != "data" ||
		spec["storageClassName"] != "fast" || mapIn(spec, "resources", "requests")["storage"] != "5Gi" {
		t.Errorf("made is %v", made[0])
	}
	template := m[0]["spec"].(map[string]any)["volumeClaimTemplates"].([]any)[0].(map[string]any)
	if mapIn(template, "spec", "resources", "requests")["storage"] != "1Gi" || len(mapIn(template, "metadata", "labels")) != 1 {
		t.Error("the manifest was changed")
	}
}

func TestWhatFilesGoWith(t *testing.T) {
	object := func(kind, namespace, name, uid string) api.InventoryObject {
		return api.InventoryObject{Cluster: "c", Kind: kind, Namespace: namespace, Name: name, UID: uid}
	}
	all := []api.InventoryObject{
		object("Namespace", "", "solar", "1"), object("Namespace", "", "wind", "2"), object("PersistentVolume", "", "disk", "3"),
		object(claimKind, "solar", "files", "4"), object(claimKind, "wind", "announced", ""), object("ConfigMap", "solar", "c", "5"),
	}
	var names []string
	for _, o := range holdsFiles(all) {
		names = append(names, o.Name)
	}
	if got := strings.Join(names, " "); got != "solar disk files" {
		t.Errorf("kept are %s", got)
	}
	if kept := holdsFiles(all[:3]); kept != nil {
		t.Errorf("without a claim kept are %v", kept)
	}
}
