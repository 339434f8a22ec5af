package influx

import "testing"

func TestLiteralsOfFlux(t *testing.T) {
	for text, want := range map[string]string{
		"heat":              `"heat"`,
		"":                  `""`,
		`a"b`:               `"a\"b"`,
		`a\`:                `"a\\"`,
		"${x}":              `"\${x}"`,
		"$x {y}":            `"$x {y}"`,
		"a\nb\tc\x00\x7f":   `"a\x0ab\x09c\x00\x7f"`,
		"wärme 漢":           `"wärme 漢"`,
		`") |> drop() //`:   `"\") |> drop() //"`,
		`\" + "x`:           `"\\\" + \"x"`,
		`$` + `${r.secret}`: `"$\${r.secret}"`,
	} {
		if got := quote(text); got != want {
			t.Errorf("%q is written %s, want %s", text, got, want)
		}
	}
}
