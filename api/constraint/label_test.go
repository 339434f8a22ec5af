package constraint_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api/constraint"
)

type labelParts struct {
	key    string
	op     constraint.LabelOp
	values []string
}

func is(key, value string) labelParts {
	return labelParts{key, constraint.LabelEqual, []string{value}}
}

func isNot(key, value string) labelParts {
	return labelParts{key, constraint.LabelNotEqual, []string{value}}
}

func in(key string, values ...string) labelParts {
	return labelParts{key, constraint.LabelIn, values}
}

func notIn(key string, values ...string) labelParts {
	return labelParts{key, constraint.LabelNotIn, values}
}

// acceptedLabels are the accepted rows of the specification (sections 3.6.1 and 4.3) and their neighbours.
var acceptedLabels = map[string]labelParts{
	"location is DE":          is("location", "DE"),
	"location = DE":           is("location", "DE"),
	"location == DE":          is("location", "DE"),
	"location=DE":             is("location", "DE"),
	"location==DE":            is("location", "DE"),
	"location== DE":           is("location", "DE"),
	"location ==DE":           is("location", "DE"),
	" location is DE ":        is("location", "DE"),
	"  location  ==   DE ":    is("location", "DE"),
	"location isDE":           is("location", "DE"),
	"location is in":          is("location", "in"),
	"location is not":         is("location", "not"),
	"location isnot":          is("location", "not"),
	"is is is":                is("is", "is"),
	"not is x":                is("not", "x"),
	"in = in":                 is("in", "in"),
	"url.com/location is D.G": is("url.com/location", "D.G"),
	"load is 1.5":             is("load", "1.5"),
	"location isnotDE":        is("location", "notDE"),
	"location is notDE":       is("location", "notDE"),
	"location is nota":        is("location", "nota"),
	"region is not-here":      is("region", "not-here"),

	"location is not DE":  isNot("location", "DE"),
	"location != DE":      isNot("location", "DE"),
	"location!=DE":        isNot("location", "DE"),
	"location isnot DE":   isNot("location", "DE"),
	"location is not not": isNot("location", "not"),
	"region is not PL":    isNot("region", "PL"),

	"location in (DE, SK)":          in("location", "DE", "SK"),
	"location in(DE,SK,)":           in("location", "DE", "SK"),
	"location in(DE)":               in("location", "DE"),
	"location in (DE,)":             in("location", "DE"),
	"location in (DE,,)":            in("location", "DE"),
	"location in (DE , , )":         in("location", "DE"),
	"location in (SK, DE, SK)":      in("location", "SK", "DE", "SK"),
	"url.com/location in (DE.GER,)": in("url.com/location", "DE.GER"),
	"in in (in, not, is)":           in("in", "in", "not", "is"),

	"location not in (DE)":      notIn("location", "DE"),
	"location notin (DE)":       notIn("location", "DE"),
	"location notin(DE)":        notIn("location", "DE"),
	"location not in (DE, SK,)": notIn("location", "DE", "SK"),
	"not not in (not)":          notIn("not", "not"),

	// Tabs are blanks wherever a key or value does not reach them first.
	"location is\tDE":                is("location", "DE"),
	"\tlocation is DE":               is("location", "DE"),
	"location is\tnot DE":            isNot("location", "DE"),
	"location \tnot\tin\t(\tDE ) \t": notIn("location", "DE"),
}

