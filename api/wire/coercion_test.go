package wire_test

import (
	"testing"

	"github.com/rak-n-rok/krake/api/wire"
)

// A boxed value stands for a required field of its type.
type boxed[T any] struct {
	V T `json:"v" wire:"required"`
}

type coercion struct {
	in   string // the field's value as JSON
	want string // as it is given back, or the tree of errors below "v"
}

// run decodes every value into a field of type T and compares what it became.
func run[T any](t *testing.T, cases map[string]coercion) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var box boxed[T]
			err := wire.Decode(tree(t, `{"v":`+c.in+`}`), &box, wire.Create)
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = encoded(t, box)
				got = got[len(`{"v":`) : len(got)-1]
			}
			want := c.want
			if err != nil {
				want = `{'v': ` + c.want + `}`
			}
			if got != want {
				t.Errorf("%s became %s, want %s", c.in, got, want)
			}
		})
	}
}

func TestStringsAreNeverMadeFromOtherTypes(t *testing.T) {
	run[string](t, map[string]coercion{
		"a text":              {`"a"`, `"a"`},
		"the empty text":      {`""`, `""`},
		"not a number":        {`NaN`, `['Not a valid string.']`},
		"a text beyond ASCII": {`"é漢"`, `"é漢"`},
		"a number":            {`5`, `['Not a valid string.']`},
		"a fraction":          {`5.5`, `['Not a valid string.']`},
		"true":                {`true`, `['Not a valid string.']`},
		"a list":              {`["a"]`, `['Not a valid string.']`},
		"an object":           {`{}`, `['Not a valid string.']`},
		"null":                {`null`, `['Field may not be null.']`},
	})
}

func TestIntegersAreReadFromNumbersAndTexts(t *testing.T) {
	const refused = `['Not a valid integer.']`
	run[int64](t, map[string]coercion{
		"a whole number":                       {`7`, `7`},
		"a negative number":                    {`-7`, `-7`},
		"a fraction is cut toward zero":        {`2.7`, `2`},
		"a nearly whole one is cut, too":       {`1.9`, `1`},
		"a negative one is cut toward zero":    {`-2.7`, `-2`},
		"a float without fraction":             {`3.0`, `3`},
		"an exponent":                          {`1e3`, `1000`},
		"a text of digits":                     {`"60"`, `60`},
		"a text with a sign":                   {`"-1"`, `-1`},
		"a text with a plus":                   {`"+5"`, `5`},
		"a text with blanks around it":         {`" 60 "`, `60`},
		"the largest":                          {`9223372036854775807`, `9223372036854775807`},
		"the smallest":                         {`-9223372036854775808`, `-9223372036854775808`},
		"a text of a fraction":                 {`"1.9"`, refused},
		"a text of an exponent":                {`"1e3"`, refused},
		"a text of a hexadecimal number":       {`"0x10"`, refused},
		"not a number":                         {`NaN`, refused},
		"infinity":                             {`-Infinity`, refused},
		"the empty text":                       {`""`, refused},
		"a word":                               {`"many"`, refused},
		"true":                                 {`true`, refused},
		"false":                                {`false`, refused},
		"a number beyond 64 bits":              {`9223372036854775808`, refused},
		"a float beyond 64 bits":               {`1e300`, refused},
		"a float just beyond 64 bits":          {`9.223372036854775808e18`, refused},
		"a number beyond the range of a float": {`1e999`, refused},
		"a list":                               {`[1]`, refused},
		"an object":                            {`{}`, refused},
		"null":                                 {`null`, `['Field may not be null.']`},
	})
}

