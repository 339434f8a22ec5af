package wire_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api/wire"
)

// A garden has rules about content in every place where they can stand.
type garden struct {
	Site  site            `json:"site"`
	Next  *site           `json:"next"`
	Beds  []site          `json:"beds"`
	Named map[string]site `json:"named"`
	Mood  mood            `json:"mood"`
	Moods []mood          `json:"moods"`
	Free  map[string]any  `json:"free"`
	Water *basin          `json:"water"`
}

// A basin is a container with a rule inside.
type basin struct {
	Type string `json:"type" wire:"discriminator"`
	Pond *site  `json:"pond" wire:"variant"`
}

// Every rule is broken in what is stored: low is above high, a mood has two words, a number is none.
const brokenGarden = `{"site":{"low":2,"high":1},"next":{"low":3,"high":1},"beds":[{"low":4,"high":1},{"low":5,"high":1}],
	"named":{"a":{"low":6,"high":1}},"mood":"very calm","moods":["rather wild","quite calm"],"free":{"n":NaN},
	"water":{"type":"pond","pond":{"low":7,"high":1}}}`

func TestAnUpdateIsAskedOnlyForTheRulesOfWhatItBrings(t *testing.T) {
	const (
		above = `{'_schema': ['low is above high']}`
		words = `['More than one word.']`
	)
	for name, c := range map[string]struct{ patch, want string }{
		"nothing is new":                              {`{}`, ``},
		"something beside is new":                     {`{"beds":[{"low":4,"high":1},{"low":5,"high":1},{"low":0,"high":1}]}`, ``},
		"everything that breaks a rule goes":          {`{"site":null,"next":null,"beds":[],"named":{"a":null},"mood":"calm","moods":[],"free":{"n":1},"water":null}`, ``},
		"a rule is broken anew":                       {`{"site":{"low":3}}`, `{'site': ` + above + `}`},
		"a rule is broken anew behind a pointer":      {`{"next":{"low":2}}`, `{'next': ` + above + `}`},
		"a rule is broken anew in a container":        {`{"water":{"pond":{"low":8}}}`, `{'water': ` + above + `}`},
		"a broken element goes, the other moves up":   {`{"beds":[{"low":5,"high":1}]}`, ``},
		"a broken element is new":                     {`{"beds":[{"low":4,"high":1},{"low":9,"high":1}]}`, `{'beds': {1: ` + above + `}}`},
		"an entry with a broken rule is new":          {`{"named":{"b":{"low":6,"high":1}}}`, `{'named': {'b': {'value': ` + above + `}}}`},
		"an entry beside a broken one is new":         {`{"named":{"b":{"low":0,"high":1}}}`, ``},
		"what is broken elsewhere is broken here":     {`{"site":{"low":4}}`, `{'site': ` + above + `}`},
		"a text that its type refuses is new":         {`{"mood":"much too wild"}`, `{'mood': ` + words + `}`},
		"a text that its type refuses is the same":    {`{"mood":"very calm"}`, ``},
		"texts that their type refuses change places": {`{"moods":["quite calm","rather wild"]}`, ``},
		"one of such texts is new":                    {`{"moods":["rather wild","very, very wild"]}`, `{'moods': {1: ` + words + `}}`},
		"a number that is none is another one":        {`{"free":{"n":-Infinity}}`, `{'free': ['Special numeric values (nan or infinity) are not permitted.']}`},
		"what is no text is refused anyway":           {`{"mood":5}`, `{'mood': {'word': ['Not a mood.']}}`},
		"what is of the wrong type is refused anyway": {`{"site":{"low":"x"}}`, `{'site': {'low': ['Not a valid integer.']}}`},
	} {
		t.Run(name, func(t *testing.T) {
			stored := &garden{}
			if err := wire.Decode(tree(t, brokenGarden), stored, wire.Stored); err != nil {
				t.Fatal(err)
			}
			doc, got := wire.Patch(tree(t, brokenGarden), tree(t, c.patch)), ""
			if err := wire.DecodeUpdate(doc, &garden{}, stored); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
