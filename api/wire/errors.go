package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// Errors is the tree of everything that is wrong with a document: messages at the leaves, field names and list indexes
// on the way there. The zero value is an empty tree.
type Errors struct {
	messages []string
	keys     []string // children in the order of their first mention
	children map[string]*Errors
	index    bool     // keys are list indexes
	raw      []string // rendered entries beside the messages
}

// A Message is an error in the words of the wire, which are whole sentences.
type Message string

// Messagef formats a Message.
func Messagef(format string, args ...any) Message { return Message(fmt.Sprintf(format, args...)) }

// Error gives the message.
func (m Message) Error() string { return string(m) }

// schemaKey is where the rules about a whole object report.
const schemaKey = "_schema"

// At returns the node of a field, creating it.
func (e *Errors) At(field string) *Errors { return e.child(field, false) }

// Index returns the node of a list element, creating it.
func (e *Errors) Index(i int) *Errors { return e.child(strconv.Itoa(i), true) }

// Add reports a message at this node.
func (e *Errors) Add(message string) { e.messages = append(e.messages, message) }

// AddPair reports a message as a one-entry map, the form in which label rules name the text that broke them.
func (e *Errors) AddPair(key, message string) {
	e.raw = append(e.raw, "{"+quote(key)+": "+quote(message)+"}")
}

// AddAlternatives reports that a value is of none of the types that a field may have, one message for each.
func (e *Errors) AddAlternatives(messages ...string) {
	for _, m := range messages {
		e.raw = append(e.raw, "["+quote(m)+"]")
	}
}

// AddSchema reports a rule about the whole object at this node.
func (e *Errors) AddSchema(message string) { e.At(schemaKey).Add(message) }

// Put reports what is wrong with the document of a field.
func (e *Errors) Put(field string, document *Errors) {
	e.child(field, false)
	e.children[field] = document
}

// Empty says whether nothing was reported at this node or below it.
func (e *Errors) Empty() bool {
	if len(e.messages) > 0 || len(e.raw) > 0 {
		return false
	}
	for _, c := range e.children {
		if !c.Empty() {
			return false
		}
	}
	return true
}

// Err returns the tree as an error, nil when it is empty.
func (e *Errors) Err() error {
	if e.Empty() {
		return nil
	}
	return e
}

// Error renders the tree as the reference does, for example {'spec': {'manifest': ['Field may not be null.']}}.
func (e *Errors) Error() string {
	var b strings.Builder
	e.render(&b)
	return b.String()
}

func (e *Errors) child(key string, index bool) *Errors {
	if c, ok := e.children[key]; ok {
		return c
	}
	if e.children == nil {
		e.children = map[string]*Errors{}
	}
	c := &Errors{}
	e.children[key] = c
	e.keys = append(e.keys, key)
	e.index = e.index || index
	return c
}

func (e *Errors) render(b *strings.Builder) {
	if len(e.messages)+len(e.raw) > 0 {
		items := make([]string, 0, len(e.messages)+len(e.raw))
		for _, m := range e.messages {
			items = append(items, quote(m))
		}
		b.WriteString("[" + strings.Join(append(items, e.raw...), ", ") + "]")
		return
	}
	b.WriteByte('{')
	sep := ""
	for _, key := range e.keys {
		c := e.children[key]
		if c.Empty() {
			continue
		}
		b.WriteString(sep)
		sep = ", "
		if e.index {
			b.WriteString(key)
		} else {
			b.WriteString(quote(key))
		}
		b.WriteString(": ")
		c.render(b)
	}
	b.WriteByte('}')
}

var escapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// quote writes a text the way Python's repr does: single quotes, unless the text has some and no double quote.
func quote(s string) string {
	escaped := escapes.Replace(s)
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return `"` + escaped + `"`
	}
	return "'" + strings.ReplaceAll(escaped, "'", `\'`) + "'"
}
