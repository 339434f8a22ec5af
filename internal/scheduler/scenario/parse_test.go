package scenario

import (
	"strconv"
	"strings"
	"testing"
)

func TestWhatCannotBeReadIsNamedWithItsLine(t *testing.T) {
	const good = "metric m 0..1\ncluster a metrics m*1\nvalue a m 1\napp x\n"
	for text, want := range map[string]string{
		good + "cloud c":                        `line 5: cloud c: no line begins with "cloud"`,
		"metric m":                              "want NAME MIN..MAX",
		"metric m 0-1":                          `"0-1" is no range`,
		"metric m 0..1 upper":                   `a metric cannot be "upper"`,
		"cluster a metrics m*1":                 `"m*1" is no metric with a weight`,
		"cluster a green":                       `a cluster has no "green"`,
		"metric m 0..1\ncluster a metrics m*1":  "the metric m of the cluster a has no values",
		good + "value b m 1":                    `there is no cluster "b"`,
		good + "value a m 1 x0":                 `"0" is no number of steps`,
		good + "value a m (1, 2":                "do not match",
		good + "value a m much":                 "neither a number nor gap",
		good + "rules price -1":                 "must not be below zero",
		good + "rules luck 1":                   `there is no rule "luck"`,
		good + "app y where country near DE":    `"country near DE" is no constraint`,
		good + "app y lazy":                     `an application cannot be "lazy"`,
		good + "fault 1m metrics":               `"1m" is no span of time`,
		good + "fault 1m..2m fire a":            "want FROM..TO",
		good + "at noon restart":                "invalid duration",
		good + "at 1m explode":                  `nothing happens by the name of "explode"`,
		good + "at 1m expect x at a":            "want NAME on CLUSTER",
		good + "at 1m expect x on a, sings":     `"sings" cannot be expected`,
		good + "variant \"v\"\nat 1m state b X": `line 6: at 1m state b X: there is no cluster "b"`,
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n: %v, want %s", text, err, want)
		}
	}
}

func TestWhatIsNotAsExpectedIsTold(t *testing.T) {
	told, err := Parse("# A story\nmetric m 0..1\ncluster a metrics m*1\nvalue a m 0.5\napp x\nat 1m expect x on b, moves 1\nat 1m expect y on a")
	if err != nil {
		t.Fatal(err)
	}
	err = told[0].Run(nil)
	for _, want := range []string{`line 6: at 1m0s: x is on a after 0 moves, the last for the reason "first"; it is kept (matches)`, "line 7: at 1m0s: there is no application y"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if told[0].Title != "A story" {
		t.Errorf("it is called %q", told[0].Title)
	}
}

func TestSeries(t *testing.T) {
	for text, want := range map[string]string{
		"0.5":                     "0.5 0.5 0.5 0.5",
		"1, 2 x2, 3":              "1 2 2 3",
		"gap, 1":                  "- 1 1 1",
		"0..3 x3, 9":              "1 2 3 9",
		"(1, gap) x2":             "1 - 1 -",
		"(1 x2, (2, 3) x1) x2, 4": "1 1 2 3",
	} {
		series, err := parseSeries(text, 1, "")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for step := range 4 {
			v, ok := series(step)
			if got = append(got, "-"); ok {
				got[step] = number(v)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
	one, _ := parseSeries("5 ~1 x100", 1, "a")
	same, _ := parseSeries("5 ~1 x100", 1, "a")
	other, _ := parseSeries("5 ~1 x100", 2, "a")
	different := false
	for step := range 100 {
		v, _ := one(step)
		w, _ := same(step)
		u, _ := other(step)
		if v != w || v < 4 || v > 6 {
			t.Fatalf("at step %d: %v and %v", step, v, w)
		}
		different = different || v != u
	}
	if !different {
		t.Error("the seed makes no difference")
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
