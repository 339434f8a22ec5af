package constraint_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api/constraint"
)

func TestCheckKey(t *testing.T) {
	for _, key := range []string{
		"a", "_", "5", "a_b-c.d", "url.com/location", "_/_", strings.Repeat("p", 253) + "/" + strings.Repeat("k", 63),
	} {
		if err := constraint.CheckKey(key); err != nil {
			t.Error(err)
		}
	}
	for _, key := range []string{
		"", "/", "a/", "/a", "a/b/c", "-a", "a-", ".a", "a.", "-a/b", "a./b", "a b", "a:b", "é", "a\n",
		strings.Repeat("k", 64), strings.Repeat("p", 254) + "/k", "p/" + strings.Repeat("k", 64),
	} {
		if kindOf(constraint.CheckKey(key)) != "key" {
			t.Errorf("%q is accepted", key)
		}
	}
}

func TestCheckValue(t *testing.T) {
	for _, value := range []string{"a", "_", "5", "a_b-c.d", strings.Repeat("v", 63)} {
		if err := constraint.CheckValue(value); err != nil {
			t.Error(err)
		}
	}
	for _, value := range []string{"", "-", ".", "a/b", "a:b", "-5", "a-", "a b", "é", "a\n", strings.Repeat("v", 64)} {
		if kindOf(constraint.CheckValue(value)) != "value" {
			t.Errorf("%q is accepted", value)
		}
	}
}

// The checks are written by hand for speed; what they mean is the expressions that the messages quote.
func TestChecksAgreeWithThePatternsTheyQuote(t *testing.T) {
	key := regexp.MustCompile(`\A(?:` + constraint.KeyPattern + `)\z`)
	value := regexp.MustCompile(`\A(?:` + constraint.ValuePattern + `)\z`)
	texts := rapid.OneOf(
		rapid.StringMatching(`[a_.\-/]{0,6}`),
		rapid.StringMatching(`[a.]{60,66}`),
		rapid.StringMatching(`[a\-]{250,256}/[a.]{60,66}`),
		rapid.String(),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := texts.Draw(t, "text")
		if got := constraint.CheckKey(text) == nil; got != key.MatchString(text) {
			t.Errorf("CheckKey(%q) accepts: %v", text, got)
		}
		if got := constraint.CheckValue(text) == nil; got != value.MatchString(text) {
			t.Errorf("CheckValue(%q) accepts: %v", text, got)
		}
	})
}
