package constraint

import "fmt"

// A SyntaxError reports a text outside the grammar of its language. The message does not quote the text: it is shown
// beside the field that holds it.
type SyntaxError struct {
	Language string // "label" or "metric"
	Text     string
}

func (e *SyntaxError) Error() string { return "Invalid " + e.Language + " constraint" }

// A PatternError reports a label key or label value of the wrong form, in metadata or inside a constraint.
type PatternError struct {
	Part    string // "key" or "value"
	Text    string // the key or value itself
	Pattern string // KeyPattern or ValuePattern
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("Label %s '%s' does not match the regex '%s'.", e.Part, e.Text, e.Pattern)
}

// A NumberError reports a metric constraint that compares with something other than a finite number.
type NumberError struct {
	Text string
}

func (e *NumberError) Error() string {
	return fmt.Sprintf("Metric value '%s' is not a finite number.", e.Text)
}
