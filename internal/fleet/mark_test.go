package fleet

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"
)

func TestValuesBecomeThoseOfKubernetes(t *testing.T) {
	got, err := plain(map[string]any{
		"number": json.Number("7"), "float": json.Number("0.5"), "big": json.Number("1e3"), "int": 7,
		"list": []any{nil, true, "x", int64(1), 1.5, map[string]any{}},
	})
	want := map[string]any{
		"number": int64(7), "float": 0.5, "big": 1000.0, "int": int64(7),
		"list": []any{nil, true, "x", int64(1), 1.5, map[string]any{}},
	}
	if d := cmp.Diff(any(want), got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	for _, bad := range []any{math.NaN(), math.Inf(1), json.Number("x"), json.Number("99999999999999999999"), struct{}{}, []any{uint8(1)}, map[string]any{"a": []string{}}} {
		if got, err := plain(bad); err == nil {
			t.Errorf("%v became %v", bad, got)
		}
	}
}

// values draws what a manifest may hold.
func values() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.String().AsAny(), rapid.Float64().AsAny(),
		rapid.SliceOfN(rapid.Int64().AsAny(), 0, 3).AsAny(),
		rapid.MapOfN(rapid.StringMatching(`[a-z]{1,3}`), rapid.String().AsAny(), 0, 3).AsAny(),
	)
}

func forms() *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		return map[string]any{
			"apiVersion": "v1", "kind": rapid.SampledFrom([]string{"ConfigMap", "Secret", "Pod"}).Draw(t, "kind"),
			"metadata": map[string]any{"name": rapid.StringMatching(`[a-z]{1,5}`).Draw(t, "name")},
			"spec":     rapid.MapOfN(rapid.StringMatching(`[a-z]{1,4}`), values(), 0, 5).Draw(t, "spec"),
		}
	})
}

func marked(t *rapid.T, raw map[string]any, owner Owner) (*unstructured.Unstructured, string) {
	content, err := plainMap(raw)
	if err != nil {
		t.Fatal(err)
	}
	form := &unstructured.Unstructured{Object: content}
	mark(form, owner)
	hash, err := hashForm(form, nil)
	if err != nil {
		t.Fatal(err)
	}
	return form, hash
}

func TestAHashNeverDependsOnHowItCameAbout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := forms().Draw(t, "object")
		form, hash := marked(t, raw, Owner{UID: "u", Namespace: "n", Name: "a"})
		again, same := marked(t, raw, Owner{UID: "u", Namespace: "n", Name: "a"})
		if hash != same {
			t.Fatalf("%s and %s for %v and %v", hash, same, form, again)
		}
		// Also not on what a cluster has added.
		content, _ := plainMap(raw)
		mapAt(content, "metadata")["uid"] = "x"
		mapAt(content, "metadata")["resourceVersion"] = "9"
		if _, same := marked(t, content, Owner{UID: "u", Namespace: "n", Name: "a"}); hash != same {
			t.Fatal("assigned metadata count")
		}
	})
}

func TestAHashNeverOverlooksAChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := forms().Draw(t, "one"), forms().Draw(t, "other")
		one, hashOne := marked(t, a, Owner{UID: "u"})
		other, hashOther := marked(t, b, Owner{UID: "u"})
		x, _ := json.Marshal(one.Object)
		y, _ := json.Marshal(other.Object)
		if (hashOne == hashOther) != (string(x) == string(y)) {
			t.Fatalf("%s and %s\n%s\n%s", hashOne, hashOther, x, y)
		}
		if _, hash := marked(t, a, Owner{UID: "v"}); hash == hashOne {
			t.Fatal("the owner does not count")
		}
	})
}

func TestWavesAreInOrder(t *testing.T) {
	for _, pair := range [][2]string{
		{"apiVersion: v1\nkind: Namespace", "apiVersion: v1\nkind: ConfigMap"},
		{"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition", "apiVersion: example.org/v1\nkind: Gadget"},
		{"apiVersion: v1\nkind: ServiceAccount", "apiVersion: v1\nkind: Pod"},
		{"apiVersion: v1\nkind: Secret", "apiVersion: apps/v1\nkind: Deployment"},
		{"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role", "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding"},
		{"apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding", "apiVersion: batch/v1\nkind: Job"},
		{"apiVersion: apps/v1\nkind: Deployment", "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration"},
	} {
		first, second := object(t, pair[0]), object(t, pair[1])
		if wave(groupKind(first)) >= wave(groupKind(second)) {
			t.Errorf("%s is not before %s", first.GetKind(), second.GetKind())
		}
	}
}
