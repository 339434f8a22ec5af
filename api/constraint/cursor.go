package constraint

import "strings"

// A cursor is a place in a constraint text. It is a plain value: an alternative of the grammar is tried on a copy,
// which is dropped when the alternative fails.
type cursor struct {
	rest   string
	delims string // the characters at which a key or value ends
}

// A spelling is one way to write an operator: symbols or words between which blanks may stand, but need not.
type spelling []string

func (c *cursor) skipBlanks() { c.rest = strings.TrimLeft(c.rest, " \t") }

// token reads a key or value. It takes all it can get and never gives anything back, even where a shorter one would
// let the rest of the text parse: a tab or line break inside becomes part of it, for the later checks to refuse.
func (c *cursor) token() (string, bool) {
	c.skipBlanks()
	end := strings.IndexAny(c.rest, c.delims)
	if end < 0 {
		end = len(c.rest)
	}
	token := c.rest[:end]
	c.rest = c.rest[end:]
	return token, token != ""
}

func (c *cursor) literal(s string) bool {
	c.skipBlanks()
	rest, found := strings.CutPrefix(c.rest, s)
	if found {
		c.rest = rest
	}
	return found
}

func (c *cursor) spelled(words spelling) bool {
	for _, w := range words {
		if !c.literal(w) {
			return false
		}
	}
	return true
}

func (c *cursor) atEnd() bool {
	c.skipBlanks()
	return c.rest == ""
}
