package conformance

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/api/wire"
)

// drawBody draws the body of a POST for a kind from its Go type: every field that a client may set, with any value that
// the wire allows, in the form in which it is given back.
func drawBody(t *rapid.T, k *api.Kind, name string) document {
	d := drawer{t: t, kind: k}
	fields := d.structure(reflect.TypeOf(k.New()).Elem(), "")
	fields["metadata"].(map[string]any)["name"] = name
	return fields
}

// drawStatus draws a status for a kind, nil for a kind without one.
func drawStatus(t *rapid.T, k *api.Kind) any {
	f, ok := reflect.TypeOf(k.New()).Elem().FieldByName("Status")
	if !ok {
		return nil
	}
	d := drawer{t: t, kind: k}
	return d.value(f.Type, "status")
}

// drawPart draws the content of a part.
func drawPart(t *rapid.T, k *api.Kind, p api.Part) any {
	d := drawer{t: t, kind: k}
	return d.value(reflect.TypeOf(p.New()).Elem(), p.Name)
}

// byType are the types that decode themselves or have rules of their own. A new one needs a line here.
var byType = map[reflect.Type]func(t *rapid.T) any{
	reflect.TypeFor[api.Labels](): func(t *rapid.T) any {
		key := rapid.SampledFrom([]string{"tier", "k8s.io/name", "a-b_c.d", "X"})
		return toAny(rapid.MapOfN(key, rapid.StringMatching(`[A-Za-z0-9_]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9_])?`), 0, 3).Draw(t, "labels"))
	},
	reflect.TypeFor[api.Time](): func(t *rapid.T) any {
		micros := rapid.Int64Range(0, 4_000_000_000_000_000).Draw(t, "time")
		return api.At(time.UnixMicro(micros)).String()
	},
	reflect.TypeFor[constraint.Label](): func(t *rapid.T) any {
		return rapid.SampledFrom([]string{"a is b", "location  in (DE,SK,)", "x.io/y != 1", "l not in (a)"}).Draw(t, "label constraint")
	},
	reflect.TypeFor[constraint.Metric](): func(t *rapid.T) any {
		return rapid.SampledFrom([]string{"load > 5", "co2 <= 0.5", "price is not 3"}).Draw(t, "metric constraint")
	},
	reflect.TypeFor[api.Manifest](): func(t *rapid.T) any {
		var objects []any
		for i := range rapid.IntRange(1, 3).Draw(t, "objects") {
			o := drawTree(t).(map[string]any)
			o["apiVersion"], o["kind"], o["metadata"] = "v1", "ConfigMap", map[string]any{"name": fmt.Sprint("o", i), "x": drawTree(t)}
			objects = append(objects, o)
		}
		return objects
	},
	reflect.TypeFor[api.ToscaSource](): func(t *rapid.T) any {
		return rapid.SampledFrom([]any{map[string]any{}, "http://x/t.yaml", map[string]any{"tosca_definitions_version": "tosca_simple_yaml_1_0"}}).Draw(t, "tosca")
	},
	reflect.TypeFor[api.Kubeconfig](): func(*rapid.T) any {
		return tree(kc)
	},
}

