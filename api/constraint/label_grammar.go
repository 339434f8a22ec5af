package constraint

// labelDelims end a key or value of a label constraint. Angle brackets do not: "location>" is a key, and refused as
// one.
const labelDelims = " ,()=!"

// labelGrammar lists the spellings of each operator in the order in which they are tried. The order decides texts
// with two readings: "location isnotDE" is equality with "notDE", since equality comes first.
var labelGrammar = [...]struct {
	op        LabelOp
	spellings []spelling
}{
	{LabelEqual, []spelling{{"=="}, {"="}, {"is"}}},
	{LabelNotEqual, []spelling{{"!="}, {"is", "not"}}},
	{LabelIn, []spelling{{"in"}}},
	{LabelNotIn, []spelling{{"not", "in"}}},
}

// ParseLabel reads a label constraint by the grammar of section 3.6.1 of the specification. The error is a
// *SyntaxError, or a *PatternError for a malformed key or value.
func ParseLabel(text string) (Label, error) {
	l, ok := scanLabel(text)
	if !ok {
		return Label{}, &SyntaxError{Language: "label", Text: text}
	}
	if err := l.check(); err != nil {
		return Label{}, err
	}
	return l, nil
}

// scanLabel takes the first alternative that uses up the whole text. Keys and values come unchecked.
func scanLabel(text string) (Label, bool) {
	c := cursor{rest: text, delims: labelDelims}
	key, ok := c.token()
	if !ok {
		return Label{}, false
	}
	for _, rule := range labelGrammar {
		for _, words := range rule.spellings {
			if values, ok := c.labelOperand(words, rule.op); ok {
				return Label{text: text, key: key, op: rule.op, values: values}, true
			}
		}
	}
	return Label{}, false
}

// labelOperand reads an operator, what follows it, and the end of the text.
func (c cursor) labelOperand(words spelling, op LabelOp) ([]string, bool) {
	if !c.spelled(words) {
		return nil, false
	}
	if op.takesList() {
		values, ok := c.list()
		return values, ok && c.atEnd()
	}
	value, ok := c.token()
	if !ok || !c.atEnd() {
		return nil, false
	}
	return []string{value}, true
}

// list reads values in parentheses. Commas may be repeated before the closing parenthesis, but not between values.
func (c *cursor) list() ([]string, bool) {
	if !c.literal("(") {
		return nil, false
	}
	var values []string
	for {
		value, ok := c.token()
		if !ok {
			return nil, false
		}
		values = append(values, value)
		commas := 0
		for c.literal(",") {
			commas++
		}
		if c.literal(")") {
			return values, true
		}
		if commas != 1 {
			return nil, false
		}
	}
}
