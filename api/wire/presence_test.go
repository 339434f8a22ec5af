package wire_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api/wire"
)

// minimal is a station of which only what is required was said, and how it is given back.
const (
	minimal  = `{"metadata":{"name":"a"},"spec":{}}`
	defaults = `{"metadata":{"name":"a","notes":[],"retired":null,"uid":"","version":"","zone":null},` +
		`"spec":{"active":true,"colour":"RED","free":{},"height":2,"mood":"","owner":null,"rules":null,"share":0.5,` +
		`"site":{"high":0,"hint":"none","low":0},"source":null,"tags":[],"weights":{}},` +
		`"status":{"found":[],"lock":null,"phase":"new"}}`
)

func TestWhatIsAbsentGetsItsDefault(t *testing.T) {
	s := &station{}
	if err := wire.Decode(tree(t, minimal), s, wire.Create); err != nil {
		t.Fatal(err)
	}
	if got := encoded(t, s); got != defaults {
		t.Errorf("got  %s\nwant %s", got, defaults)
	}
}

func TestAnEmptyObjectOfATypeHasAllDefaults(t *testing.T) {
	s := &station{}
	wire.Default(s)
	s.Metadata.Name = "a"
	if got := encoded(t, s); got != defaults {
		t.Errorf("got  %s\nwant %s", got, defaults)
	}
}

