package cli

import (
	"testing"

	"github.com/rak-n-rok/krake/internal/cli/document"
)

// TestInherit shows what a cluster takes over from the cloud that it is on.
func TestInherit(t *testing.T) {
	const cloud = `{"metadata": {"labels": {"location": "DE", "own": "cloud"}},
		"spec": {"type": "openstack", "openstack": {"metrics": [
			{"name": "g", "weight": 10, "namespaced": false}, {"name": "h", "weight": 1, "namespaced": false}]}}}`
	for name, c := range map[string]struct{ cluster, want string }{
		"everything": {
			`{"metadata": {"labels": {"own": "x", "a": "b"}, "inherit_labels": true}, "spec": {"metrics": [{"name": "m"}], "inherit_metrics": true}}`,
			`{'metadata': {'labels': {'own': 'cloud (inherited)', 'a': 'b', 'location': 'DE (inherited)'}, 'inherit_labels': True}, ` +
				`'spec': {'metrics': [{'name': 'm'}, {'name': 'g', 'weight': 10, 'namespaced': False, 'inherited': True}, ` +
				`{'name': 'h', 'weight': 1, 'namespaced': False, 'inherited': True}], 'inherit_metrics': True}}`,
		},
		"what the constraints ask for": {
			`{"metadata": {"labels": {}}, "spec": {"metrics": [], "constraints": {"cloud": {"labels": ["location is DE"], "metrics": ["g > 5"]}}}}`,
			`{'metadata': {'labels': {'location': 'DE (inherited)', 'own': 'cloud (inherited)'}}, ` +
				`'spec': {'metrics': [{'name': 'g', 'weight': 10, 'namespaced': False, 'inherited': True}], ` +
				`'constraints': {'cloud': {'labels': ['location is DE'], 'metrics': ['g > 5']}}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cluster, from := parsed(t, c.cluster), parsed(t, cloud)
			if !inherits(cluster) {
				t.Fatal("nothing to take over")
			}
			inherit(cluster, from)
			if got := document.Python(cluster); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestInheritsNothing(t *testing.T) {
	plain := parsed(t, `{"metadata": {"inherit_labels": false}, "spec": {"inherit_metrics": false, "constraints": {"cloud": {"labels": [], "metrics": null}}}}`)
	if inherits(plain) {
		t.Error("a cluster without constraints asks for its cloud")
	}
	if _, known := refPath(parsed(t, `{"api": "kubernetes", "kind": "Nonsense", "name": "x"}`)); known {
		t.Error("a reference to an unknown kind leads somewhere")
	}
}

func parsed(t *testing.T, text string) *document.Object {
	t.Helper()
	doc, err := document.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(*document.Object)
}
