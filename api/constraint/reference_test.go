package constraint_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api/constraint"
)

// The reference's languages (specification, section 3.6), as patterns of what follows the key, in the order in which the
// alternatives are tried. Keys are greedy, and never shorter than they could be.
var (
	referenceKey = regexp.MustCompile(`\A[ \t]*([^ ,()=!]+)[ \t]*`)

	referenceLabels = []*regexp.Regexp{
		constraint.LabelEqual:    regexp.MustCompile(`\A(?:==|=|is)[ \t]*([^ ,()=!]+)[ \t]*\z`),
		constraint.LabelNotEqual: regexp.MustCompile(`\A(?:!=|is[ \t]*not)[ \t]*([^ ,()=!]+)[ \t]*\z`),
		constraint.LabelIn:       regexp.MustCompile(`\Ain[ \t]*\([ \t]*([^ ,()=!]+(?:[ \t]*,[ \t]*[^ ,()=!]+)*)[ \t,]*\)[ \t]*\z`),
		constraint.LabelNotIn:    regexp.MustCompile(`\Anot[ \t]*in[ \t]*\([ \t]*([^ ,()=!]+(?:[ \t]*,[ \t]*[^ ,()=!]+)*)[ \t,]*\)[ \t]*\z`),
	}
	referenceMetrics = []*regexp.Regexp{
		eq: regexp.MustCompile(`\A(?:==|=|is)[ \t]*([^ ,()=!]+)[ \t]*\z`),
		ne: regexp.MustCompile(`\A(?:!=|is[ \t]*not)[ \t]*([^ ,()=!]+)[ \t]*\z`),
		gt: regexp.MustCompile(`\A(?:>|gt|greater[ \t]*than)[ \t]*([^ ,()=!]+)[ \t]*\z`),
		ge: regexp.MustCompile(`\A(?:>=|=>|gte|greater[ \t]*than[ \t]*or[ \t]*equal)[ \t]*([^ ,()=!]+)[ \t]*\z`),
		lt: regexp.MustCompile(`\A(?:<|lt|lesser[ \t]*than)[ \t]*([^ ,()=!]+)[ \t]*\z`),
		le: regexp.MustCompile(`\A(?:<=|=<|lte|lesser[ \t]*than[ \t]*or[ \t]*equal)[ \t]*([^ ,()=!]+)[ \t]*\z`),
	}

	// What the reference demands of the parts afterwards.
	wholeKey   = regexp.MustCompile(`\A(?:` + constraint.KeyPattern + `)\z`)
	wholeValue = regexp.MustCompile(`\A(?:` + constraint.ValuePattern + `)\z`)
)

// read reads a text as the reference does; op is 0 for a text that it refuses.
func read(text string, language []*regexp.Regexp) (key string, op int, operand string) {
	m := referenceKey.FindStringSubmatch(text)
	if m == nil {
		return "", 0, ""
	}
	for op, pattern := range language[1:] {
		found := pattern.FindStringSubmatch(text[len(m[0]):])
		if found == nil {
			continue
		}
		if !wholeKey.MatchString(m[1]) {
			return "", 0, ""
		}
		for _, value := range strings.Split(found[1], ",") {
			value, _, _ = strings.Cut(strings.TrimLeft(value, " \t"), " ") // which ends it; a tab would not
			if !wholeValue.MatchString(value) {
				return "", 0, ""
			}
		}
		return m[1], op + 1, found[1]
	}
	return "", 0, ""
}

// scraps are what texts are made of that are nearly, or indeed, constraints.
var scraps = rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{
	" ", " ", " ", "\t", "a", "load", "x.io/y", "DE", "5", "0.5", "1e3", "-5", "+1", ".5", "5.", "=", "==", "!=", "!", "<", ">", "<=", ">=", "=<", "=>",
	"is", "equals", "not", "in", "(", ")", ",", "gt", "gte", "lt", "lte", "greater", "lesser", "less", "than", "or", "equal", "to", "e5", "-", "_", "1_0",
}), 1, 9), func(parts []string) string { return strings.Join(parts, "") })

var labelTexts = rapid.OneOf(scraps, rapid.Map(labelDraft, func(d draft[constraint.LabelOp]) string { return d.text }))

var metricTexts = rapid.OneOf(scraps, rapid.Map(metricDraft, func(d draft[constraint.MetricOp]) string { return d.text }))

func TestLabelConstraintsAreExactlyTheReferences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := labelTexts.Draw(t, "text")
		key, op, operand := read(text, referenceLabels)
		l, err := constraint.ParseLabel(text)
		if (err == nil) != (op != 0) {
			t.Fatalf("%q: ours says %v, the reference reads operator %d", text, err, op)
		}
		if op == 0 {
			return
		}
		values := strings.Join(l.Values(), ",")
		if l.Key() != key || int(l.Op()) != op || values != strings.NewReplacer(" ", "", "\t", "").Replace(operand) {
			t.Errorf("%q: ours reads %q, the reference %q %d %q", text, l.Canonical(), key, op, operand)
		}
	})
}

// ours are the marks of what we accept beside the reference's metric constraints: no blank around a symbol, signs, bare
// points, the word less, and the word to.
var ours = regexp.MustCompile(`[^ \t][<>]|[<>=]{2}[^ \t]|[+-][0-9.]|(?:[^0-9]|\A)\.|\.(?:[^0-9]|\z)|less|to`)

func TestMetricConstraintsAreTheReferencesAndWhatWeAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := metricTexts.Draw(t, "text")
		key, op, operand := read(text, referenceMetrics)
		m, err := constraint.ParseMetric(text)
		switch {
		case err == nil && op == 0:
			if !ours.MatchString(text) {
				t.Errorf("%q is read as %q, and is neither the reference's nor one of our additions", text, m.Canonical())
			}
		case err == nil:
			value, ok := pythonFloat(operand)
			if m.Key() != key || int(m.Op()) != op || !ok || m.Value() != value {
				t.Errorf("%q: ours reads %q, the reference %q %d %q", text, m.Canonical(), key, op, operand)
			}
		case op != 0:
			if _, ok := pythonFloat(operand); ok {
				t.Errorf("%q: ours says %v, the reference reads %q %d %q", text, err, key, op, operand)
			}
		}
	})
}

// pythonFloat reads a finite number as the reference's scheduler does, which takes a label value for one.
func pythonFloat(text string) (float64, bool) {
	if !regexp.MustCompile(`\A[0-9]+(?:_[0-9]+)*(?:\.(?:[0-9]+(?:_[0-9]+)*)?)?(?:[eE]-?[0-9]+(?:_[0-9]+)*)?\z`).MatchString(text) {
		return 0, false
	}
	value, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	return value, err == nil
}
