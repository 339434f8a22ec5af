package table

import (
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

func wrapCell(cell []string, width int) []string {
	var out []string
	for _, line := range cell {
		if strings.TrimSpace(line) == "" {
			out = append(out, "")
			continue
		}
		out = append(out, wrap(line, width)...)
	}
	return out
}

// wrap breaks a line at blanks and after hyphens between letters; blanks at the break are dropped. A word that is wider
// than a line is cut, after a hyphen where one fits.
func wrap(line string, width int) []string {
	if text.StringWidth(line) <= width {
		return []string{strings.TrimRight(line, " ")}
	}
	var out []string
	chunks := chunks(line)
	for len(chunks) > 0 {
		var current string
		if len(out) > 0 && strings.TrimSpace(chunks[0]) == "" {
			chunks = chunks[1:]
		}
		for len(chunks) > 0 && text.StringWidth(current)+text.StringWidth(chunks[0]) <= width {
			current += chunks[0]
			chunks = chunks[1:]
		}
		if len(chunks) > 0 && text.StringWidth(chunks[0]) > width {
			head, tail := cut(chunks[0], width-text.StringWidth(current), current == "")
			current += head
			chunks[0] = tail
		}
		if current = strings.TrimRight(current, " "); current != "" {
			out = append(out, current)
		}
	}
	return out
}

// cut splits a word so that its head is no wider than room. At the start of a line at least one character is taken, so
// that there is an end to it.
func cut(word string, room int, start bool) (head, tail string) {
	end, width := 0, 0
	for i, r := range word {
		if width += text.RuneWidth(r); width > room && !(start && i == 0) {
			break
		}
		end = i + len(string(r))
	}
	if hyphen := strings.LastIndex(word[:end], "-"); hyphen > 0 && strings.Trim(word[:hyphen], "-") != "" {
		end = hyphen + 1
	}
	return word[:end], word[end:]
}

// chunks splits a line into what must not be broken: runs of blanks, words, and the parts of words with hyphens.
func chunks(line string) []string {
	var out []string
	runes := []rune(line)
	for start := 0; start < len(runes); {
		end := start + 1
		blank := unicode.IsSpace(runes[start])
		for end < len(runes) && unicode.IsSpace(runes[end]) == blank && (blank || !breaks(runes, end)) {
			end++
		}
		out = append(out, string(runes[start:end]))
		start = end
	}
	return out
}

// breaks says whether a word may be broken before i. It may after a hyphen that has two letters before it, or a letter
// and another hyphen two before, and has two letters after it, between which a hyphen may stand; and on both sides of
// two hyphens or more that stand for a dash.
func breaks(runes []rune, i int) bool {
	if runes[i] == '-' {
		return isDash(runes, i)
	}
	if runes[i-1] != '-' {
		return false
	}
	letter := func(n int) bool { return n >= 0 && n < len(runes) && isLetter(runes[n]) }
	hyphen := func(n int) bool { return n >= 0 && n < len(runes) && runes[n] == '-' }
	before := letter(i-2) && letter(i-3) || letter(i-4) && hyphen(i-3) && letter(i-2)
	after := letter(i) && (letter(i+1) || hyphen(i+1) && letter(i+2))
	if before && after {
		return true
	}
	start := i - 1
	for hyphen(start - 1) {
		start--
	}
	return isDash(runes, start)
}

// isDash says whether a run of hyphens that begins at i stands between words.
func isDash(runes []rune, i int) bool {
	if i == 0 || !isWordly(runes[i-1]) {
		return false
	}
	end := i
	for end < len(runes) && runes[end] == '-' {
		end++
	}
	return end-i >= 2 && end < len(runes) && (isLetter(runes[end]) || unicode.IsNumber(runes[end]))
}

func isLetter(r rune) bool { return unicode.IsLetter(r) || r == '_' }

// isWordly says whether a character is part of a word or may end one.
func isWordly(r rune) bool {
	return isLetter(r) || unicode.IsNumber(r) || strings.ContainsRune(`!"'&.,?`, r)
}