// byPath are the fields whose values must fit a rule of their kind. A new rule needs a line here.
var byPath = map[string]func(t *rapid.T) any{
	"Application.spec.csar":            func(t *rapid.T) any { return rapid.SampledFrom([]any{nil, "http://x/a.csar"}).Draw(t, "csar") },
	"Application.spec.observer_schema": func(*rapid.T) any { return []any{} },
	"Cluster.spec.tosca":               func(*rapid.T) any { return map[string]any{} },

	// One way to authenticate must be there.
	"GlobalInfrastructureProvider.spec.im.token": func(t *rapid.T) any { return words.Draw(t, "token") },
	"InfrastructureProvider.spec.im.token":       func(t *rapid.T) any { return words.Draw(t, "token") },
	// A status cannot set it: it is bound.
	"MagnumCluster.status.template": func(*rapid.T) any { return nil },
	// A cloud for everybody refers to nothing that is not.
	"GlobalCloud.spec.openstack.metrics[].namespaced":               func(*rapid.T) any { return false },
	"GlobalCloud.spec.openstack.infrastructure_provider.namespaced": func(*rapid.T) any { return false },

	// What belongs together, and certificates that can be used.
	"GlobalMetricsProvider.spec.prometheus": drawPrometheus,
	"MetricsProvider.spec.prometheus":       drawPrometheus,

	"GlobalObjectRule.spec": drawObjectRule,

	"Application.inventory.objects[].cluster": drawIdentity,
	"Application.removal.waiting[].cluster":   drawIdentity,
	"Leftover.spec.objects[].cluster":         drawIdentity,
	"Leftover.removal.waiting[].cluster":      drawIdentity,
}

// drawPrometheus draws a Prometheus with one of the ways to authenticate.
func drawPrometheus(t *rapid.T) any {
	out := map[string]any{"url": words.Draw(t, "url")}
	switch rapid.IntRange(0, 2).Draw(t, "authentication") {
	case 1:
		out["username"], out["password"] = rapid.StringMatching(`[^:]{0,5}`).Draw(t, "name"), words.Draw(t, "password")
	case 2:
		out["token"] = rapid.StringMatching(`[!-~]{0,5}`).Draw(t, "token")
	}
	cert, key := certificate()
	if rapid.Bool().Draw(t, "client certificate") {
		out["client_certificate"], out["client_key"] = cert, key
	}
	if rapid.Bool().Draw(t, "authority") {
		out["ca_certificate"] = cert
	}
	return out
}

// drawObjectRule draws a rule whose expressions compile and whose tests pass.
func drawObjectRule(t *rapid.T) any {
	text := func(texts ...string) any { return rapid.SampledFrom(append(texts, "")).Draw(t, "expression") }
	yes := text("self.a == 1", "has(self.b)", "true")
	spec := map[string]any{
		"group":   rapid.SampledFrom([]string{"example.org", "a-b.c.d"}).Draw(t, "group"),
		"version": text("v1", "v2beta1"), "kind": rapid.SampledFrom([]string{"Database", "X"}).Draw(t, "kind"),
		"ready": yes, "failed": text("self.?a.orValue(0) > 2"), "completed": text("'a' in self"), "message": text("'no'"),
		"addresses": map[string]any{"web": "'a:80'"}, "tests": []any{},
		"pods": map[string]any{"desired": text("1"), "running": text("size(self)"), "completed": "", "failed": text("0")},
	}
	if rapid.Bool().Draw(t, "has a test") {
		expect := map[string]any{"ready": nil, "failed": nil, "completed": nil, "message": nil, "pods": nil, "addresses": map[string]any{"web": "a:80"}}
		if yes == "" {
			expect["addresses"] = nil
		} else {
			expect["ready"] = true
		}
		spec["tests"] = []any{map[string]any{"name": words.Draw(t, "name"), "object": map[string]any{"a": 1, "b": nil}, "expect": expect}}
	}
	return spec
}

