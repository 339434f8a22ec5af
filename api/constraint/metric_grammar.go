package constraint

// metricDelims end a key or value of a metric constraint. The reference lets keys swallow angle brackets, only to
// refuse them afterwards; ending there instead admits "load>=5" and changes the meaning of no text that the reference
// accepts.
const metricDelims = labelDelims + "<>"

// metricGrammar lists the spellings of each operator in the order in which they are tried. "less than" and "equal to"
// are ours, everything else is the reference's. The plain "equal" stays before "equal to" for the same reason as all
// of the order: where the reference has a reading, that reading wins.
var metricGrammar = [...]struct {
	op        MetricOp
	spellings []spelling
}{
	{MetricEqual, []spelling{{"=="}, {"="}, {"is"}}},
	{MetricNotEqual, []spelling{{"!="}, {"is", "not"}}},
	{MetricGreater, []spelling{{">"}, {"gt"}, {"greater", "than"}}},
	{MetricGreaterOrEqual, []spelling{
		{">="}, {"=>"}, {"gte"},
		{"greater", "than", "or", "equal"},
		{"greater", "than", "or", "equal", "to"},
	}},
	{MetricLesser, []spelling{{"<"}, {"lt"}, {"lesser", "than"}, {"less", "than"}}},
	{MetricLesserOrEqual, []spelling{
		{"<="}, {"=<"}, {"lte"},
		{"lesser", "than", "or", "equal"}, {"less", "than", "or", "equal"},
		{"lesser", "than", "or", "equal", "to"}, {"less", "than", "or", "equal", "to"},
	}},
}

// ParseMetric reads a metric constraint by the grammar of section 3.6.2 of the specification. The error is a
// *SyntaxError, a *PatternError for a malformed key or value, or a *NumberError.
//
// The first reading that fits the grammar is final, even if its value then turns out to be no number. That refuses
// "load gte5", which the reference reads as "load gt e5": no number, but a reading that its author did not mean
// either.
func ParseMetric(text string) (Metric, error) {
	key, op, value, ok := scanMetric(text)
	if !ok {
		return Metric{}, &SyntaxError{Language: "metric", Text: text}
	}
	if err := CheckKey(key); err != nil {
		return Metric{}, err
	}
	n, err := parseNumber(value)
	if err != nil {
		return Metric{}, err
	}
	return Metric{text: text, key: key, op: op, value: n}, nil
}

// scanMetric takes the first alternative that uses up the whole text. Key and value come unchecked.
func scanMetric(text string) (key string, op MetricOp, value string, ok bool) {
	start := cursor{rest: text, delims: metricDelims}
	key, ok = start.token()
	if !ok {
		return "", 0, "", false
	}
	for _, rule := range metricGrammar {
		for _, words := range rule.spellings {
			c := start
			if !c.spelled(words) {
				continue
			}
			if value, ok = c.token(); ok && c.atEnd() {
				return key, rule.op, value, true
			}
		}
	}
	return "", 0, "", false
}
