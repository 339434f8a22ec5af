package option

import (
	"fmt"
	"strconv"
)

// Width is how many characters a line may have, 0 for any number.
type Width struct {
	Characters int
	Given      bool
}

// String is empty: there is no default to show.
func (w *Width) String() string { return "" }

// Type is what help calls the value.
func (w *Width) Type() string { return "CHARACTERS" }

// Set takes a number.
func (w *Width) Set(text string) error {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return fmt.Errorf("invalid int value: '%s'", text)
	case n < 0:
		return fmt.Errorf("'%s' is less than 0", text)
	}
	*w = Width{Characters: n, Given: true}
	return nil
}