func drawIdentity(t *rapid.T) any {
	return rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?`).Draw(t, "identity of a cluster")
}

type drawer struct {
	t    *rapid.T
	kind *api.Kind
}

func (d drawer) structure(typ reflect.Type, path string) map[string]any {
	out := map[string]any{}
	variants := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(typ) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		rules := strings.Split(f.Tag.Get("wire"), ",")
		has := func(rule string) bool {
			for _, r := range rules {
				if r == rule {
					return true
				}
			}
			return false
		}
		at := strings.TrimPrefix(path+"."+name, ".")
		switch {
		case path == "" && (name == "api" || name == "kind"), has("ro"), has("server"), has("sub"), at == "metadata.namespace":
		case has("variant"):
			variants[name] = f
		case has("discriminator"):
		case !has("required") && rapid.IntRange(0, 3).Draw(d.t, "leave out "+at) == 0 && byPath[d.kind.Name+"."+at] == nil &&
			byType[f.Type] == nil:
		case has("null") && rapid.Bool().Draw(d.t, "null "+at):
			out[name] = nil
		default:
			out[name] = d.value(f.Type, at)
		}
	}
	if len(variants) > 0 {
		var names []string
		for _, f := range reflect.VisibleFields(typ) { // in their order
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); variants[name].Type != nil {
				names = append(names, name)
			}
		}
		chosen := rapid.SampledFrom(names).Draw(d.t, "type of "+path)
		out["type"], out[chosen] = chosen, d.value(variants[chosen].Type.Elem(), path+"."+chosen)
	}
	return out
}

func (d drawer) value(typ reflect.Type, path string) any {
	if f, ok := byPath[d.kind.Name+"."+path]; ok {
		return f(d.t)
	}
	if f, ok := byType[typ]; ok {
		return f(d.t)
	}
	if _, ok := reflect.New(typ).Interface().(wire.Decoder); ok {
		d.t.Fatalf("no values are known for %s; add a line to byType", typ)
	}
	if e, ok := reflect.Zero(typ).Interface().(wire.Enum); ok && typ.Kind() == reflect.String {
		return rapid.SampledFrom(e.Members()).Draw(d.t, path)
	}
	switch typ.Kind() {
	case reflect.Pointer:
		if rapid.Bool().Draw(d.t, "null "+path) {
			return nil
		}
		return d.value(typ.Elem(), path)
	case reflect.Struct:
		return d.structure(typ, path)
	case reflect.Slice:
		out := []any{}
		for range rapid.IntRange(0, 2).Draw(d.t, "length of "+path) {
			out = append(out, d.value(typ.Elem(), path+"[]"))
		}
		return out
	case reflect.Map:
		if typ.Elem().Kind() == reflect.Interface {
			return drawTree(d.t)
		}
		out := map[string]any{}
		for range rapid.IntRange(0, 2).Draw(d.t, "size of "+path) {
			out[words.Draw(d.t, "key in "+path)] = d.value(typ.Elem(), path+"[]")
		}
		return out
	case reflect.String:
		return words.Draw(d.t, path)
	case reflect.Bool:
		return rapid.Bool().Draw(d.t, path)
	case reflect.Int64:
		return rapid.Int64Range(-1<<53, 1<<53).Draw(d.t, path)
	case reflect.Float64:
		return rapid.Float64Range(-1e9, 1e9).Draw(d.t, path)
	}
	d.t.Fatalf("no values are known for %s", typ)
	return nil
}

// words are texts of all sorts.
var words = rapid.OneOf(rapid.StringMatching(`[a-z]{1,8}`), rapid.StringN(0, 6, -1),
	rapid.SampledFrom([]string{"", "é漢", "<&>\u2028", "two\nlines", `"quoted\"`, "null"}))

// drawTree draws a free object.
func drawTree(t *rapid.T) any {
	leaf := rapid.OneOf(rapid.Map(words, asAny[string]), rapid.Map(rapid.Int64Range(-1<<53, 1<<53), asAny[int64]),
		rapid.Map(rapid.Float64Range(-1, 1), asAny[float64]), rapid.Map(rapid.Bool(), asAny[bool]), rapid.Just[any](nil))
	branch := rapid.OneOf(leaf, rapid.Map(rapid.SliceOfN(leaf, 0, 2), asAny[[]any]), rapid.Map(rapid.MapOfN(words, leaf, 0, 2), asAny[map[string]any]))
	return rapid.MapOfN(words, branch, 0, 3).Draw(t, "object")
}

func asAny[T any](v T) any { return v }

func toAny[T any](m map[string]T) any {
	out := map[string]any{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func tree(text string) (out any) {
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		panic(err)
	}
	return out
}
