package option

import (
	"fmt"
	"strings"
)

// Metric is a metric with the weight that it has for a cluster.
type Metric struct {
	Name       string  `json:"name"`
	Weight     float64 `json:"weight"`
	Namespaced bool    `json:"namespaced"`
}

// Metrics collects NAME WEIGHT. Two options may share the list, one for the metrics of the namespace and one for the
// global ones.
type Metrics struct {
	List       *[]Metric
	Namespaced bool
}

// String is empty: there is no default to show.
func (m *Metrics) String() string { return "" }

// Type is what help calls the value.
func (m *Metrics) Type() string { return "NAME WEIGHT" }

// Take takes two words.
func (m *Metrics) Take(following []string) (string, int, error) { return two(following) }

// Set adds a metric.
func (m *Metrics) Set(text string) error {
	words := split(text)
	if len(words) != 2 {
		return errTwo
	}
	weight, err := finite(words[1])
	if err != nil {
		return fmt.Errorf("the weight '%s' of metric '%s' is not a number", words[1], words[0])
	}
	*m.List = append(*m.List, Metric{Name: words[0], Weight: weight, Namespaced: m.Namespaced})
	return nil
}

// Words of one option travel in one text, kept apart by a character that no command line can contain.
const between = "\x00"

func join(words []string) string { return strings.Join(words, between) }

func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, between)
}
