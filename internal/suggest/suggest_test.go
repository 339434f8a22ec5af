package suggest_test

import (
	"testing"

	"github.com/rak-n-rok/krake/internal/suggest"
)

func TestNearest(t *testing.T) {
	known := []string{"api_url", "user", "tls", "app", "application"}
	for name, c := range map[string]struct{ word, want string }{
		"exchanged":              {"api_ulr", "api_url"},
		"one too few":            {"aplication", "application"},
		"one too many":           {"userr", "user"},
		"another one":            {"upp", "app"},
		"the right one":          {"tls", "tls"},
		"too different":          {"endpoint", ""},
		"nothing in common":      {"xyz", ""},
		"nothing":                {"", ""},
		"beyond ASCII":           {"üser", "user"},
		"a short form":           {"t", "tls"},
		"the nearest of several": {"ap", "app"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := suggest.Nearest(c.word, known); got != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}
