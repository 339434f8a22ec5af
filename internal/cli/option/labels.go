package option

import (
	"errors"
	"fmt"
	"strings"
)

// Labels collects KEY=VALUE; a later value of a key replaces an earlier one.
type Labels map[string]string

// String is empty: there is no default to show.
func (l *Labels) String() string { return "" }

// Type is what help calls the value.
func (l *Labels) Type() string { return "KEY=VALUE" }

// Set adds a label.
func (l *Labels) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("'%s' is not of the form KEY=VALUE", text)
	}
	if *l == nil {
		*l = Labels{}
	}
	(*l)[key] = value
	return nil
}

// Texts collects the values of an option that may be repeated. Unlike pflag's lists it leaves commas alone.
type Texts struct {
	Values []string
	Name   string // what help calls a value
}

// String is empty: there is no default to show.
func (t *Texts) String() string { return "" }

// Type is what help calls the value.
func (t *Texts) Type() string { return t.Name }

// Set adds a text.
func (t *Texts) Set(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	t.Values = append(t.Values, text)
	return nil
}
