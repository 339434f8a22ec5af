package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/test/conformance/closed"
)

// An entry is what this suite knows of a kind: its row in the tables of the specification (sections 3 to 5), written down
// a second time, and a body that is good for a POST, less its metadata.
type entry struct {
	group, kind, plural string
	namespaced          bool
	subs                string // what there is below an object, in order
	force               bool
	spec                string
}

const (
	metricSpec   = `"spec":{"allowed_values":[],"min":0,"max":1,"provider":{"name":"p","metric":"m"}}`
	providerSpec = `"spec":{"type":"prometheus","prometheus":{"url":"http://prometheus"}}`
	imSpec       = `"spec":{"type":"im","im":{"url":"http://im","token":"t"}}`
	cloudSpec    = `"spec":{"type":"openstack","openstack":{"url":"http://ks","auth":{"type":"password","password":{"user":{"username":"u","password":"p"},"project":{"name":"pr"}}},"infrastructure_provider":{"name":"im-1"}}}`
	projectSpec  = `"spec":{"url":"http://ks","template":"t","auth":{"type":"application_credential","application_credential":{"id":"i","secret":"s"}}}`
)

var entries = []entry{
	{"core", "Role", "roles", false, "", false, `"rules":[]`},
	{"core", "RoleBinding", "rolebindings", false, "", false, `"users":[],"roles":[]`},
	{"core", "GlobalMetric", "globalmetrics", false, "status", false, metricSpec},
	{"core", "Metric", "metrics", true, "status", false, metricSpec},
	{"core", "GlobalMetricsProvider", "globalmetricsproviders", false, "", false, providerSpec},
	{"core", "MetricsProvider", "metricsproviders", true, "", false, providerSpec},
	{"kubernetes", "Application", "applications", true, "approval binding complete retry shutdown status", true, `"spec":{"manifest":` + cm + `,"constraints":{"cluster":{}}}`},
	{"kubernetes", "Cluster", "clusters", true, "binding status", true, `"spec":{"kubeconfig":` + kc + `,"constraints":{"cloud":{}}}`},
	{"infrastructure", "GlobalInfrastructureProvider", "globalinfrastructureproviders", false, "", false, imSpec},
	{"infrastructure", "InfrastructureProvider", "infrastructureproviders", true, "", false, imSpec},
	{"infrastructure", "GlobalCloud", "globalclouds", false, "status", false, cloudSpec},
	{"infrastructure", "Cloud", "clouds", true, "status", false, cloudSpec},
	{"openstack", "Project", "projects", true, "status", false, projectSpec},
	{"openstack", "MagnumCluster", "magnumclusters", true, "binding status", false, `"spec":{}`},
}

// ourEntries are the kinds that the reference never had.
var ourEntries = []entry{
	{"core", "Lease", "leases", false, "", false, `"spec":{"holder":"h"}`},
	{"core", "Event", "events", true, "", false, `"spec":{"reason":"Moved"}`},
	{"kubernetes", "GlobalObjectRule", "globalobjectrules", false, "", false, `"spec":{"group":"example.org","kind":"Database","ready":"self.status.ready == 1"}`},
	{"kubernetes", "Leftover", "leftovers", true, "approval status", true, `"spec":{"identity":"i"}`},
	{"kubernetes", "RemovalBudget", "removalbudgets", false, "", false, `"spec":{}`},
}

// body is a good one for a POST.
func (e entry) body(name string) document {
	return tree(`{"metadata":{"name":"` + name + `"},` + e.spec + `}`).(map[string]any)
}

// table is the kind of an entry in the table of kinds.
func (e entry) table() *api.Kind { return api.FindKind(e.group, e.kind) }

// path and key are where an object is found in the API, and where in etcd; the collection when the name is empty.
func (e entry) path(name string) string {
	path := "/" + e.group + "/" + e.plural
	if e.namespaced {
		path = "/" + e.group + "/namespaces/solar/" + e.plural
	}
	if name != "" {
		path += "/" + name
	}
	return path
}

func (e entry) key(name string) string {
	if e.namespaced {
		name = "solar/" + name
	}
	return "/" + e.group + "/" + e.plural + "/" + name
}

func (e entry) hasStatus() bool { return slices.Contains(strings.Fields(e.subs), "status") }

// statusAdded says that the reference has the kind, but no status of it.
func (e entry) statusAdded() bool { return e.group == "core" && e.hasStatus() }

// A kind that is added to the table must be added here, or it would not be tested.
func TestTheSuiteKnowsEveryKind(t *testing.T) {
	known := map[*api.Kind]bool{}
	for _, e := range slices.Concat(entries, ourEntries) {
		k := e.table()
		if k == nil {
			t.Errorf("%s is not in the table of kinds", e.kind)
			continue
		}
		known[k] = true
		var subs []string
		if k.Status {
			subs = append(subs, "status")
		}
		for _, a := range k.Actions {
			subs = append(subs, a.Name)
		}
		slices.Sort(subs)
		if k.Plural != e.plural || k.Namespaced != e.namespaced || k.Force != e.force || strings.Join(subs, " ") != e.subs {
			t.Errorf("the table of kinds has %s, %t, %t, %v for %+v", k.Plural, k.Namespaced, k.Force, subs, e)
		}
		if old := slices.Contains(entries, e); closed.Known(e.kind) != old {
			t.Errorf("%s: is it one of the reference? The closed schemas say %t", e.kind, !old)
		}
	}
	for _, k := range api.Kinds {
		if !known[k] {
			t.Errorf("%s is in the table of kinds and not in this suite: describe it in kinds_test.go", k.Name)
		}
	}
}