func TestFloatsAreReadFromNumbersAndTextsIfFinite(t *testing.T) {
	const (
		refused = `['Not a valid number.']`
		special = `['Special numeric values (nan or infinity) are not permitted.']`
	)
	run[float64](t, map[string]coercion{
		"a fraction":                           {`0.25`, `0.25`},
		"a whole number":                       {`900`, `900`},
		"zero":                                 {`0`, `0`},
		"a text of a fraction":                 {`"0.5"`, `0.5`},
		"a text of an exponent":                {`"1e3"`, `1000`},
		"a text with blanks around it":         {`" 41.5 "`, `41.5`},
		"a whole number beyond 64 bits":        {`100000000000000000000`, `100000000000000000000`},
		"not a number":                         {`NaN`, special},
		"infinity":                             {`Infinity`, special},
		"negative infinity":                    {`-Infinity`, special},
		"a text of not a number":               {`"nan"`, special},
		"a text of infinity":                   {`"Infinity"`, special},
		"a text of negative infinity":          {`"-inf"`, special},
		"a number beyond the range of a float": {`1e999`, special},
		"a text beyond the range of a float":   {`"1e999"`, special},
		"a text of a hexadecimal number":       {`"0x10"`, refused},
		"a text of a hexadecimal fraction":     {`"0x1p-2"`, refused},
		"the empty text":                       {`""`, refused},
		"a word":                               {`"much"`, refused},
		"true":                                 {`true`, refused},
		"false":                                {`false`, refused},
		"a list":                               {`[1]`, refused},
		"an object":                            {`{}`, refused},
		"null":                                 {`null`, `['Field may not be null.']`},
	})
}

func TestBooleansAreReadFromWordsAndFromOneAndZero(t *testing.T) {
	cases := map[string]coercion{
		"true":           {`true`, `true`},
		"false":          {`false`, `false`},
		"one":            {`1`, `true`},
		"zero":           {`0`, `false`},
		"one as a float": {`1.0`, `true`},
		"null":           {`null`, `['Field may not be null.']`},
	}
	for _, word := range []string{"t", "T", "true", "True", "TRUE", "on", "On", "ON", "y", "Y", "yes", "Yes", "YES", "1"} {
		cases["the word "+word] = coercion{`"` + word + `"`, `true`}
	}
	for _, word := range []string{"f", "F", "false", "False", "FALSE", "off", "Off", "OFF", "n", "N", "no", "No", "NO", "0"} {
		cases["the word "+word] = coercion{`"` + word + `"`, `false`}
	}
	for name, in := range map[string]string{
		"another number": `2`, "a fraction": `0.5`, "a negative number": `-1`, "the empty text": `""`, "another word": `"maybe"`,
		"a word in mixed case": `"tRue"`, "a word with a blank": `"yes "`, "a list": `[]`, "an object": `{}`, "not a number": `NaN`,
	} {
		cases[name] = coercion{in, `['Not a valid boolean.']`}
	}
	run[bool](t, cases)
}

func TestEnumsTravelByName(t *testing.T) {
	run[colour](t, map[string]coercion{
		"a member":            {`"GREEN"`, `"GREEN"`},
		"another case":        {`"green"`, `['Invalid enum member green']`},
		"an unknown name":     {`"BLUE"`, `['Invalid enum member BLUE']`},
		"the empty text":      {`""`, `['Invalid enum member ']`},
		"a method's name":     {`"Members"`, `['Invalid enum member Members']`},
		"a member's number":   {`1`, `['Enum name must be string']`},
		"a list":              {`["RED"]`, `['Enum name must be string']`},
		"true":                {`true`, `['Enum name must be string']`},
		"null":                {`null`, `['Field may not be null.']`},
		"a text with a blank": {`"RED "`, `['Invalid enum member RED ']`},
	})
}

func TestListsNameTheElementThatIsWrong(t *testing.T) {
	run[[]int64](t, map[string]coercion{
		"an empty list":          {`[]`, `[]`},
		"elements are converted": {`[1,"2",3.9]`, `[1,2,3]`},
		"a wrong element":        {`[1,"x",true]`, `{1: ['Not a valid integer.'], 2: ['Not a valid integer.']}`},
		"a null element":         {`[null]`, `{0: ['Field may not be null.']}`},
		"an object":              {`{}`, `['Not a valid list.']`},
		"a text":                 {`"12"`, `['Not a valid list.']`},
		"null":                   {`null`, `['Field may not be null.']`},
	})
}

