package constraint

import (
	"fmt"
	"slices"
	"strings"
)

// A LabelOp is the relation that a label constraint demands. It prints as its canonical word.
type LabelOp uint8

// The relations. All of them, the negative ones too, demand that the label exists. Their order is the order in which
// the parser tries them.
const (
	LabelEqual    LabelOp = iota + 1 // the label has the value
	LabelNotEqual                    // the label has another value
	LabelIn                          // the label has one of the values
	LabelNotIn                       // the label has none of the values
)

func (op LabelOp) String() string {
	switch op {
	case LabelEqual:
		return "is"
	case LabelNotEqual:
		return "is not"
	case LabelIn:
		return "in"
	case LabelNotIn:
		return "not in"
	}
	return fmt.Sprintf("LabelOp(%d)", uint8(op))
}

func (op LabelOp) takesList() bool { return op == LabelIn || op == LabelNotIn }

// A Label is a constraint on one label of a candidate. It is immutable and safe for concurrent use. The zero value is
// no constraint: it matches nothing, prints as the empty text and cannot be marshalled. Use NewLabel or ParseLabel.
type Label struct {
	text   string
	key    string
	op     LabelOp
	values []string
	unread bool // there is a text only, outside of the grammar
}

// NewLabel makes a label constraint without a text; its canonical text takes that place. The operators for equality
// take exactly one value, the others at least one. A malformed key or value is a *PatternError.
func NewLabel(key string, op LabelOp, values ...string) (Label, error) {
	switch {
	case op < LabelEqual || op > LabelNotIn:
		return Label{}, fmt.Errorf("label constraint on %q: unknown operator %v", key, op)
	case len(values) == 0 || len(values) > 1 && !op.takesList():
		return Label{}, fmt.Errorf("label constraint on %q: operator %q with %d values", key, op, len(values))
	}
	l := Label{key: key, op: op, values: slices.Clone(values)}
	if err := l.check(); err != nil {
		return Label{}, err
	}
	l.text = l.Canonical()
	return l, nil
}

// check tests the parts that a parse or a caller supplied. The key is judged first, then the values in their order.
func (l Label) check() error {
	if err := CheckKey(l.key); err != nil {
		return err
	}
	for _, v := range l.values {
		if err := CheckValue(v); err != nil {
			return err
		}
	}
	return nil
}

// Key returns the name of the label.
func (l Label) Key() string { return l.key }

// Op returns the relation between the label and the values.
func (l Label) Op() LabelOp { return l.op }

// Values returns a copy of the values in the order in which they were written.
func (l Label) Values() []string { return slices.Clone(l.values) }

// IsZero says whether l is the zero value.
func (l Label) IsZero() bool { return l.op == 0 && !l.unread }

// Matches says whether a candidate with these labels satisfies the constraint. A candidate without the label never
// does, whatever the operator.
func (l Label) Matches(labels map[string]string) bool {
	value, found := labels[l.key]
	if !found {
		return false
	}
	switch l.op {
	case LabelEqual, LabelIn:
		return slices.Contains(l.values, value)
	case LabelNotEqual, LabelNotIn:
		return !slices.Contains(l.values, value)
	}
	return false
}

// Equal says whether two constraints have the same operator, key and values; order and repetition of the values
// count, spelling does not. An update that changes only spelling is no update (specification, section 3.6.1). Texts that
// were not understood are equal when they are the same.
func (l Label) Equal(other Label) bool {
	if l.unread || other.unread {
		return l.unread == other.unread && l.text == other.text
	}
	return l.op == other.op && l.key == other.key && slices.Equal(l.values, other.values)
}

// String returns the text as it was written.
func (l Label) String() string { return l.text }

// Canonical returns the one text that all constraints equal to l share. It parses to a constraint equal to l, if its
// text was understood.
func (l Label) Canonical() string {
	if l.op == 0 {
		return l.text
	}
	values := strings.Join(l.values, ", ")
	if l.op.takesList() {
		values = "(" + values + ")"
	}
	return l.key + " " + l.op.String() + " " + values
}
