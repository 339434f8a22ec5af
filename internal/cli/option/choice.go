package option

import (
	"fmt"
	"slices"
	"strings"
)

// Choice is one word of several.
type Choice struct {
	Value string
	Words []string
}

// String returns the word.
func (c *Choice) String() string { return c.Value }

// Type is what help calls the value.
func (c *Choice) Type() string { return "{" + strings.Join(c.Words, ",") + "}" }

// Set takes one of the words.
func (c *Choice) Set(text string) error {
	if !slices.Contains(c.Words, text) {
		return fmt.Errorf("invalid choice: '%s' (choose from %s)", text, quoted(c.Words))
	}
	c.Value = text
	return nil
}

// Wait is a state to wait for, which need not be named: the option alone means Default. Words that are no states are
// left to others, so that it can stand before a name.
type Wait struct {
	State   string // empty when the option was not given
	States  []string
	Default string
}

// String returns the state.
func (w *Wait) String() string { return w.State }

// Type is what help calls the value.
func (w *Wait) Type() string { return "[" + strings.Join(w.States, "|") + "]" }

// Set takes a state, or nothing.
func (w *Wait) Set(text string) error {
	if text == "" {
		w.State = w.Default
		return nil
	}
	c := Choice{Words: w.States}
	err := c.Set(text)
	w.State = c.Value
	return err
}

// Take takes the next word if it is a state.
func (w *Wait) Take(following []string) (string, int, error) {
	if len(following) > 0 && slices.Contains(w.States, following[0]) {
		return following[0], 1, nil
	}
	return "", 0, nil
}

// Blocking is the value of the query parameter of that name.
func (w *Wait) Blocking() string {
	if w.State == "" {
		return "False"
	}
	return w.State
}

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = "'" + w + "'"
	}
	return strings.Join(out, ", ")
}
