package api_test

import (
	"bytes"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

func TestEveryKindIsDescribedWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range api.Kinds {
		t.Run(k.Name, func(t *testing.T) {
			path := k.Group + "/" + k.Plural
			if k.Group == "" || k.Name == "" || k.Plural != strings.ToLower(k.Plural) || seen[path] {
				t.Errorf("%s is no name of its own", path)
			}
			seen[path] = true
			if api.KindOf(k.New()) != k || api.FindKind(k.Group, k.Name) != k {
				t.Error("it is not found by its type and name")
			}
			_, hasStatus := reflect.TypeOf(k.New()).Elem().FieldByName("Status")
			if hasStatus != k.Status {
				t.Errorf("its type and the table disagree on the status")
			}
			for _, a := range k.Actions {
				if a.Apply == nil || k.Action(a.Name).Name != a.Name {
					t.Errorf("action %s cannot be found or applied", a.Name)
				}
			}
			for _, p := range k.Parts {
				if k.Part(p.Name).Name != p.Name || k.Action(p.Name) != nil || p.Name == "status" {
					t.Errorf("part %s cannot be found, or is hidden by an action", p.Name)
				}
			}
			if k.Action("nothing") != nil || k.Part("nothing") != nil {
				t.Error("it has what it has not")
			}
		})
	}
	if api.FindKind("core", "Nothing") != nil || api.FindKind("", "") != nil {
		t.Error("a kind that does not exist was found")
	}
}

// with puts a value into a tree.
func with(tree map[string]any, path []string, value any) {
	if len(path) == 1 {
		tree[path[0]] = value
		return
	}
	inner, ok := tree[path[0]].(map[string]any)
	if !ok {
		inner = map[string]any{}
		tree[path[0]] = inner
	}
	inner["type"] = path[1] // of a polymorphic container, which would not hold the value otherwise
	with(inner, path[1:], value)
}

func TestALogShowsNoSecretOfAnObject(t *testing.T) {
	for _, k := range api.Kinds {
		for _, path := range k.Secrets {
			keys := strings.Split(path, ".")
			doc := map[string]any{"metadata": map[string]any{"name": "the-name", "namespace": "the-namespace"}}
			var secret any = "s3cr3t"
			if at := fieldAt(k, path); at != nil && at.Kind() == reflect.Map {
				secret = map[string]any{"token": secret}
			}
			with(doc, keys, secret)
			r, err := k.Decode(doc, wire.Stored)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text(t, r), "s3cr3t") {
				t.Fatalf("%s holds nothing at %s", k.Name, path)
			}
			var log bytes.Buffer
			for _, l := range []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))} {
				l.Info("an object", "pointer", r, "value", reflect.ValueOf(r).Elem().Interface(), slog.Group("group", "object", r))
			}
			name := k.Name + " /the-name"
			if k.Namespaced {
				name = k.Name + " the-namespace/the-name"
			}
			if got := log.String(); strings.Contains(got, "s3cr3t") || strings.Count(got, name) != 6 {
				t.Errorf("%s with a secret at %s is logged as\n%s", k.Name, path, got)
			}
		}
	}
}

// Every path of a secret must lead to a field, or nobody could leave it out.
func TestSecretsAreFields(t *testing.T) {
	for _, k := range api.Kinds {
		for _, path := range k.Secrets {
			if fieldAt(k, path) == nil {
				t.Errorf("%s has no %s", k.Name, path)
			}
		}
	}
}

// fieldAt returns the type of the field at a path, nil when there is none.
func fieldAt(k *api.Kind, path string) reflect.Type {
	at := reflect.TypeOf(k.New())
	for _, key := range strings.Split(path, ".") {
		if at = fieldType(at, key); at == nil {
			return nil
		}
	}
	return at
}

// fieldType returns the type of the field with this JSON name, nil when there is none.
func fieldType(t reflect.Type, name string) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for _, f := range reflect.VisibleFields(t) {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name {
			return f.Type
		}
	}
	return nil
}

