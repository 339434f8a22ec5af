package api

import (
	"encoding/json"
	"testing"

	"github.com/rak-n-rok/krake/api/wire"
)

func TestProvidersHaveExactlyTheSettingsOfTheirType(t *testing.T) {
	for name, c := range map[string]struct{ spec, want string }{
		"no type":                 {`{}`, `{'spec': {'type': ['Missing data for required field.']}}`},
		"an unknown type":         {`{"type": "foo"}`, `{'spec': {'type': ["Unknown type 'foo'"]}}`},
		"a type without settings": {`{"type": "prometheus"}`, `{'spec': {'prometheus': ['Field is required']}}`},
		"settings that lack one": {`{"type": "prometheus", "prometheus": {}}`,
			`{'spec': {'url': ['Missing data for required field.']}}`},
		"settings that are null": {`{"type": "kafka", "kafka": null}`, `{'spec': {'_schema': ['Invalid input type.']}}`},
		"all settings of influx are required": {`{"type": "influx", "influx": {"url": "u", "token": "t", "org": "o"}}`,
			`{'spec': {'bucket': ['Missing data for required field.']}}`},
		"a value that is not a number": {`{"type": "static", "static": {"metrics": {"a": "x"}}}`,
			`{'spec': {'metrics': {'a': {'value': ['Not a valid number.']}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decodeProvider(t, c.spec)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestProvidersDropWhatIsNotOfTheirType(t *testing.T) {
	r, err := decodeProvider(t, `{"type": "static", "static": {"metrics": {"co2": "41.5"}}, "prometheus": {"url": "u"}, "more": 1}`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(r.(*GlobalMetricsProvider).Spec)
	if want := `{"type":"static","static":{"metrics":{"co2":41.5}}}`; err != nil || string(got) != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

func decodeProvider(t *testing.T, spec string) (Resource, error) {
	t.Helper()
	doc, err := wire.Parse([]byte(`{"metadata": {"name": "grid-feed"}, "spec": ` + spec + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return GlobalMetricsProviderKind.Decode(doc, wire.Create)
}
