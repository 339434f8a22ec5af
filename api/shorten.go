package api

import "unicode/utf8"

// Shorten cuts a text for people to at most limit bytes, not within a character; what was cut ends with "…".
func Shorten(text string, limit int) string {
	const more = "…"
	if len(text) <= limit {
		return text
	}
	end := limit - len(more)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}
