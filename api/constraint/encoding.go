package constraint

import (
	"errors"
	"fmt"
)

// errZero keeps a zero constraint out of the store, where nothing could read it back.
var errZero = errors.New("constraint: the zero value has no text")

// MarshalText returns the text as it was written; in JSON a constraint is that string. The zero value is an error.
func (l Label) MarshalText() ([]byte, error) {
	if l.IsZero() {
		return nil, errZero
	}
	return []byte(l.text), nil
}

// UnmarshalText parses the text. On an error, those of ParseLabel, l stays as it was.
func (l *Label) UnmarshalText(text []byte) error { return l.DecodeWire(string(text)) }

// DecodeWire parses a value of a decoded JSON document; one that is no string is a *SyntaxError. On an error l stays
// as it was.
func (l *Label) DecodeWire(v any) error {
	text, ok := v.(string)
	if !ok {
		return notText("label", v)
	}
	parsed, err := ParseLabel(text)
	if err != nil {
		return err
	}
	*l = parsed
	return nil
}

// DecodeStored is DecodeWire for what is stored. A text that the grammar refuses, but that of the server that stored it did
// not, is kept as it is, as a constraint that matches nothing.
func (l *Label) DecodeStored(v any) error {
	text, ok := v.(string)
	if !ok {
		return notText("label", v)
	}
	parsed, err := ParseLabel(text)
	if err != nil {
		parsed = Label{text: text, unread: true}
	}
	*l = parsed
	return nil
}

// MarshalText returns the text as it was written; in JSON a constraint is that string. The zero value is an error.
func (m Metric) MarshalText() ([]byte, error) {
	if m.IsZero() {
		return nil, errZero
	}
	return []byte(m.text), nil
}

// UnmarshalText parses the text. On an error, those of ParseMetric, m stays as it was.
func (m *Metric) UnmarshalText(text []byte) error { return m.DecodeWire(string(text)) }

// DecodeWire parses a value of a decoded JSON document; one that is no string is a *SyntaxError. On an error m stays
// as it was.
func (m *Metric) DecodeWire(v any) error {
	text, ok := v.(string)
	if !ok {
		return notText("metric", v)
	}
	parsed, err := ParseMetric(text)
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

// DecodeStored is DecodeWire for what is stored, as for labels.
func (m *Metric) DecodeStored(v any) error {
	text, ok := v.(string)
	if !ok {
		return notText("metric", v)
	}
	parsed, err := ParseMetric(text)
	if err != nil {
		parsed = Metric{text: text, unread: true}
	}
	*m = parsed
	return nil
}

// notText refuses what is no string. The reference parses the printed form of such a value instead, which always
// fails: numbers and booleans lack an operator, lists and objects begin with a bracket that no key may contain.
func notText(language string, v any) error {
	return &SyntaxError{Language: language, Text: fmt.Sprint(v)}
}
