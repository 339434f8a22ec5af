package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/internal/cli"
)

// TestHints tells a person what a script has never been told.
func TestHints(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		s := serve(t)
		for _, c := range []struct{ line, hint string }{
			{"core gm create load --gmp-name p --min 0 --max 2 --allowed-values 1 3", "the allowed value 3 is not between 0 and 2"},
			{"core gm update load --max 2.5 -o json", "the allowed value 3 is not between 0 and 2.5"},
			{"core gm update load --max 4", ""},
			{"core gm update load --max 4", "no change: 'load' is as the command line wants it already"},
		} {
			var out, errs bytes.Buffer
			world := cli.IO{In: strings.NewReader(""), Out: &out, Err: &errs, ErrTerminal: terminal, OutWidth: 80, Env: func(string) string { return "" }}
			code := cli.Main(t.Context(), append(strings.Fields(c.line), "--config", s.config), world)
			want := ""
			if terminal && c.hint != "" {
				want = "Warning: " + c.hint + "\n"
			}
			if code != 0 || errs.String() != want || out.Len() == 0 {
				t.Errorf("rok %s: exit code %d: %q, want %q", c.line, code, &errs, want)
			}
		}
	}
}
