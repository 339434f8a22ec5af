package constraint_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api/constraint"
)

// Keys and values are often keywords, and often the same twice, since that is where a parser goes wrong.
var (
	keyword = rapid.SampledFrom([]string{"is", "not", "in", "gt", "gte", "than", "or", "equal", "to", "less", "greater"})
	value   = rapid.OneOf(keyword, rapid.SampledFrom([]string{"a", "b"}), rapid.StringMatching(`\w([\w\-.]{0,20}\w)?`))
	key     = rapid.OneOf(value, rapid.StringMatching(`\w[\w\-.]{0,20}\w/\w[\w\-.]{0,20}\w`))

	numeral = rapid.OneOf(
		rapid.SampledFrom([]string{"0", "-0", "5", "5.0", "1_0", ".5", "5.", "+5", "1e-3", "1E+3"}),
		rapid.StringMatching(`[+-]?[0-9]{1,5}(\.[0-9]{0,3})?(e[+-]?[0-9]{1,2})?`),
	)

	gap   = rapid.SampledFrom([]string{"", " ", "  ", "\t", " \t"}) // where blanks may stand
	space = rapid.SampledFrom([]string{" ", "  ", " \t"})           // where they must, or a word would grow
	after = rapid.SampledFrom([]string{"", " ", "  ", " \t"})       // behind a key or value, which would swallow a tab
)

// symbol tells operators made of symbols, which end the key themselves, from those made of words.
func symbol(op []string) bool { return strings.ContainsAny(op[0], "=!<>") }

// A draft is a constraint as it was put together, with a text that spells it.
type draft[Op any] struct {
	text   string
	key    string
	op     Op
	values []string
}

var labelSpellings = map[constraint.LabelOp][][]string{
	constraint.LabelEqual:    {{"=="}, {"="}, {"is"}},
	constraint.LabelNotEqual: {{"!="}, {"is", "not"}},
	constraint.LabelIn:       {{"in"}},
	constraint.LabelNotIn:    {{"not", "in"}},
}

var metricSpellings = map[constraint.MetricOp][][]string{
	eq: {{"=="}, {"="}, {"is"}},
	ne: {{"!="}, {"is", "not"}},
	gt: {{">"}, {"gt"}, {"greater", "than"}},
	ge: {{">="}, {"=>"}, {"gte"}, {"greater", "than", "or", "equal"}, {"greater", "than", "or", "equal", "to"}},
	lt: {{"<"}, {"lt"}, {"lesser", "than"}, {"less", "than"}},
	le: {
		{"<="}, {"=<"}, {"lte"}, {"lesser", "than", "or", "equal"}, {"less", "than", "or", "equal"},
		{"lesser", "than", "or", "equal", "to"}, {"less", "than", "or", "equal", "to"},
	},
}

// head draws everything up to the operand. An operator that ends in a word is set off from its operand, because
// "isnotDE" belongs to another operator than "isnot DE".
func head(t *rapid.T, key string, words []string) string {
	var b strings.Builder
	b.WriteString(gap.Draw(t, "lead") + key)
	if symbol(words) {
		b.WriteString(after.Draw(t, "after key"))
	} else {
		b.WriteString(space.Draw(t, "after key"))
	}
	for i, w := range words {
		if i > 0 {
			b.WriteString(gap.Draw(t, "between words"))
		}
		b.WriteString(w)
	}
	if symbol(words) {
		b.WriteString(gap.Draw(t, "before operand"))
	} else {
		b.WriteString(space.Draw(t, "before operand"))
	}
	return b.String()
}

var labelDraft = rapid.Custom(func(t *rapid.T) draft[constraint.LabelOp] {
	d := draft[constraint.LabelOp]{key: key.Draw(t, "key")}
	d.op = constraint.LabelOp(rapid.IntRange(1, len(labelSpellings)).Draw(t, "op"))
	d.text = head(t, d.key, rapid.SampledFrom(labelSpellings[d.op]).Draw(t, "spelling"))
	if d.op == constraint.LabelEqual || d.op == constraint.LabelNotEqual {
		d.values = []string{value.Draw(t, "value")}
		d.text += d.values[0] + after.Draw(t, "trail")
		return d
	}
	d.values = rapid.SliceOfN(value, 1, 4).Draw(t, "values")
	var list []string
	for _, v := range d.values {
		list = append(list, gap.Draw(t, "before value")+v+after.Draw(t, "after value"))
	}
	commas := strings.Join(rapid.SliceOfN(rapid.Just(", "), 0, 3).Draw(t, "commas"), "")
	d.text += "(" + strings.Join(list, ",") + commas + ")" + gap.Draw(t, "trail")
	return d
})

var metricDraft = rapid.Custom(func(t *rapid.T) draft[constraint.MetricOp] {
	d := draft[constraint.MetricOp]{key: key.Draw(t, "key"), values: []string{numeral.Draw(t, "value")}}
	d.op = constraint.MetricOp(rapid.IntRange(1, len(metricSpellings)).Draw(t, "op"))
	words := rapid.SampledFrom(metricSpellings[d.op]).Draw(t, "spelling")
	d.text = head(t, d.key, words) + d.values[0] + after.Draw(t, "trail")
	return d
})

func TestEveryLabelOfTheGrammarParsesToItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := labelDraft.Draw(t, "label")
		l, err := constraint.ParseLabel(d.text)
		if err != nil {
			t.Fatalf("%q: %v", d.text, err)
		}
		if l.Key() != d.key || l.Op() != d.op || !slices.Equal(l.Values(), d.values) {
			t.Errorf("%q became %q", d.text, l.Canonical())
		}
		checkLabel(t, l, d.text)
	})
}

