package apiserver

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/api/wire"
)

// A selection says which objects of a collection are wanted: those that fulfil all of its rules. The zero value wants all.
type selection struct {
	labels []constraint.Label
	fields []fieldRule
}

// A fieldRule says what a field must be, or must not be.
type fieldRule struct {
	path  []string
	not   bool
	value string // null is the empty text
}

// selectionOf reads the parameters label_selector and field_selector; each may be given several times.
func selectionOf(k *api.Kind, query url.Values) (selection, error) {
	var s selection
	for _, text := range query["label_selector"] {
		rule, err := constraint.ParseLabel(text)
		if err != nil {
			return selection{}, badQuery("label_selector", err.Error())
		}
		s.labels = append(s.labels, rule)
	}
	for _, text := range query["field_selector"] {
		path, value, found := strings.Cut(text, "=")
		if !found {
			return selection{}, badQuery("field_selector", "Must be FIELD=VALUE or FIELD!=VALUE.")
		}
		path, not := strings.CutSuffix(path, "!")
		if !slices.Contains(k.SelectableFields(), path) {
			return selection{}, badQuery("field_selector", fmt.Sprintf("%s cannot be selected by %q, but by %s.", k.Name, path,
				strings.Join(k.SelectableFields(), ", ")))
		}
		s.fields = append(s.fields, fieldRule{path: strings.Split(path, "."), not: not, value: value})
	}
	return s, nil
}

func (s selection) all() bool { return len(s.labels) == 0 && len(s.fields) == 0 }

// wants says whether an object is one of the selection.
func (s selection) wants(o served) bool {
	if s.all() {
		return true
	}
	tree, err := wire.Parse(o.appendTo(nil))
	if err != nil {
		return false // nobody could read it
	}
	labels := map[string]string{}
	all, _ := at(tree, "metadata", "labels").(map[string]any)
	for key, value := range all {
		labels[key], _ = value.(string)
	}
	for _, rule := range s.labels {
		if !rule.Matches(labels) {
			return false
		}
	}
	for _, rule := range s.fields {
		if (text(at(tree, rule.path...)) == rule.value) == rule.not {
			return false
		}
	}
	return true
}

// at follows a path through objects.
func at(tree any, path ...string) any {
	for _, key := range path {
		object, _ := tree.(map[string]any)
		tree = object[key]
	}
	return tree
}

// text is how a value is written in a rule.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	default:
		return fmt.Sprint(v)
	}
}
