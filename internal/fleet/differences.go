package fleet

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// differences lists the fields in which two trees differ, sorted by their paths. Elements of lists that have a name are
// compared with those of the same name, others with those in the same place.
func differences(before, after map[string]any) []api.FieldDiff {
	out := inMaps([]api.FieldDiff{}, "", before, after)
	slices.SortStableFunc(out, func(a, b api.FieldDiff) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func inMaps(out []api.FieldDiff, path string, before, after map[string]any) []api.FieldDiff {
	keys := maps.Clone(after)
	if keys == nil {
		keys = map[string]any{}
	}
	maps.Copy(keys, before)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		out = inValues(out, below(path, key), before[key], after[key])
	}
	return out
}

// below is the path of a field.
func below(path, key string) string {
	if key == "" || strings.ContainsAny(key, ".[]\"/ ") {
		return fmt.Sprintf("%s[%q]", path, key)
	}
	return strings.TrimPrefix(path+"."+key, ".")
}

func inValues(out []api.FieldDiff, path string, before, after any) []api.FieldDiff {
	if isVoid(before) && isVoid(after) || reflect.DeepEqual(before, after) {
		return out
	}
	was, wasMap := before.(map[string]any)
	is, isMap := after.(map[string]any)
	if (wasMap || before == nil) && (isMap || after == nil) {
		return inMaps(out, path, was, is)
	}
	old, wasList := before.([]any)
	new, isList := after.([]any)
	if (wasList || before == nil) && (isList || after == nil) {
		return inLists(out, path, old, new)
	}
	return append(out, api.FieldDiff{Path: path, Before: before, After: after})
}

func inLists(out []api.FieldDiff, path string, before, after []any) []api.FieldDiff {
	was, wasNamed := byName(before)
	is, isNamed := byName(after)
	if wasNamed && isNamed {
		names := maps.Clone(was)
		maps.Copy(names, is)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			out = inValues(out, fmt.Sprintf("%s[%s]", path, name), was[name], is[name])
		}
		return out
	}
	for i := range max(len(before), len(after)) {
		out = inValues(out, fmt.Sprintf("%s[%d]", path, i), elementAt(before, i), elementAt(after, i))
	}
	return out
}

func elementAt(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// byName gives the elements of a list by their names, if each has one of its own.
func byName(list []any) (map[string]any, bool) {
	out := map[string]any{}
	for _, element := range list {
		fields, _ := element.(map[string]any)
		name, ok := fields["name"].(string)
		if _, twice := out[name]; !ok || twice {
			return nil, false
		}
		out[name] = element
	}
	return out, true
}

// digests stand for values that must not be told. Equal values have equal ones, within one answer: its key is forgotten, so
// nobody can find out a value by trying what has the same.
type digests struct{ key [32]byte }

func newDigests() *digests {
	d := &digests{}
	_, _ = rand.Read(d.key[:]) // never fails
	return d
}

func (d *digests) of(value any) string {
	content, err := json.Marshal(value)
	if err != nil {
		content = fmt.Append(nil, value)
	}
	sum := hmac.New(sha256.New, d.key[:])
	sum.Write(content)
	return "(secret " + hex.EncodeToString(sum.Sum(nil)[:4]) + ")"
}

// open are the fields of a Secret that tell nothing. Annotations may repeat what is in it.
var open = map[string]bool{"apiVersion": true, "kind": true, "metadata": true, "type": true, "immutable": true}

// secret hides the values of a Secret.
func (d *digests) secret(object map[string]any) {
	for key, value := range object {
		if !open[key] {
			object[key] = d.each(value)
		}
	}
	if metadata := mapAt(object, "metadata"); metadata["annotations"] != nil {
		metadata["annotations"] = d.each(metadata["annotations"])
	}
}

// each hides the values of a mapping one by one, and anything else as a whole.
func (d *digests) each(value any) any {
	fields, ok := value.(map[string]any)
	if !ok {
		return d.of(value)
	}
	out := make(map[string]any, len(fields))
	for key, inner := range fields {
		out[key] = d.of(inner)
	}
	return out
}