func TestEveryMetricOfTheGrammarParsesToItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := metricDraft.Draw(t, "metric")
		m, err := constraint.ParseMetric(d.text)
		if err != nil {
			t.Fatalf("%q: %v", d.text, err)
		}
		want, err := strconv.ParseFloat(strings.ReplaceAll(d.values[0], "_", ""), 64)
		if err != nil {
			t.Fatal(err)
		}
		if m.Key() != d.key || m.Op() != d.op || m.Value() != want {
			t.Errorf("%q became %q", d.text, m.Canonical())
		}
		checkMetric(t, m, d.text)
	})
}

// A parser that gives up on glued words refuses what the reference accepts, even if the reading is a surprise.
func TestLabelsNeedNoBlanksBehindTheKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := labelDraft.Draw(t, "label")
		op := rapid.SampledFrom(labelSpellings[d.op]).Draw(t, "spelling")
		operand := d.values[0]
		if d.op == constraint.LabelIn || d.op == constraint.LabelNotIn {
			operand = "(" + strings.Join(d.values, ",") + ")"
		}
		text := d.key + " " + strings.Join(op, "") + operand
		l, err := constraint.ParseLabel(text)
		if err != nil || l.Key() != d.key {
			t.Errorf("%q became %q, %v", text, l.Canonical(), err)
		}
	})
}

// checkLabel tests what holds of every label constraint that came from a text.
func checkLabel(t rapid.TB, l constraint.Label, text string) {
	if l.String() != text {
		t.Errorf("%q became %q", text, l)
	}
	again, err := constraint.ParseLabel(l.Canonical())
	if err != nil || !again.Equal(l) || !l.Equal(again) || again.Canonical() != l.Canonical() {
		t.Errorf("%q has the canonical text %q, which reads as %q, %v", text, l.Canonical(), again.Canonical(), err)
	}
	built, err := constraint.NewLabel(l.Key(), l.Op(), l.Values()...)
	if err != nil || !built.Equal(l) || built.String() != l.Canonical() {
		t.Errorf("%q built from its parts becomes %q, %v", text, built, err)
	}
}

// checkMetric tests what holds of every metric constraint that came from a text.
func checkMetric(t rapid.TB, m constraint.Metric, text string) {
	if m.String() != text {
		t.Errorf("%q became %q", text, m)
	}
	again, err := constraint.ParseMetric(m.Canonical())
	if err != nil || !again.Equal(m) || !m.Equal(again) || again.Canonical() != m.Canonical() {
		t.Errorf("%q has the canonical text %q, which reads as %q, %v", text, m.Canonical(), again.Canonical(), err)
	}
	built, err := constraint.NewMetric(m.Key(), m.Op(), m.Value())
	if err != nil || !built.Equal(m) || built.String() != m.Canonical() {
		t.Errorf("%q built from its parts becomes %q, %v", text, built, err)
	}
}

func TestEqualIsAnEquivalenceAndHasOneCanonicalTextPerClass(t *testing.T) {
	few := rapid.SampledFrom([]string{
		"a is b", "a=b", "a == b ", "a is not b", "a!=b", "a in (b)", "a in (b,)", "a in (b, c)", "a in (c, b)",
		"a notin (b)", "b is b", "a is c", "a is not", "a is not not",
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := parsed(t, few), parsed(t, few), parsed(t, few)
		if !a.Equal(a) {
			t.Errorf("%q does not equal itself", a)
		}
		if a.Equal(b) != b.Equal(a) {
			t.Errorf("%q and %q are equal one way only", a, b)
		}
		if a.Equal(b) && b.Equal(c) && !a.Equal(c) {
			t.Errorf("%q equals %q, which equals %q, but the outer two differ", a, b, c)
		}
		if a.Equal(b) != (a.Canonical() == b.Canonical()) {
			t.Errorf("%q and %q: Equal and the canonical texts disagree", a, b)
		}
	})
}

func parsed(t *rapid.T, texts *rapid.Generator[string]) constraint.Label {
	return mustLabel(t, texts.Draw(t, "text"))
}

func TestEqualMetricsAreThoseWithOneCanonicalText(t *testing.T) {
	few := rapid.SampledFrom([]string{
		"a > 5", "a>5.0", "a gt +5", "a >= 5", "a is 0", "a = -0", "a is not 0", "b > 5", "a > 500e-2",
		"a < 5", "a less than 5",
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := mustMetric(t, few.Draw(t, "a")), mustMetric(t, few.Draw(t, "b"))
		if a.Equal(b) != b.Equal(a) || a.Equal(b) != (a.Canonical() == b.Canonical()) {
			t.Errorf("%q and %q: Equal and the canonical texts disagree", a, b)
		}
	})
}

func TestOppositeConstraintsSplitTheCandidatesThatHaveTheLabel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, values := key.Draw(t, "key"), rapid.SliceOfN(value, 1, 4).Draw(t, "values")
		labels := rapid.MapOf(key, value).Draw(t, "labels")
		_, has := labels[k]
		yes, _ := constraint.NewLabel(k, constraint.LabelIn, values...)
		no, _ := constraint.NewLabel(k, constraint.LabelNotIn, values...)
		if got := yes.Matches(labels) != no.Matches(labels); got != has {
			t.Errorf("%q and its opposite on %v: exactly one matches: %v", yes, labels, got)
		}
	})
}