func TestPresenceAndNull(t *testing.T) {
	for name, c := range map[string]struct {
		mode wire.Mode
		doc  string
		want string // the error, empty for none
	}{
		"what is required is missed": {wire.Create, `{}`,
			`{'metadata': ['Missing data for required field.'], 'spec': ['Missing data for required field.']}`},
		"what is required may not be null": {wire.Create, `{"metadata":null,"spec":null}`,
			`{'metadata': ['Field may not be null.'], 'spec': ['Field may not be null.']}`},
		"null is accepted where null is the default": {wire.Create,
			`{"metadata":{"name":"a","zone":null},"spec":{"owner":null,"rules":null,"source":null}}`, ``},
		"null is refused where the default is another value": {wire.Create,
			`{"metadata":{"name":"a"},"spec":{"height":null,"share":null,"active":null,"colour":null,"tags":null,"weights":null,"free":null,"site":null}}`,
			`{'spec': {'height': ['Field may not be null.'], 'share': ['Field may not be null.'], ` +
				`'active': ['Field may not be null.'], 'colour': ['Field may not be null.'], 'tags': ['Field may not be null.'], ` +
				`'weights': ['Field may not be null.'], 'free': ['Field may not be null.'], 'site': ['Field may not be null.']}}`},
		"an added field may be null, which means its default": {wire.Create,
			`{"metadata":{"name":"a","notes":null},"spec":{"site":{"hint":null}}}`, ``},

		"on create the server's fields are not even looked at": {wire.Create,
			`{"metadata":{"name":"a","uid":5,"retired":false,"version":{}},"spec":{},"status":"bogus"}`, ``},
		"on create the status may be null": {wire.Create, `{"metadata":{"name":"a"},"spec":{},"status":null}`, ``},

		"on update the server's fields must be there": {wire.Update, `{"metadata":{"name":"a"},"spec":{},"status":{}}`,
			`{'metadata': {'uid': ['Missing data for required field.']}}`},
		"on update the server's fields must be well-formed": {wire.Update,
			`{"metadata":{"name":"a","uid":5,"retired":false},"spec":{},"status":{}}`,
			`{'metadata': {'uid': ['Not a valid string.'], 'retired': ['Not a valid string.']}}`},
		"on update the server's fields may not be null": {wire.Update, `{"metadata":{"name":"a","uid":null},"spec":{},"status":{}}`,
			`{'metadata': {'uid': ['Field may not be null.']}}`},
		"on update a nullable field of the server may be absent": {wire.Update,
			`{"metadata":{"name":"a","uid":"u"},"spec":{},"status":{}}`, ``},
		"on update added fields of the server are not looked at": {wire.Update,
			`{"metadata":{"name":"a","uid":"u","version":{}},"spec":{},"status":{}}`, ``},
		"on update the status must be there": {wire.Update, `{"metadata":{"name":"a","uid":"u"},"spec":{}}`,
			`{'status': ['Missing data for required field.']}`},
		"on update the status may not be null": {wire.Update, `{"metadata":{"name":"a","uid":"u"},"spec":{},"status":null}`,
			`{'status': ['Field may not be null.']}`},

		"a stored document may lack everything":                        {wire.Stored, `{}`, ``},
		"a stored document may have null anywhere":                     {wire.Stored, `{"metadata":null,"spec":{"height":null,"tags":null},"status":null}`, ``},
		"a stored document may have an enum that was never set":        {wire.Stored, `{"spec":{"colour":""}}`, ``},
		"a stored document is not asked for rules":                     {wire.Stored, `{"spec":{"site":{"low":2,"high":1}}}`, ``},
		"a stored document with an unknown alternative can be read":    {wire.Stored, `{"spec":{"source":{"type":"rain","rain":{}}}}`, ``},
		"a stored document of rules that decode is read by the letter": {wire.Stored, `{"spec":{"mood":"very calm"}}`, ``},
		"a stored list may not have null for an element": {wire.Stored, `{"metadata":{"notes":[{"text":"a"},null]},"spec":{"tags":[null]}}`,
			`{'metadata': {'notes': {1: ['Field may not be null.']}}, 'spec': {'tags': {0: ['Field may not be null.']}}}`},
		"a stored document of other types is refused, field by field": {wire.Stored, `{"spec":{"height":[],"tags":{}}}`,
			`{'spec': {'height': ['Not a valid integer.'], 'tags': ['Not a valid list.']}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := wire.Decode(tree(t, c.doc), &station{}, c.mode); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestTheServersFieldsAreNotTakenFromARequest(t *testing.T) {
	s := &station{}
	doc := `{"metadata":{"name":"a","uid":"mine","version":"9","retired":"yes"},"spec":{},"status":{"phase":"old"}}`
	if err := wire.Decode(tree(t, doc), s, wire.Create); err != nil {
		t.Fatal(err)
	}
	if got := encoded(t, s); got != defaults {
		t.Errorf("got  %s\nwant %s", got, defaults)
	}
}

func TestADecodedValueForgetsWhatItHeld(t *testing.T) {
	s := stationOf(t, `{"metadata":{"name":"b","zone":"z"},"spec":{"height":9,"tags":["x"],"mood":"calm"},"status":{"phase":"old"}}`)
	if err := wire.Decode(tree(t, minimal), s, wire.Create); err != nil {
		t.Fatal(err)
	}
	if got := encoded(t, s); got != defaults {
		t.Errorf("got  %s\nwant %s", got, defaults)
	}
}

func TestAPolymorphicContainer(t *testing.T) {
	run[source](t, map[string]coercion{
		"takes the alternative that its type names": {`{"type":"well","well":{"depth":"3"}}`, `{"type":"well","well":{"depth":3,"name":"old"}}`},
		"drops everything else": {`{"type":"well","well":{"depth":3,"x":1},"spring":{"flows":5},"zzz":1}`,
			`{"type":"well","well":{"depth":3,"name":"old"}}`},
		"must be an object":                     {`"well"`, `{'_schema': ['Invalid input type.']}`},
		"must name a type":                      {`{}`, `{'type': ['Missing data for required field.']}`},
		"may not name null":                     {`{"type":null}`, `{'type': ['Field may not be null.']}`},
		"must name its type as a text":          {`{"type":5}`, `{'type': ['Not a valid string.']}`},
		"must name a type that exists":          {`{"type":"foo"}`, `{'type': ["Unknown type 'foo'"]}`},
		"does not take its own key for a type":  {`{"type":"type"}`, `{'type': ["Unknown type 'type'"]}`},
		"must hold what its type names":         {`{"type":"well"}`, `{'well': ['Field is required']}`},
		"may not hold null":                     {`{"type":"well","well":null}`, `{'_schema': ['Invalid input type.']}`},
		"may not hold a text":                   {`{"type":"well","well":"deep"}`, `{'_schema': ['Invalid input type.']}`},
		"tells errors beside the discriminator": {`{"type":"well","well":{}}`, `{'depth': ['Missing data for required field.']}`},
		"tells deep errors beside it, too": {`{"type":"spring","spring":{"flows":{"a":"x"}}}`,
			`{'flows': {'a': {'value': ['Not a valid number.']}}}`},
	})
}