// refusedLabels are the rows that fail, by the kind of failure: "syntax", or the part that is malformed.
var refusedLabels = map[string][]string{
	"syntax": {
		"", " ", "\t", "location", "location is", "location exists", "location is not valid DE", "region over PL",
		"locationis DE", "locationin(DE)", "location IS DE", "location In (DE)", "location Is DE",
		"location in ()", "location in (,DE)", "location in (,)", "location in DE", "location in DE, SK",
		"location in (DE SK)", "location in (DE,,SK)", "location in [DE, SK)", "location not in (DE, SK",
		"location in (DE", "location in (DE))", "location in (DE) SK", "location in", "location not", "location not in",
		"location not (DE)", "location === DE", "location ! = DE", "location = = DE", "location! == DE",
		"location == DE!", "a location = DE", "location = (DE, SK)", "location > 5", "location>5",
		"x is DE and y is FR", "x is y,z", "x is y z", "= DE", "!= DE", "(DE) in location", "location\tis DE",
		"location not = DE", "location is = DE", "location i s DE",
	},
	"key": {
		"-k = DE", ". == DE", "a/b/c is d", "url/com/location != DE", "url.com/ is DE", "url.com/ is not DE",
		"/location in (DE, SK)", "location. in (DE,)", "a:b is c", "é is DE", "location\t= DE", "location\n= DE",
		"location> = DE", "-k = $DE",
		strings.Repeat("k", 64) + " is DE", strings.Repeat("p", 254) + "/k is DE", "p/" + strings.Repeat("k", 64) + " is DE",
	},
	"value": {
		"location = $DE", "location is -5", "location is a/b", "location is a:b", `location is "DE"`, "k = $DE", "k is .",
		"k in (DE-, SK)", "k in (DE, /SK,)", "location in (DE]SK)", "location is é", "location is DE\t", "location is DE\n",
		"location is \nDE", "location is not\tDE", "location in (DE, SK\t)", "k is " + strings.Repeat("v", 64),
	},
}

func TestParseLabelReadsEveryAcceptedForm(t *testing.T) {
	for text, want := range acceptedLabels {
		t.Run(text, func(t *testing.T) {
			l, err := constraint.ParseLabel(text)
			if err != nil {
				t.Fatal(err)
			}
			if l.Key() != want.key || l.Op() != want.op || !slices.Equal(l.Values(), want.values) {
				t.Errorf("got %q %v %q, want %q %v %q", l.Key(), l.Op(), l.Values(), want.key, want.op, want.values)
			}
			if l.String() != text {
				t.Errorf("the text became %q", l)
			}
		})
	}
}

func TestParseLabelRefuses(t *testing.T) {
	for kind, texts := range refusedLabels {
		for _, text := range texts {
			t.Run(kind+" of "+text, func(t *testing.T) {
				l, err := constraint.ParseLabel(text)
				if got := kindOf(err); got != kind {
					t.Errorf("got kind %q (%v), want %q", got, err, kind)
				}
				if !l.IsZero() {
					t.Errorf("an error came with the constraint %q", l.Canonical())
				}
			})
		}
	}
}

func kindOf(err error) string {
	var syntax *constraint.SyntaxError
	var pattern *constraint.PatternError
	var number *constraint.NumberError
	switch {
	case errors.As(err, &syntax):
		return "syntax"
	case errors.As(err, &pattern):
		return pattern.Part
	case errors.As(err, &number):
		return "number"
	}
	return ""
}

func TestLongestKeysAndValuesAreAccepted(t *testing.T) {
	part := strings.Repeat("k", 63)
	text := strings.Repeat("p", 253) + "/" + part + " is " + part
	if _, err := constraint.ParseLabel(text); err != nil {
		t.Error(err)
	}
}