func TestMapsNameTheEntryThatIsWrong(t *testing.T) {
	run[map[string]float64](t, map[string]coercion{
		"an empty map":         {`{}`, `{}`},
		"values are converted": {`{"a":"41.5","b":650}`, `{"a":41.5,"b":650}`},
		"a wrong value":        {`{"a":1,"b":"x"}`, `{'b': {'value': ['Not a valid number.']}}`},
		"a null value":         {`{"a":null}`, `{'a': {'value': ['Field may not be null.']}}`},
		"a list":               {`[]`, `['Not a valid mapping type.']`},
		"null":                 {`null`, `['Field may not be null.']`},
	})
}

func TestFreeObjectsKeepEverythingThatJSONHas(t *testing.T) {
	const special = `['Special numeric values (nan or infinity) are not permitted.']`
	run[map[string]any](t, map[string]coercion{
		"nested values":   {`{"a":[1,{"b":null}],"c":1.5,"d":"x","e":true}`, `{"a":[1,{"b":null}],"c":1.5,"d":"x","e":true}`},
		"a large number":  {`{"n":123456789012345678901234567890}`, `{"n":123456789012345678901234567890}`},
		"a whole float":   {`{"n":1.0}`, `{"n":1}`},
		"not a number":    {`{"a":[{"b":NaN}]}`, special},
		"infinity":        {`{"a":-Infinity}`, special},
		"beyond a float":  {`{"a":1e999}`, special},
		"a list":          {`[]`, `['Not a valid mapping type.']`},
		"a text":          {`"x"`, `['Not a valid mapping type.']`},
		"null for itself": {`null`, `['Field may not be null.']`},
	})
}

func TestObjectsAreReadFieldByField(t *testing.T) {
	run[note](t, map[string]coercion{
		"unknown keys are dropped":            {`{"text":"a","colour":"red"}`, `{"loud":false,"text":"a"}`},
		"keys in another case are unknown":    {`{"Text":"a"}`, `{'text': ['Missing data for required field.']}`},
		"every field that is wrong is told":   {`{"text":1,"loud":7}`, `{'text': ['Not a valid string.'], 'loud': ['Not a valid boolean.']}`},
		"a list":                              {`[]`, `{'_schema': ['Invalid input type.']}`},
		"a text":                              {`"x"`, `{'_schema': ['Invalid input type.']}`},
		"null":                                {`null`, `['Field may not be null.']`},
		"of duplicate keys the last one wins": {`{"text":"a","text":"b"}`, `{"loud":false,"text":"b"}`},
	})
}

func TestRulesAboutAWholeObjectAreAskedOnceItsFieldsAreSound(t *testing.T) {
	run[site](t, map[string]coercion{
		"a rule that holds":             {`{"low":1,"high":2}`, `{"high":2,"hint":"none","low":1}`},
		"a rule that does not":          {`{"low":3,"high":2}`, `{'_schema': ['low is above high']}`},
		"a rule behind a broken field":  {`{"low":3,"high":"x"}`, `{'high': ['Not a valid integer.']}`},
		"a rule of an object in a list": {`{"low":-1,"high":-2}`, `{'_schema': ['low is above high']}`},
	})
	run[[]site](t, map[string]coercion{
		"the error is told at the element": {`[{"low":1,"high":2},{"low":3,"high":2}]`, `{1: {'_schema': ['low is above high']}}`},
	})
}

func TestTypesThatDecodeThemselves(t *testing.T) {
	run[mood](t, map[string]coercion{
		"accept what they know":            {`"calm"`, `"calm"`},
		"give a message":                   {`"very calm"`, `['More than one word.']`},
		"give a tree of messages":          {`5`, `{'word': ['Not a mood.']}`},
		"are told of null if they want it": {`null`, `"silent"`},
	})
}

func TestADocumentThatIsNoObjectIsRefusedAsAWhole(t *testing.T) {
	for _, text := range []string{`[]`, `"x"`, `5`, `true`, `null`} {
		err := wire.Decode(tree(t, text), &note{}, wire.Create)
		if err == nil || err.Error() != "{'_schema': ['Invalid input type.']}" {
			t.Errorf("%s: %v", text, err)
		}
	}
}
