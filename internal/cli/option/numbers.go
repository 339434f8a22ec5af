package option

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Decimal is a number that is sent as it was typed; the API reads it.
type Decimal struct{ Text string }

// String returns the text.
func (d *Decimal) String() string { return d.Text }

// Type is what help calls the value.
func (d *Decimal) Type() string { return "NUMBER" }

// Set takes a number.
func (d *Decimal) Set(text string) error {
	if _, err := finite(text); err != nil {
		return err
	}
	d.Text = text
	return nil
}

func finite(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("'%s' is not a number", text)
	}
	return f, nil
}

// Int is a whole number that need not be given.
type Int struct{ Value *int64 }

// String is empty: there is no default to show.
func (i *Int) String() string { return "" }

// Type is what help calls the value.
func (i *Int) Type() string { return "NUMBER" }

// Set takes a number.
func (i *Int) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("invalid int value: '%s'", text)
	}
	i.Value = &n
	return nil
}

// Ints is a list of whole numbers in one option. A later one replaces it.
type Ints struct {
	Given  bool
	Values []int64
}

// String is empty: there is no default to show.
func (i *Ints) String() string { return "" }

// Type is what help calls the value.
func (i *Ints) Type() string { return "[NUMBER...]" }

// Take takes the words that are whole numbers.
func (i *Ints) Take(following []string) (string, int, error) {
	n := 0
	for n < len(following) && number(following[n]) {
		n++
	}
	return join(following[:n]), n, nil
}

// Set takes what Take has taken.
func (i *Ints) Set(text string) error {
	*i = Ints{Given: true, Values: []int64{}}
	for _, word := range split(text) {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return fmt.Errorf("invalid int value: '%s'", word)
		}
		i.Values = append(i.Values, n)
	}
	return nil
}

// A Reading is a metric with its value.
type Reading struct {
	Name  string
	Value float64
}

// Readings collects NAME VALUE.
type Readings []Reading

// String is empty: there is no default to show.
func (r *Readings) String() string { return "" }

// Type is what help calls the value.
func (r *Readings) Type() string { return "NAME VALUE" }

// Take takes two words.
func (r *Readings) Take(following []string) (string, int, error) { return two(following) }

// Set adds a metric.
func (r *Readings) Set(text string) error {
	words := split(text)
	if len(words) != 2 {
		return errTwo
	}
	value, err := finite(words[1])
	if err != nil {
		return fmt.Errorf("the value of metric '%s': %w", words[0], err)
	}
	*r = append(*r, Reading{Name: words[0], Value: value})
	return nil
}

// A Pair is two words that belong together, such as an ID and its secret.
type Pair struct {
	First, Second string
	Names         string // what help calls them
}

// String is empty: there is no default to show.
func (p *Pair) String() string { return "" }

// Type is what help calls the value.
func (p *Pair) Type() string { return p.Names }

// Take takes two words.
func (p *Pair) Take(following []string) (string, int, error) { return two(following) }

// Set takes two words, neither of which may be empty.
func (p *Pair) Set(text string) error {
	words := strings.Split(text, between)
	if len(words) != 2 {
		return errTwo
	}
	if words[0] == "" || words[1] == "" {
		return errors.New("must not be empty")
	}
	p.First, p.Second = words[0], words[1]
	return nil
}

var errTwo = errors.New("expected 2 arguments")

// two takes two words.
func two(following []string) (string, int, error) {
	if len(following) < 2 {
		return "", 0, errTwo
	}
	return join(following[:2]), 2, nil
}
