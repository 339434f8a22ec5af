package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
)

// TestColours shows states in colours on a terminal, and nowhere else.
func TestColours(t *testing.T) {
	config, _ := answering(t, "application/json", `{"items": [{"metadata": {"name": "FAILED"}, "status": {"state": "RUNNING"}},
		{"metadata": {"name": "a"}, "status": {"state": "FLOATING"}}]}`, 200)
	for name, c := range map[string]struct {
		width int
		env   map[string]string
		form  string
		want  bool
	}{
		"a terminal":              {200, nil, "table", true},
		"a wide list":             {200, nil, "wide", true},
		"no terminal":             {0, nil, "table", false},
		"no colours wanted":       {200, map[string]string{"NO_COLOR": "1"}, "table", false},
		"a terminal without them": {200, map[string]string{"TERM": "dumb"}, "table", false},
		"JSON":                    {200, nil, "json", false},
		"YAML":                    {200, nil, "yaml", false},
		"names":                   {200, nil, "name", false},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			world := IO{Out: &out, Err: &out, OutWidth: c.width, Env: func(key string) string { return c.env[key] }}
			if code := Main(t.Context(), []string{"kube", "app", "list", "-o", c.form, "--config", config}, world); code != exitOK {
				t.Fatalf("exit code %d: %s", code, &out)
			}
			if got := strings.Contains(out.String(), "\x1b[32mRUNNING\x1b[0m"); got != c.want || !c.want && strings.Contains(out.String(), "\x1b") {
				t.Errorf("%q", &out)
			}
		})
	}
}

// TestColouredTablesKeepTheirForm takes the colours out again.
func TestColouredTablesKeepTheirForm(t *testing.T) {
	const table = "| FAILED | RUNNING   | PENDING |\n| name   | OFFLINE?  | ONLINE  |\n| state  | DEGRADED  |\n"
	got := coloured(table)
	const want = "| \x1b[31mFAILED\x1b[0m | \x1b[32mRUNNING\x1b[0m   | \x1b[33mPENDING\x1b[0m |\n| name   | OFFLINE?  | \x1b[32mONLINE\x1b[0m  |\n| state  | \x1b[31mDEGRADED\x1b[0m  |\n"
	if got != want {
		t.Errorf("%q", got)
	}
}

// TestEveryStateHasAColour but for the end, after which nothing is shown.
func TestEveryStateHasAColour(t *testing.T) {
	all := slices.Concat(api.ApplicationState("").Members(), api.ClusterState("").Members(), api.MagnumClusterState("").Members(),
		api.MetricsState("").Members())
	for _, state := range all {
		if _, known := colours[state]; !known && state != gone {
			t.Errorf("%s has none", state)
		}
	}
}
