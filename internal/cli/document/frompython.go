package document

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// FromPython reads a literal of Python of the values that JSON has, too. The API tells what is wrong with a document in
// this form: {'spec': {'manifest': {0: ['Field may not be null.']}}}. Numbers as keys become texts.
func FromPython(text string) (any, error) {
	var b strings.Builder
	for text != "" {
		start := strings.IndexAny(text, `'"`)
		if start < 0 {
			start = len(text)
		}
		b.WriteString(betweenTexts(text[:start]))
		if text = text[start:]; text == "" {
			break
		}
		content, rest, err := unquote(text)
		if err != nil {
			return nil, err
		}
		quoted, err := json.Marshal(content)
		if err != nil {
			return nil, err
		}
		b.Write(quoted)
		text = rest
	}
	return Parse([]byte(b.String()))
}

var (
	words     = strings.NewReplacer("None", "null", "True", "true", "False", "false")
	numberKey = regexp.MustCompile(`\d+:`)
)

// betweenTexts makes JSON of what stands outside of quotes.
func betweenTexts(s string) string {
	return numberKey.ReplaceAllStringFunc(words.Replace(s), func(key string) string {
		return `"` + strings.TrimSuffix(key, ":") + `":`
	})
}

// unquote reads the text that s begins with, in quotes of either kind, and returns what comes after it.
func unquote(s string) (content, rest string, err error) {
	quote := s[0]
	var b strings.Builder
	for s = s[1:]; s != ""; {
		if s[0] == quote {
			return b.String(), s[1:], nil
		}
		char, _, tail, err := strconv.UnquoteChar(s, quote)
		if err != nil {
			return "", "", err
		}
		b.WriteRune(char)
		s = tail
	}
	return "", "", errors.New("a text has no end")
}
