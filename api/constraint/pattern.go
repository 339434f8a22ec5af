package constraint

import "strings"

// The rules for label keys and values as regular expressions that must match the whole text, with \w in its ASCII
// meaning. They are quoted in messages; the checks below are written out because they run on every write.
const (
	KeyPattern   = `((\w|(\w[\w\-_.]{0,251}\w))\/)?(\w|(\w[\w\-_.]{0,61}\w))`
	ValuePattern = `\w|(\w[\w\-_.]{0,61}\w)`
)

// The longest texts that the patterns admit, in characters.
const (
	maxPrefix = 253
	maxPart   = 63
)

// CheckKey returns a *PatternError unless the text is a label key: a name, or a prefix and a name with a slash
// between. Metric names obey the same rule where a constraint mentions them.
func CheckKey(text string) error {
	name := text
	if before, after, found := strings.Cut(text, "/"); found {
		if !isPart(before, maxPrefix) {
			return &PatternError{Part: "key", Text: text, Pattern: KeyPattern}
		}
		name = after
	}
	if !isPart(name, maxPart) {
		return &PatternError{Part: "key", Text: text, Pattern: KeyPattern}
	}
	return nil
}

// CheckValue returns a *PatternError unless the text is a label value. The empty text is none.
func CheckValue(text string) error {
	if !isPart(text, maxPart) {
		return &PatternError{Part: "value", Text: text, Pattern: ValuePattern}
	}
	return nil
}

// isPart says whether s has 1 to limit characters out of [A-Za-z0-9_.-] and neither begins nor ends with a dot or
// dash. Counting bytes is counting characters here, since anything beyond ASCII is refused.
func isPart(s string, limit int) bool {
	if s == "" || len(s) > limit || !isWord(s[0]) || !isWord(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isWord(c) && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
