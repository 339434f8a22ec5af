package option

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/rak-n-rok/krake/api"
)

// Hooks is what an application wants to be told. The options that set it share it.
type Hooks struct {
	Complete bool
	Shutdown bool
	// How a shutdown goes; empty where nothing was said. Grace and Retries are numbers, sent as they were typed.
	Grace, Strategy, Retries string
}

// defaultGrace is how many seconds an application has to shut down when the command line does not say.
const defaultGrace = "60"

// strategies are what may be done when an application does not shut down in time.
var strategies = []string{"give_up", "delete"}

// Names lists the hooks that are wanted.
func (h *Hooks) Names() []string {
	var out []string
	if h.Complete {
		out = append(out, api.HookComplete)
	}
	if h.Shutdown {
		out = append(out, api.HookShutdown)
	}
	return out
}

// Shutdown is the option that asks for the shutdown hook: [TIMEOUT [STRATEGY [RETRIES]]].
type Shutdown struct{ Hooks *Hooks }

// String is empty: there is no default to show.
func (s *Shutdown) String() string { return "" }

// Type is what help calls the value.
func (s *Shutdown) Type() string { return "[TIMEOUT [STRATEGY [RETRIES]]]" }

// Take takes the words that fit and leaves the others, such as the application's name, where they are.
func (s *Shutdown) Take(following []string) (string, int, error) {
	n := fitting(following)
	return join(following[:n]), n, nil
}

// fitting counts the words at the beginning that are a timeout, a strategy and a number of retries.
func fitting(words []string) int {
	n := 0
	for _, fits := range []func(string) bool{number, isStrategy, number} {
		if n == len(words) || !fits(words[n]) {
			break
		}
		n++
	}
	return n
}

// Set takes up to three words.
func (s *Shutdown) Set(text string) error {
	words := split(text)
	if n := fitting(words); n < len(words) {
		return fmt.Errorf("'%s' does not fit %s", words[n], s.Type())
	}
	*s.Hooks = Hooks{Complete: s.Hooks.Complete, Shutdown: true, Grace: defaultGrace}
	for i, into := range []*string{&s.Hooks.Grace, &s.Hooks.Strategy, &s.Hooks.Retries}[:len(words)] {
		*into = words[i]
	}
	return nil
}

// Complete is the switch that asks for the hook complete.
type Complete struct{ Hooks *Hooks }

// String says whether it is on.
func (c *Complete) String() string { return strconv.FormatBool(c.Hooks != nil && c.Hooks.Complete) }

// Type is what help calls the value; pflag shows switches without one.
func (c *Complete) Type() string { return "bool" }

// Set switches it on or off.
func (c *Complete) Set(text string) (err error) {
	c.Hooks.Complete, err = strconv.ParseBool(text)
	return err
}

// Hook is the form that both hooks had until 2022: NAME and the words of the shutdown hook.
type Hook struct{ Hooks *Hooks }

// String is empty: there is no default to show.
func (h *Hook) String() string { return "" }

// Type is what help calls the value.
func (h *Hook) Type() string { return "NAME" }

// Take takes the name of the hook and what fits after it.
func (h *Hook) Take(following []string) (string, int, error) {
	if len(following) == 0 {
		return "", 0, errors.New("expected at least one argument")
	}
	if following[0] != api.HookShutdown {
		return following[0], 1, nil
	}
	text, n, err := (&Shutdown{}).Take(following[1:])
	return join(append([]string{following[0]}, split(text)...)), n + 1, err
}

// Set takes the name of the hook and the words of the shutdown hook.
func (h *Hook) Set(text string) error {
	words := split(text)
	if len(words) > 0 && words[0] == api.HookShutdown {
		return (&Shutdown{h.Hooks}).Set(join(words[1:]))
	}
	if len(words) == 1 && words[0] == api.HookComplete {
		h.Hooks.Complete = true
		return nil
	}
	return fmt.Errorf("invalid choice: '%s' (choose from '%s', '%s')", text, api.HookComplete, api.HookShutdown)
}

func number(word string) bool {
	_, err := strconv.Atoi(word)
	return err == nil
}

func isStrategy(word string) bool { return slices.Contains(strategies, word) }