func TestPathsAndKeys(t *testing.T) {
	global := &api.Kind{Group: "core", Plural: "roles", Name: "Role"}
	app := api.ApplicationKind
	for got, want := range map[string]string{
		app.Path("solar", "forecast"):   "/kubernetes/namespaces/solar/applications/forecast",
		app.Path("solar", ""):           "/kubernetes/namespaces/solar/applications",
		app.Path("", ""):                "/kubernetes/applications",
		global.Path("", "r"):            "/core/roles/r",
		global.Path("", ""):             "/core/roles",
		global.Path("ignored", "r"):     "/core/roles/r",
		app.Key("solar", "forecast"):    "/kubernetes/applications/solar/forecast",
		app.Key("solar", ""):            "/kubernetes/applications/solar/",
		app.Key("", ""):                 "/kubernetes/applications/",
		global.Key("", "r"):             "/core/roles/r",
		global.Key("", ""):              "/core/roles/",
		app.PartKey("u-1", "inventory"): "/krake/applications/u-1/inventory",
		app.Path("system:admin", "a.b"): "/kubernetes/namespaces/system:admin/applications/a.b",
		app.Path("a/b", "../x?force"):   "/kubernetes/namespaces/a%2Fb/applications/..%2Fx%3Fforce",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := global.Ref("ignored", "r"); got.Namespace != nil {
		t.Errorf("a reference to a global object has the namespace %s", *got.Namespace)
	}
}

func TestAPIAndKindOfABodyMustBeThoseOfItsPath(t *testing.T) {
	for name, c := range map[string]struct{ fields, want string }{
		"absent":             {``, ``},
		"right":              {`"api":"kubernetes","kind":"Application",`, ``},
		"another api":        {`"api":"core",`, `{'api': ['Must be equal to kubernetes.']}`},
		"another kind":       {`"kind":"Cluster",`, `{'kind': ['Must be equal to Application.']}`},
		"null":               {`"api":null,"kind":null,`, `{'api': ['Field may not be null.'], 'kind': ['Field may not be null.']}`},
		"no text":            {`"api":5,`, `{'api': ['Not a valid string.']}`},
		"beside an error":    {`"api":"core","status":5,"x":1,`, `{'api': ['Must be equal to kubernetes.']}`},
		"in another case":    {`"kind":"application",`, `{'kind': ['Must be equal to Application.']}`},
		"keys in upper case": {`"API":"core",`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			if got := refusal(t, api.ApplicationKind, `{`+c.fields+`"metadata":{"name":"a"},"spec":`+validSpec+`}`); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	both := refusal(t, api.ApplicationKind, `{"api":"core","metadata":{}}`)
	want := `{'metadata': {'name': ['Missing data for required field.']}, 'spec': ['Missing data for required field.'], 'api': ['Must be equal to kubernetes.']}`
	if both != want {
		t.Errorf("got  %s\nwant %s", both, want)
	}
}

func TestABodyThatIsNoObjectIsRefused(t *testing.T) {
	for _, k := range api.Kinds {
		for _, body := range []string{`[]`, `"x"`, `null`, `5`} {
			if got, want := refusal(t, k, body), `{'_schema': ['Invalid input type.']}`; got != want {
				t.Errorf("%s %s: got %s, want %s", k.Name, body, got, want)
			}
		}
	}
}

func TestNewObjectsHaveAllDefaults(t *testing.T) {
	a := api.New[api.Application]()
	if a.API != "kubernetes" || a.Kind != "Application" || a.Status.State != api.AppPending || a.Spec.BackoffLimit != -1 ||
		a.Spec.Manifest == nil || a.Metadata.Finalizers == nil || !a.Spec.Constraints.Migration || a.Spec.MigrationStrategy != api.MigrateAuto {
		t.Errorf("%+v", a)
	}
	for _, k := range api.Kinds {
		r, err := k.Decode(map[string]any{}, wire.Stored)
		if err != nil {
			t.Fatal(err)
		}
		if m := api.Meta(r); m.Generation != 1 {
			t.Errorf("a %s written before generations were counted has generation %d", k.Name, m.Generation)
		}
		first := text(t, r)
		again, err := k.Decode(parse(t, first), wire.Stored)
		if err != nil {
			t.Fatal(err)
		}
		if second := text(t, again); first != second {
			t.Errorf("%s\nreads as\n%s", first, second)
		}
	}
}

func TestTheKindOfATypeOutsideTheTablePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it has a kind")
		}
	}()
	api.KindOf(stranger{})
}

type stranger struct{ api.Resource }
