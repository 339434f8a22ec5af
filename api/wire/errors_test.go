package wire_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api/wire"
)

func TestATreeOfErrorsReadsLikePython(t *testing.T) {
	for name, c := range map[string]struct {
		build func(e *wire.Errors)
		want  string
	}{
		"an empty tree":                    {func(*wire.Errors) {}, `{}`},
		"a message at a field":             {func(e *wire.Errors) { e.At("a").Add("wrong") }, `{'a': ['wrong']}`},
		"several messages at a field":      {func(e *wire.Errors) { e.At("a").Add("wrong"); e.At("a").Add("late") }, `{'a': ['wrong', 'late']}`},
		"fields in the order of mention":   {func(e *wire.Errors) { e.At("b").Add("x"); e.At("a").Add("y") }, `{'b': ['x'], 'a': ['y']}`},
		"an element of a list":             {func(e *wire.Errors) { e.At("a").Index(3).Add("wrong") }, `{'a': {3: ['wrong']}}`},
		"a rule about the whole":           {func(e *wire.Errors) { e.AddSchema("wrong") }, `{'_schema': ['wrong']}`},
		"a pair of text and message":       {func(e *wire.Errors) { e.At("labels").AddPair("", "wrong") }, `{'labels': [{'': 'wrong'}]}`},
		"alternatives that all failed":     {func(e *wire.Errors) { e.At("a").AddAlternatives("no map", "no text") }, `{'a': [['no map'], ['no text']]}`},
		"fields without messages are gone": {func(e *wire.Errors) { e.At("a").At("b"); e.At("c").Add("x") }, `{'c': ['x']}`},
		"single quotes turn the quotes":    {func(e *wire.Errors) { e.At("a").Add("it's") }, `{'a': ["it's"]}`},
		"both kinds of quotes are escaped": {func(e *wire.Errors) { e.At("a").Add(`it's "it"`) }, `{'a': ['it\'s "it"']}`},
		"line ends are escaped":            {func(e *wire.Errors) { e.At("a").Add("x\n\r\ty\\") }, `{'a': ['x\n\r\ty\\']}`},
		"line ends beside a single quote":  {func(e *wire.Errors) { e.At("a").Add("it's\n") }, `{'a': ["it's\n"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			e := &wire.Errors{}
			c.build(e)
			if got := e.Error(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestATreeIsAnErrorOnlyWhenItHoldsAMessage(t *testing.T) {
	e := &wire.Errors{}
	e.At("a").Index(0).At("b")
	if !e.Empty() || e.Err() != nil {
		t.Errorf("a tree without messages is the error %v", e.Err())
	}
	e.At("a").Index(0).At("b").Add("wrong")
	if e.Empty() || e.Err() == nil {
		t.Error("a tree with a message is no error")
	}
}
