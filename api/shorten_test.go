package api_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rak-n-rok/krake/api"
)

func TestTextsAreNotCutWithinACharacter(t *testing.T) {
	for limit := 4; limit < 12; limit++ {
		if s := api.Shorten("aéééééééé", limit); len(s) > limit || !utf8.ValidString(s) || !strings.HasSuffix(s, "…") {
			t.Errorf("cut to %d: %q", limit, s)
		}
	}
	if s := api.Shorten("aé", 3); s != "aé" {
		t.Errorf("a text that fits was cut: %q", s)
	}
}