func TestLabelMessages(t *testing.T) {
	for text, want := range map[string]string{
		"region over PL": "Invalid label constraint",
		"-k = DE":        `Label key '-k' does not match the regex '` + constraint.KeyPattern + `'.`,
		"k = $DE":        `Label value '$DE' does not match the regex '` + constraint.ValuePattern + `'.`,
		"k in (a, b-)":   `Label value 'b-' does not match the regex '` + constraint.ValuePattern + `'.`,
	} {
		if _, err := constraint.ParseLabel(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestLabelMatches(t *testing.T) {
	candidate := map[string]string{"location": "DE", "load": "5"}
	for text, want := range map[string]bool{
		"location is DE":           true,
		"location is SK":           false,
		"location is de":           false,
		"location is not SK":       true,
		"location is not DE":       false,
		"location in (SK, DE)":     true,
		"location in (SK, IT)":     false,
		"location not in (SK, IT)": true,
		"location not in (SK, DE)": false,
		"load is 5.0":              false, // labels are texts

		// A missing label never matches.
		"region is DE":          false,
		"region is not DE":      false,
		"region in (DE)":        false,
		"region not in (DE)":    false,
		"x.io/location is DE":   false,
		"Location is not DE":    false,
		"location.de not in(a)": false,
	} {
		if got := mustLabel(t, text).Matches(candidate); got != want {
			t.Errorf("%q: got %v", text, got)
		}
		if mustLabel(t, text).Matches(nil) {
			t.Errorf("%q matches a candidate without labels", text)
		}
	}
}

func TestLabelEqualIgnoresSpellingOnly(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"l is a", "l == a", true},
		{"l is not a", " l!=a ", true},
		{"l in (a, b)", "l in(a,b,,)", true},
		{"l not in (a)", "l notin (a)", true},
		{"l is a", "l is b", false},
		{"l is a", "m is a", false},
		{"l is a", "l is not a", false},
		{"l is a", "l in (a)", false},
		{"l in (a, b)", "l in (b, a)", false},
		{"l in (a, b)", "l in (a, b, b)", false},
		{"l in (a)", "l not in (a)", false},
	} {
		if got := mustLabel(t, c.a).Equal(mustLabel(t, c.b)); got != c.want {
			t.Errorf("%q and %q: got %v", c.a, c.b, got)
		}
	}
}

func TestNewLabelPrintsCanonically(t *testing.T) {
	for want, parts := range map[string]labelParts{
		"k is v":          is("k", "v"),
		"k is not v":      isNot("k", "v"),
		"k in (a, b)":     in("k", "a", "b"),
		"k in (a)":        in("k", "a"),
		"k not in (a, b)": notIn("k", "a", "b"),
	} {
		l, err := constraint.NewLabel(parts.key, parts.op, parts.values...)
		if err != nil {
			t.Fatal(err)
		}
		if l.String() != want || l.Canonical() != want {
			t.Errorf("got text %q and canonical text %q, want %q", l, l.Canonical(), want)
		}
	}
	if got := mustLabel(t, " k  notin(a,b,) ").Canonical(); got != "k not in (a, b)" {
		t.Errorf("got canonical text %q", got)
	}
}

func TestNewLabelRefuses(t *testing.T) {
	for what, parts := range map[string]labelParts{
		"no operator":          {"k", 0, []string{"v"}},
		"an unknown operator":  {"k", constraint.LabelNotIn + 1, []string{"v"}},
		"no value":             is("k", "v").with(),
		"an empty list":        in("k"),
		"two values for is":    is("k", "v").with("v", "w"),
		"two values for isn't": isNot("k", "v").with("v", "w"),
		"a malformed key":      is("-k", "v"),
		"a malformed value":    in("k", "v", ""),
	} {
		if l, err := constraint.NewLabel(parts.key, parts.op, parts.values...); err == nil || !l.IsZero() {
			t.Errorf("%s: got %q, %v", what, l, err)
		}
	}
}

func (p labelParts) with(values ...string) labelParts {
	p.values = values
	return p
}

func TestLabelSharesNoValues(t *testing.T) {
	values := []string{"a", "b"}
	l, err := constraint.NewLabel("k", constraint.LabelIn, values...)
	if err != nil {
		t.Fatal(err)
	}
	values[0] = "x"
	l.Values()[1] = "x"
	if l.Canonical() != "k in (a, b)" {
		t.Errorf("the constraint changed to %q", l.Canonical())
	}
}

func TestZeroLabel(t *testing.T) {
	var zero constraint.Label
	if !zero.IsZero() || zero.String() != "" || zero.Canonical() != "" {
		t.Errorf("prints as %q, canonically as %q", zero, zero.Canonical())
	}
	if zero.Matches(map[string]string{"": ""}) {
		t.Error("matches")
	}
	if !zero.Equal(constraint.Label{}) || zero.Equal(mustLabel(t, "k is v")) {
		t.Error("must be equal to itself alone")
	}
}

func TestLabelMatchesWithoutAllocating(t *testing.T) {
	l := mustLabel(t, "location not in (SK, IT)")
	labels := map[string]string{"location": "DE"}
	if n := testing.AllocsPerRun(100, func() { l.Matches(labels) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func mustLabel(t rapid.TB, text string) constraint.Label {
	t.Helper()
	l, err := constraint.ParseLabel(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return l
}