// Routes and keys (sections 4.2 and 5.1), kind by kind.
func TestEveryKindIsWhereClientsLookForIt(t *testing.T) {
	s := start(t)
	for _, e := range slices.Concat(entries, ourEntries) {
		t.Run(e.kind, func(t *testing.T) {
			created := s.ask(t, "POST", e.path(""), e.body("x")).want(t, 200).document(t)
			if created.text("api") != e.group || created.text("kind") != e.kind {
				t.Errorf("it is a %s of %s", created.text("kind"), created.text("api"))
			}
			if _, err := s.data.Get(t.Context(), e.key("x")); err != nil {
				t.Error(err)
			}
			list := s.ask(t, "GET", "/"+e.group+"/"+e.plural, nil).want(t, 200).document(t)
			if list.text("api") != e.group || list.text("kind") != e.kind+"List" {
				t.Errorf("the list is a %s of %s", list.text("kind"), list.text("api"))
			}
			same(t, "the list of all", []document{created}, list["items"])
			same(t, "the list", list, s.ask(t, "GET", e.path(""), nil).want(t, 200).document(t))

			allowed := func(path, want string) {
				t.Helper()
				got := s.ask(t, "BREW", path, nil)
				got.problem(t, 405, "", "405: Method Not Allowed")
				if got.header.Get("Allow") != want {
					t.Errorf("%s allows %s, want %s", path, got.header.Get("Allow"), want)
				}
			}
			allowed(e.path(""), "GET,HEAD,OPTIONS,POST")
			allowed(e.path("x"), "DELETE,GET,HEAD,OPTIONS,PATCH,PUT")
			for _, sub := range []string{"status", "binding", "complete", "retry", "shutdown", "kubeconfig", "Status"} {
				path := e.path("x") + "/" + sub
				switch {
				case !slices.Contains(strings.Fields(e.subs), sub):
					s.ask(t, "PUT", path, "{}").problem(t, 404, "", "404: Not Found")
				case sub == "status":
					allowed(path, "OPTIONS,PATCH,PUT")
				default:
					allowed(path, "OPTIONS,PUT")
				}
			}
			namespace := "'solar'"
			if e.namespaced {
				allowed("/"+e.group+"/"+e.plural, "GET,HEAD,OPTIONS")
				s.ask(t, "GET", "/"+e.group+"/"+e.plural+"/x", nil).problem(t, 404, "", "404: Not Found")
			} else {
				namespace = "None"
				for _, sub := range []string{"", "/x", "/x/status"} {
					s.ask(t, "PUT", "/"+e.group+"/namespaces/solar/"+e.plural+sub, "{}").problem(t, 404, "", "404: Not Found")
				}
			}
			s.ask(t, "GET", e.path("nothing"), nil).
				problem(t, 404, api.TitleNotFound, "'"+e.kind+"' 'nothing' does not exist in namespace "+namespace)

			s.ask(t, "DELETE", e.path("x")+"?force=True", nil).want(t, 200)
			left := map[bool]int{true: 404, false: 200}[e.force]
			s.ask(t, "GET", e.path("x"), nil).want(t, left)
		})
	}
}

// Name, namespace and uid in the body of a status are those of any object: they are not compared (section 10, S-16), and
// the uid in the body of an update is not either (S-14). Who wants to be sure states the version with If-Match.
func TestABodyNeedNotNameItsObjectRight(t *testing.T) {
	s := start(t)
	for _, e := range entries {
		t.Run(e.kind, func(t *testing.T) {
			created := s.ask(t, "POST", e.path(""), e.body("x")).want(t, 200).document(t)
			const uid = "00000000-0000-4000-8000-000000000000"
			body := created.with("metadata.uid", uid).with("metadata.labels", document{"a": "b"})
			if got := s.ask(t, "PUT", e.path("x"), body).want(t, 200).document(t); got.text("metadata.uid") != created.text("metadata.uid") {
				t.Errorf("the uid became %s", got.text("metadata.uid"))
			}
			s.ask(t, "PUT", e.path("x"), body.with("metadata.labels", document{}), "If-Match", `"1"`).want(t, 409)
			if !e.hasStatus() {
				return
			}
			got := s.ask(t, "PUT", e.path("x")+"/status", body.with("metadata.name", "other").with("metadata.namespace", "other")).want(t, 200).document(t)
			for _, field := range []string{"uid", "name", "namespace"} {
				same(t, field, created.at("metadata."+field), got.at("metadata."+field))
			}
		})
	}
}
