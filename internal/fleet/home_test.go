package fleet

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

func TestNamespacesHaveHomesThatKubernetesTakes(t *testing.T) {
	long := strings.Repeat("a", 57)
	for name, want := range map[string]string{
		"team-a":       "krake-team-a",
		"0":            "krake-0",
		long:           "krake-" + long,
		long + "a":     "krake--" + strings.Repeat("a", 35) + "-",
		"system:admin": "krake--system-admin-",
		"Team-A":       "krake--team-a-",
		"a.b":          "krake--a-b-",
		"a_b":          "krake--a-b-",
		"___":          "krake--",
	} {
		got := HomeOf(name)
		exact := !strings.HasPrefix(want, "krake--")
		if exact && got != want || !strings.HasPrefix(got, want) || !exact && len(got) != len(want)+homeDigest {
			t.Errorf("%s has the home %s, not %s", name, got, want)
		}
	}
}

func TestNoTwoNamespacesShareAHome(t *testing.T) {
	names := rapid.OneOf(
		rapid.StringMatching(`[a-c:_.A]{1,4}`), rapid.StringMatching(`\w[\w\-_.:]{0,253}\w`),
		rapid.StringMatching(`[a-z0-9]{50,60}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		a := names.Draw(t, "a")
		b := names.Draw(t, "b")
		if rapid.Bool().Draw(t, "after the home of the other") {
			if b = strings.TrimPrefix(HomeOf(a), homePrefix); b[0] == '-' {
				b = b[1:]
			}
		}
		home := HomeOf(a)
		if wrong := validation.IsDNS1123Label(home); len(wrong) > 0 {
			t.Fatalf("%s of %s: %v", home, a, wrong)
		}
		if a != b && home == HomeOf(b) {
			t.Fatalf("%s and %s share %s", a, b, home)
		}
	})
}

// still is a member that knows what a cluster serves, and cannot ask.
func still(served ...string) *Member {
	k := newKinds(nil)
	for _, line := range served {
		f := strings.Fields(line) // GROUP/VERSION KIND RESOURCE, and "cluster" for those without namespace
		k.add(f[0], metav1.APIResource{Kind: f[1], Name: f[2], Namespaced: len(f) == 3, Verbs: keepable})
	}
	m := &Member{identity: "here", namespace: "context"}
	m.mapper = &mapper{config: &rest.Config{Host: "http://none"}, next: gone{}, timeout: time.Minute, reading: make(chan struct{}, 1)}
	m.mapper.known.Store(k)
	return m
}

// gone is a cluster that does not answer.
type gone struct{}

func (gone) RoundTrip(*http.Request) (*http.Response, error) { return nil, errDown }

func TestWhereObjectsAre(t *testing.T) {
	const home = "krake-team"
	for name, c := range map[string]struct {
		free     bool     // objects are not confined
		has      []string // namespaces in which the ConfigMap is on this cluster
		also     string   // a namespace in which another object is
		manifest string
		want     string // its namespace
		says     string // or why it has none
	}{
		"unnamed, free":                                {free: true, want: "context"},
		"named, free":                                  {free: true, manifest: "shop", want: "shop"},
		"unnamed":                                      {want: home},
		"the home, named":                              {manifest: home, want: home},
		"another namespace, named":                     {manifest: "shop", says: "names the namespace shop, and this Krake keeps what is of its namespace team in krake-team"},
		"unnamed, in the context's before":             {has: []string{"context"}, want: "context"},
		"unnamed, in a third namespace before":         {has: []string{"shop"}, want: "shop"},
		"named, there before":                          {has: []string{"shop"}, manifest: "shop", want: "shop"},
		"named, elsewhere before":                      {has: []string{"shop"}, manifest: "store", says: "names the namespace store"},
		"unnamed, at home while others are abroad":     {has: []string{home}, also: "shop", want: home},
		"unnamed and new while others are abroad":      {also: "shop", says: "from before this Krake kept namespaces apart"},
		"the home, named, new while others are abroad": {also: "shop", manifest: home, says: "from before this Krake kept namespaces apart"},
		"unnamed, at home, and free again":             {free: true, has: []string{home}, want: home},
		"unnamed, in both, and free again":             {free: true, has: []string{home, "context"}, want: "context"},
		"unnamed, in a third namespace, and free":      {free: true, has: []string{"shop"}, want: "context"},
	} {
		t.Run(name, func(t *testing.T) {
			m := still("v1 ConfigMap configmaps")
			w := Wish{Manifest: manifest(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}")}
			if c.manifest != "" {
				w.Manifest[0]["metadata"].(map[string]any)["namespace"] = c.manifest
			}
			if !c.free {
				w.Confined = &Confinement{}
			}
			for _, namespace := range c.has {
				w.Has = append(w.Has, api.InventoryObject{Cluster: "here", Kind: "ConfigMap", Namespace: namespace, Name: "a"})
			}
			if c.also != "" {
				w.Has = append(w.Has, api.InventoryObject{Cluster: "here", Kind: "Secret", Namespace: c.also, Name: "b"})
			}
			w.Has = append(w.Has, api.InventoryObject{Cluster: "elsewhere", Kind: "ConfigMap", Namespace: "far", Name: "a"})
			objects, err := m.Resolve(t.Context(), w, Owner{UID: "u", Namespace: "team", Name: "web"})
			switch {
			case c.says != "":
				if err == nil || Reason(err).Code != api.InvalidResource || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, %v", objects, err)
				}
			case err != nil:
				t.Error(err)
			case objects[0].Entry.Namespace != c.want || objects[0].form.GetNamespace() != c.want:
				t.Errorf("it is in %s", objects[0].Entry.Namespace)
			}
		})
	}
}

func TestKindsWithoutNamespaceAreAllowedByName(t *testing.T) {
	m := still("v1 Namespace namespaces cluster", "rbac.authorization.k8s.io/v1 ClusterRole clusterroles cluster")
	role := "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a, namespace: shop}"
	for name, c := range map[string]struct {
		allowed  []string
		has      []api.InventoryObject
		manifest string
		says     string
	}{
		"none":               {nil, nil, role, "ClusterRole a belongs to no namespace"},
		"another":            {[]string{"Namespace", "ClusterRole"}, nil, role, "--cluster-wide-kinds ClusterRole.rbac.authorization.k8s.io would allow it"},
		"this one":           {[]string{"ClusterRole.rbac.authorization.k8s.io"}, nil, role, ""},
		"none, there before": {nil, []api.InventoryObject{{Cluster: "here", Group: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "a"}}, role, ""},
		"a namespace":        {nil, nil, "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}", "Namespace a belongs to no namespace"},
	} {
		t.Run(name, func(t *testing.T) {
			w := Wish{Manifest: manifest(t, c.manifest), Confined: &Confinement{ClusterWide: c.allowed}, Has: c.has}
			_, err := m.Resolve(t.Context(), w, Owner{UID: "u", Namespace: "team"})
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Error(err)
			}
		})
	}
}

func TestAHomeIsMadeOnceAndNotTaken(t *testing.T) {
	b := newBench(t)
	owner := b.owner
	owner.Namespace = b.space
	home := api.InventoryObject{Cluster: b.Identity(), Version: "v1", Kind: "Namespace", Name: HomeOf(owner.Namespace)}
	b.inParallel(8, func(int) {
		if err := b.EnsureHome(b.ctx, owner); err != nil {
			b.Error(err)
		}
	})
	live := b.live(home)
	if a := live.GetAnnotations(); a[NamespaceAnnotation] != owner.Namespace || a[InstallationAnnotation] != "here" {
		b.Errorf("annotations: %v", a)
	}
	another := owner
	another.Installation = "another"
	err := b.EnsureHome(b.ctx, another)
	if !Final(err) || !strings.Contains(err.Error(), "kubectl annotate namespace "+home.Name+" krake.cloud/namespace="+b.space+" krake.cloud/installation=another") {
		b.Errorf("of another Krake: %v", err)
	}
	b.stranger(home, func(live map[string]any) { mapAt(live, "metadata", "annotations")[InstallationAnnotation] = "another" })
	if err := b.EnsureHome(b.ctx, another); err != nil {
		b.Errorf("handed over: %v", err)
	}
	b.stranger(home, func(live map[string]any) {
		mapAt(live, "metadata")["labels"] = map[string]any{AppUIDLabel: "someone"}
	})
	if err := b.EnsureHome(b.ctx, another); !Final(err) {
		b.Errorf("of an application: %v", err)
	}
	if content, _ := json.Marshal(live.Object); strings.Contains(string(content), AppUIDLabel) {
		b.Errorf("it was made for an application: %s", content)
	}
}
