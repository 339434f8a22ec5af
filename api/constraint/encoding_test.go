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

// A text that another server accepted is not ours to lose: it is kept to the letter and keeps everything away.
func TestStoredTextsOutsideOfTheGrammarAreKept(t *testing.T) {
	var l, same, other constraint.Label
	var m, sameM, otherM constraint.Metric
	for _, text := range []string{"location over PL", "", "location is $DE", "load > abc", "load > 1e999"} {
		for _, decode := range []func(any) error{l.DecodeStored, same.DecodeStored, m.DecodeStored, sameM.DecodeStored} {
			if err := decode(text); err != nil {
				t.Fatal(err)
			}
		}
		if err := other.DecodeStored(text + " "); err != nil {
			t.Fatal(err)
		}
		if err := otherM.DecodeStored(text + " "); err != nil {
			t.Fatal(err)
		}
		for _, c := range []interface {
			MarshalText() ([]byte, error)
			String() string
			Canonical() string
			IsZero() bool
		}{l, m} {
			if got, err := c.MarshalText(); err != nil || string(got) != text || c.String() != text || c.Canonical() != text || c.IsZero() {
				t.Errorf("%q became %q, %v", text, got, err)
			}
		}
		if l.Matches(map[string]string{"": "", "location": "PL", "load": "abc"}) || m.Matches(map[string]float64{"": 0, "load": 5}) {
			t.Errorf("%q matches something", text)
		}
		if !l.Equal(same) || l.Equal(other) || l.Equal(mustLabel(t, "a is b")) || mustLabel(t, "a is b").Equal(l) || l.Equal(constraint.Label{}) {
			t.Errorf("the label constraint %q equals what it must not, or not itself", text)
		}
		if !m.Equal(sameM) || m.Equal(otherM) || m.Equal(mustMetric(t, "a is 1")) || mustMetric(t, "a is 1").Equal(m) || m.Equal(constraint.Metric{}) {
			t.Errorf("the metric constraint %q equals what it must not, or not itself", text)
		}
	}
}

func TestStoredTextsOfTheGrammarAreParsed(t *testing.T) {
	var l constraint.Label
	var m constraint.Metric
	if err := l.DecodeStored("k=v"); err != nil || !l.Equal(mustLabel(t, "k is v")) {
		t.Errorf("got %q, %v", l, err)
	}
	if err := m.DecodeStored("k>5"); err != nil || !m.Equal(mustMetric(t, "k > 5")) {
		t.Errorf("got %q, %v", m, err)
	}
	for _, v := range []any{nil, int64(5), true, []any{"a is b"}} {
		if l.DecodeStored(v) == nil || m.DecodeStored(v) == nil {
			t.Errorf("%v was taken", v)
		}
	}
}
