//go:build chaos

package chaos

import (
	"strconv"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/go-cmp/cmp"
)

// model is a register for each object.
var model = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := make([][]porcupine.Operation, registers)
		for _, op := range history {
			i := op.Input.(input).register
			parts[i] = append(parts[i], op)
		}
		return parts
	},
	Init: func() any { return "v0" },
	Step: func(state, in, out any) (bool, any) {
		if value := in.(input).write; value != "" {
			return true, value
		}
		return out.(string) == state.(string), state
	},
}

func (h *history) check(t *testing.T) {
	t.Helper()
	written, acknowledged := map[string]bool{}, map[string]bool{}
	reads := 0
	for _, op := range h.operations {
		in := op.Input.(input)
		if in.write == "" {
			reads++
			continue
		}
		written[in.write] = true
		if op.Return != forever {
			acknowledged[in.write] = true
		}
	}
	t.Logf("%d writes acknowledged, %d of unknown fate, %d reads, %d events for each watch", len(acknowledged), h.unknown, reads, len(h.watched[0]))
	if len(acknowledged) < 200 || reads < 200 {
		t.Errorf("too little happened to prove anything")
	}
	if result := porcupine.CheckOperationsTimeout(model, h.operations, 2*time.Minute); result != porcupine.Ok {
		t.Errorf("what clients saw could not have come from one register for each object: %v", result)
	}
	h.checkEvents(t, written, acknowledged)
}

// checkEvents checks that every watch told the same, each write once and in order, and all that was acknowledged.
func (h *history) checkEvents(t *testing.T, written, acknowledged map[string]bool) {
	t.Helper()
	for i, events := range h.watched[1:] {
		if diff := cmp.Diff(h.watched[0], events, cmp.AllowUnexported(told{})); diff != "" {
			t.Errorf("watch %d told something else than watch 0: %s", i+1, diff)
		}
	}
	seen, last, values := map[string]bool{}, 0, map[int]string{}
	for _, e := range h.watched[0] {
		version, err := strconv.Atoi(e.version)
		if err != nil || version <= last {
			t.Errorf("version %s after %d", e.version, last)
		}
		last = version
		if seen[e.value] || !written[e.value] {
			t.Errorf("the event of %s; told before: %t", e.value, seen[e.value])
		}
		seen[e.value] = true
		values[e.register] = e.value
	}
	for value := range acknowledged {
		if !seen[value] {
			t.Errorf("no event of %s, which was acknowledged", value)
		}
	}
	for i, value := range values {
		if h.end[i] != value {
			t.Errorf("register %d ends with %s, the last event was of %s", i, h.end[i], value)
		}
	}
}
