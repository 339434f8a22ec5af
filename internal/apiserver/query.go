package apiserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rak-n-rok/krake/api"
)

// flag reads a parameter that is true or false. Absent is false.
func flag(r *http.Request, name string) (bool, error) {
	query := r.URL.Query()
	if !query.Has(name) {
		return false, nil
	}
	value := query.Get(name)
	switch {
	case slices.Contains([]string{"true", "True", "1"}, value):
		return true, nil
	case slices.Contains([]string{"false", "False", "0"}, value):
		return false, nil
	}
	return false, badQuery(name, "Not a valid boolean.")
}

// badQuery is the refusal of a parameter, in the form that the reference has for them.
func badQuery(name, problem string) error {
	text, err := json.Marshal(problem)
	if err != nil {
		return err
	}
	return api.NewProblem(http.StatusUnprocessableEntity, "", `{"query": {%q: [%s]}}`, name, text)
}

// A view is how much of an object is shown.
type view int

const (
	viewAll      view = iota
	viewMetadata      // api, kind and metadata
)

func viewOf(query url.Values) (view, error) {
	switch query.Get("view") {
	case "":
		return viewAll, nil
	case "metadata":
		return viewMetadata, nil
	}
	return viewAll, badQuery("view", "Must be metadata.")
}

// of shows an object.
func (v view) of(o served) served {
	if v == viewAll {
		return o
	}
	data, err := envelope(o.appendTo(nil))
	if err != nil {
		panic(err) // we made it
	}
	return whole(data)
}

// envelope gives api, kind and metadata of a document. It reads no further than these, which come first: what follows is
// most of the document.
func envelope(document []byte) ([]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(document))
	if _, err := dec.ReadToken(); err != nil { // the opening brace
		return nil, err
	}
	parts := map[string]jsontext.Value{"api": nil, "kind": nil, "metadata": nil}
	for missing := len(parts); missing > 0; {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		_, wanted := parts[key]
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		if wanted {
			parts[key] = value.Clone()
			missing--
		}
	}
	return fmt.Appendf(nil, `{"api":%s,"kind":%s,"metadata":%s}`, parts["api"], parts["kind"], parts["metadata"]), nil
}
