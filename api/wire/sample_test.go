package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api/wire"
)

// A station is a resource that has at least one field for every rule of the wire.
type station struct {
	Metadata stationMetadata `json:"metadata" wire:"required"`
	Spec     stationSpec     `json:"spec" wire:"required"`
	Status   stationStatus   `json:"status" wire:"sub"`
}

type stationMetadata struct {
	Name    string  `json:"name" wire:"required,im"`
	Zone    *string `json:"zone" wire:"im"`
	UID     string  `json:"uid" wire:"required,ro"`
	Retired *string `json:"retired" wire:"ro"`
	Version string  `json:"version" wire:"server"`
	Notes   []note  `json:"notes" wire:"added"`
}

type note struct {
	Text string `json:"text" wire:"required"`
	Loud bool   `json:"loud"`
}

type stationSpec struct {
	Height  int64            `json:"height" wire:"default=2"`
	Share   float64          `json:"share" wire:"default=0.5"`
	Active  bool             `json:"active" wire:"default=true"`
	Owner   *string          `json:"owner"`
	Colour  colour           `json:"colour" wire:"default=RED"`
	Tags    []string         `json:"tags"`
	Rules   []string         `json:"rules" wire:"null"`
	Weights map[string]int64 `json:"weights"`
	Free    map[string]any   `json:"free"`
	Site    site             `json:"site"`
	Source  *source          `json:"source"`
	Mood    mood             `json:"mood" wire:"added"`
}

type site struct {
	Low  int64  `json:"low"`
	High int64  `json:"high"`
	Hint string `json:"hint" wire:"added,default=none"`
}

// CheckWire is a rule about two fields at once.
func (s *site) CheckWire(e *wire.Errors) {
	if s.Low > s.High {
		e.AddSchema("low is above high")
	}
}

type stationStatus struct {
	Phase string  `json:"phase" wire:"default=new"`
	Lock  *string `json:"lock" wire:"im"`
	Found []note  `json:"found" wire:"added"`
}

type colour string

func (colour) Members() []string { return []string{"RED", "GREEN"} }

// A source is a polymorphic container.
type source struct {
	Type   string  `json:"type" wire:"discriminator"`
	Well   *well   `json:"well" wire:"variant"`
	Spring *spring `json:"spring" wire:"variant"`
}

type well struct {
	Depth int64  `json:"depth" wire:"required"`
	Name  string `json:"name" wire:"default=old"`
}

type spring struct {
	Flows map[string]float64 `json:"flows" wire:"required"`
}

// MarshalJSON writes the discriminator and the alternative that it names.
func (s source) MarshalJSON() ([]byte, error) {
	out := map[string]any{"type": s.Type}
	switch s.Type {
	case "well":
		out["well"] = s.Well
	case "spring":
		out["spring"] = s.Spring
	}
	return json.Marshal(out)
}

// A mood reads itself, and tells null from absent.
type mood struct {
	text string
}

func (m mood) MarshalJSON() ([]byte, error) { return json.Marshal(m.text) }
func (m mood) Equal(o mood) bool            { return strings.EqualFold(m.text, o.text) }

// DecodeNull notes that nothing was said on purpose.
func (m *mood) DecodeNull() { m.text = "silent" }

// DecodeWire takes words only.
func (m *mood) DecodeWire(v any) error {
	s, ok := v.(string)
	switch {
	case !ok:
		errs := &wire.Errors{}
		errs.At("word").Add("Not a mood.")
		return errs
	case strings.Contains(s, " "):
		return wire.Message("More than one word.")
	}
	m.text = s
	return nil
}

// DecodeStored takes any text.
func (m *mood) DecodeStored(v any) error {
	s, ok := v.(string)
	if !ok {
		return wire.Message("Not a mood.")
	}
	m.text = s
	return nil
}

// tree parses a document that is part of a test.
func tree(t testing.TB, text string) any {
	t.Helper()
	doc, err := wire.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return doc
}

// encoded gives the JSON text of a value in one form: keys sorted, no blanks.
func encoded(t testing.TB, v any) string {
	t.Helper()
	doc, err := wire.Tree(v)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// stationOf decodes a station from a stored document.
func stationOf(t testing.TB, text string) *station {
	t.Helper()
	s := &station{}
	if err := wire.Decode(tree(t, text), s, wire.Stored); err != nil {
		t.Fatal(err)
	}
	return s
}
