package option

import (
	"errors"
	"fmt"
	"strings"
)

// Inject collects KEY=VALUE, one or more to an option.
type Inject map[string]string

// String is empty: there is no default to show.
func (i *Inject) String() string { return "" }

// Type is what help calls the value.
func (i *Inject) Type() string { return "KEY=VALUE..." }

// Take takes all words that contain =.
func (i *Inject) Take(following []string) (string, int, error) {
	n := 0
	for n < len(following) && strings.Contains(following[n], "=") {
		n++
	}
	switch {
	case n > 0:
		return join(following[:n]), n, nil
	case len(following) > 0:
		return "", 0, fmt.Errorf("'%s' is not of the form KEY=VALUE", following[0])
	default:
		return "", 0, errors.New("expected at least one argument")
	}
}

// Set adds what Take has taken. Blanks around a key are dropped; a value may contain =.
func (i *Inject) Set(text string) error {
	for _, word := range split(text) {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			return fmt.Errorf("'%s' is not of the form KEY=VALUE", word)
		}
		if *i == nil {
			*i = Inject{}
		}
		(*i)[strings.TrimSpace(key)] = value
	}
	return nil
}
