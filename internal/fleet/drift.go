package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Drift lists the fields of an applied object that are not any more as they were applied, as paths such as spec.replicas.
// It looks at who owns what: who changes a field takes it over, and a value that the cluster merely spells otherwise
// (1000m and 1, a default filled in) stays ours. So it also works without the content of an object, which for Secrets is
// not read. A field that is ours and has another meaning all the same was changed by nobody who leaves a name: admission
// webhooks do so.
//
// What others have added is no drift, unless an observer schema bounds the length of a list. Of an object with a schema,
// only what is observed can drift.
func Drift(o *Object, live *unstructured.Unstructured) []string {
	wanted, own := kept(o, live), ownFields(live)
	d := drift{live: true}
	d.fields("", wanted, own, live.Object)
	if o.observed != nil {
		for _, m := range misfits("", "", o.observed, live.Object, allOwn(live)) {
			d.lost = append(d.lost, m.String())
		}
	}
	return d.lost
}

// kept are the fields of an object that are to stay as they are wanted.
func kept(o *Object, live *unstructured.Unstructured) map[string]any {
	if o.observed == nil {
		return o.form.Object
	}
	form, _ := complete(o.observed, o.form.Object, o.before, nil).(map[string]any)
	return splitBy(o.observed, form, allOwn(live)).observed
}

// missing lists the wanted fields that a tree does not have.
func missing(wanted, tree map[string]any) []string {
	var d drift
	d.fields("", wanted, tree, nil)
	return d.lost
}

// ChangedBy names the field managers that now have fields of an object which are to be ours. It asks the cluster: of the
// managers of others the informers keep nothing.
func (m *Member) ChangedBy(ctx context.Context, o Object) ([]string, error) {
	live, err := m.look(ctx, &o)
	if err != nil || live == nil {
		return nil, err
	}
	wanted := kept(&o, live)
	lost := missing(wanted, ownFields(live))
	var managers []string
	for _, entry := range live.GetManagedFields() {
		var tree map[string]any
		if entry.Manager == FieldManager || entry.Manager == InitialManager || entry.FieldsV1 == nil || json.Unmarshal(entry.FieldsV1.GetRawBytes(), &tree) != nil {
			continue
		}
		theirs := missing(wanted, tree)
		has := func(path string) bool {
			return !slices.ContainsFunc(theirs, func(not string) bool {
				return path == not || strings.HasPrefix(path, not+".") || strings.HasPrefix(path, not+"[")
			})
		}
		if slices.ContainsFunc(lost, has) && !slices.Contains(managers, entry.Manager) {
			managers = append(managers, entry.Manager)
		}
	}
	return managers, nil
}

// allOwn are the fields that we own or have set once.
func allOwn(live *unstructured.Unstructured) map[string]any {
	return union(ownFields(live), fieldsOf(live, InitialManager))
}

// ownFields are the fields that our applies own, in the notation of managed fields: "f:" and the name of a field, "k:"
// and the key fields of an element of a list, "v:" and an element of a set, "." for the thing itself. Something that is
// owned as a whole has nothing inside.
func ownFields(live *unstructured.Unstructured) map[string]any { return fieldsOf(live, FieldManager) }

func fieldsOf(live *unstructured.Unstructured, manager string) map[string]any {
	for _, entry := range live.GetManagedFields() {
		var own map[string]any
		if isApply(entry, manager) && entry.FieldsV1 != nil && json.Unmarshal(entry.FieldsV1.GetRawBytes(), &own) == nil {
			return own
		}
	}
	return nil
}

func isApply(entry metav1.ManagedFieldsEntry, manager string) bool {
	return entry.Manager == manager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
}

// unowned are fields that name an object and so belong to nobody, and the status, which belongs to the cluster: it takes
// none from an apply.
var unowned = map[string]bool{"apiVersion": true, "kind": true, "metadata.name": true, "metadata.namespace": true, "status": true}

// drift collects the paths of fields that are not ours any more, and if live is set, of those that are ours and mean
// something else than they should.
type drift struct {
	live bool
	lost []string
}

// onAdmission is said of a field that is ours, and not as it was applied.
const onAdmission = " (as it is applied, the cluster gives it another value)"

func (d *drift) fields(path string, wanted, own, live map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		inner := strings.TrimPrefix(path+"."+key, ".")
		if unowned[inner] || isVoid(wanted[key]) {
			continue
		}
		there, known := live[key]
		if path == "" && !known { // such as the content of a Secret, which is not read
			d.owned(inner, wanted[key], own["f:"+key])
			continue
		}
		d.value(inner, wanted[key], own["f:"+key], there)
	}
}

// owned looks at who owns a field of which the value is not known.
func (d *drift) owned(path string, wanted, owned any) {
	blind := drift{}
	blind.value(path, wanted, owned, nil)
	d.lost = append(d.lost, blind.lost...)
}

// lose notes all fields of a value that is not ours at all.
func (d *drift) lose(path string, wanted any) {
	if fields, ok := wanted.(map[string]any); ok {
		d.fields(path, fields, nil, nil)
		return
	}
	d.lost = append(d.lost, path)
}

func (d *drift) value(path string, wanted, owned, live any) {
	own, ok := owned.(map[string]any)
	if !ok {
		d.lose(path, wanted)
		return
	}
	if len(own) == 0 { // ours as a whole
		if d.live && !sameMeaning(wanted, live) {
			d.lost = append(d.lost, path+onAdmission)
		}
		return
	}
	switch wanted := wanted.(type) {
	case map[string]any:
		fields, _ := live.(map[string]any)
		d.fields(path, wanted, own, fields)
	case []any:
		for i, element := range wanted {
			there, _ := elementOf(live, own, element)
			if !isKeyed(own) {
				there = element // of a set, who owns it is all there is to know
			}
			d.value(fmt.Sprintf("%s[%d]", path, i), element, ofElement(own, element), there)
		}
	}
}

// ofElement finds what is owned of an element of a list: by its value in a set, by its key fields in a list of maps. The
// cluster fills in key fields that have defaults, so only those that the manifest states are compared.
func ofElement(own map[string]any, element any) any {
	fields, isMap := element.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		mark, text, _ := strings.Cut(name, ":")
		switch {
		case mark == "v" && !isMap && sameJSON(text, element):
			return own[name]
		case mark == "k" && isMap && hasKeys(text, fields):
			return own[name]
		}
	}
	return nil
}

func hasKeys(text string, fields map[string]any) bool {
	var keys map[string]any
	if json.Unmarshal([]byte(text), &keys) != nil {
		return false
	}
	for key, value := range keys {
		if stated, ok := fields[key]; ok && fmt.Sprint(stated) != fmt.Sprint(value) {
			return false
		}
	}
	return true
}

func sameJSON(text string, value any) bool {
	content, err := json.Marshal(value)
	return err == nil && string(content) == text
}

// isVoid says whether a value is one that the cluster may leave out of an object without changing its meaning.
func isVoid(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	default:
		return false
	}
}
