package document

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// JSON writes a value the way that scripts have always got it: keys sorted, two blanks for each level, everything
// beyond ASCII escaped, and a newline at the end.
func JSON(v any) []byte {
	var b bytes.Buffer
	writeJSON(&b, v, "\n")
	b.WriteByte('\n')
	return b.Bytes()
}

func writeJSON(b *bytes.Buffer, v any, newline string) {
	inner := newline + "  "
	switch v := v.(type) {
	case *Object:
		if v.Len() == 0 {
			b.WriteString("{}")
			return
		}
		for i, key := range v.Sorted() {
			b.WriteByte("{,"[min(i, 1)])
			b.WriteString(inner)
			writeText(b, key)
			b.WriteString(": ")
			writeJSON(b, v.Get(key), inner)
		}
		b.WriteString(newline + "}")
	case []any:
		if len(v) == 0 {
			b.WriteString("[]")
			return
		}
		for i, item := range v {
			b.WriteByte("[,"[min(i, 1)])
			b.WriteString(inner)
			writeJSON(b, item, inner)
		}
		b.WriteString(newline + "]")
	case string:
		writeText(b, v)
	case nil:
		b.WriteString("null")
	default:
		fmt.Fprint(b, v)
	}
}

var jsonEscapes = map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}

func writeText(b *bytes.Buffer, s string) {
	b.WriteByte('"')
	for _, r := range s {
		escape, special := jsonEscapes[r]
		switch {
		case special:
			b.WriteString(escape)
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r > 0xffff: // a pair of surrogates
			r -= 0x10000
			fmt.Fprintf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
}

// Equal compares two values; the order of keys does not count.
func Equal(a, b any) bool { return bytes.Equal(JSON(a), JSON(b)) }

// clean replaces what is not text, so that it can be written.
func clean(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\ufffd")
}
