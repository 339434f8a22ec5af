package constraint_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rak-n-rok/krake/api/constraint"
)

type document struct {
	Labels  []constraint.Label
	Metrics []constraint.Metric
}

func TestJSONKeepsTheTextAsWritten(t *testing.T) {
	const text = `{"Labels":["  location  ==   DE ","x in (a,b,,)"],"Metrics":["load=5.0"]}`
	var doc document
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	want := document{
		Labels:  []constraint.Label{mustLabel(t, "location is DE"), mustLabel(t, "x in (a, b)")},
		Metrics: []constraint.Metric{mustMetric(t, "load is 5")},
	}
	if diff := cmp.Diff(want, doc); diff != "" { // by Equal
		t.Error(diff)
	}
	if got, err := json.Marshal(doc); err != nil || string(got) != text {
		t.Errorf("came back as %s, %v", got, err)
	}
}

func TestJSONRefusesWhatIsNoConstraint(t *testing.T) {
	for _, text := range []string{
		`{"Labels":["location"]}`, `{"Labels":[5]}`, `{"Labels":[["a is b"]]}`, `{"Metrics":["load"]}`, `{"Metrics":[5]}`,
	} {
		if err := json.Unmarshal([]byte(text), new(document)); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}

func TestZeroConstraintsCannotBeMarshalled(t *testing.T) {
	for _, v := range []any{constraint.Label{}, constraint.Metric{}} {
		if data, err := json.Marshal(v); err == nil {
			t.Errorf("%T became %s", v, data)
		}
	}
}

func TestDecodeWireParsesStrings(t *testing.T) {
	var l constraint.Label
	if err := l.DecodeWire("k=v"); err != nil || l.String() != "k=v" {
		t.Errorf("got %q, %v", l, err)
	}
	var m constraint.Metric
	if err := m.DecodeWire("k>5"); err != nil || m.String() != "k>5" {
		t.Errorf("got %q, %v", m, err)
	}
}

func TestDecodeWireRefusesEverythingElseAndKeepsTheOldValue(t *testing.T) {
	l, m := mustLabel(t, "k is v"), mustMetric(t, "k > 5")
	for _, v := range []any{
		nil, int64(5), 1.5, true, json.Number("1e400"), []any{"a is b"}, map[string]any{"a": "is"}, "", "k",
	} {
		if err := l.DecodeWire(v); err == nil || err.Error() != "Invalid label constraint" {
			t.Errorf("label from %v: %v", v, err)
		}
		if err := m.DecodeWire(v); err == nil || err.Error() != "Invalid metric constraint" {
			t.Errorf("metric from %v: %v", v, err)
		}
	}
	if l.String() != "k is v" || m.String() != "k > 5" {
		t.Errorf("changed to %q and %q", l, m)
	}
}
