package fleet

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

func TestMain(m *testing.M) { os.Exit(kubelabtest.Run(m)) }

// bench is a real cluster, a connection to it, and a namespace and an application of the test's own.
type bench struct {
	testing.TB
	ctx     context.Context
	cluster *kubelabtest.Cluster
	fleet   *Fleet
	*Member
	space string
	owner Owner
}

func newBench(t testing.TB) *bench { return newBenchWith(t, Options{}) }

func newBenchWith(t testing.TB, options Options) *bench {
	t.Helper()
	cluster := kubelabtest.Clusters(t, "fleet")[0]
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	f := New(options)
	t.Cleanup(f.Close)
	m, err := f.Member(ctx, cluster.Kubeconfig(t))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{TB: t, ctx: ctx, cluster: cluster, fleet: f, Member: m, owner: someOwner("app")}
	b.space = b.makeNamespace()
	return b
}

// on is the same bench on another cluster, where the namespace need not exist.
func (b *bench) on(cluster *kubelabtest.Cluster) *bench {
	b.Helper()
	m, err := b.fleet.Member(b.ctx, cluster.Kubeconfig(b))
	if err != nil {
		b.Fatal(err)
	}
	there := *b
	there.cluster, there.Member = cluster, m
	return &there
}

func someOwner(name string) Owner {
	return Owner{UID: string(uuid.NewUUID()), Namespace: "system:admin", Name: name, Installation: "here"}
}

var unfit = regexp.MustCompile(`[^a-z0-9]+`)

// makeNamespace makes a namespace that is nobody else's.
func (b *bench) makeNamespace() string {
	b.Helper()
	name := unfit.ReplaceAllString(strings.ToLower(b.Name()), "-")
	name = strings.Trim(name[:min(len(name), 40)], "-") + "-" + string(uuid.NewUUID())[:6]
	b.apply(b.resolve(someOwner("setup"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+name+"}")[0])
	return name
}

// manifest reads objects from YAML documents in which SPACE stands for the test's namespace.
func (b *bench) manifest(documents string) api.Manifest {
	b.Helper()
	return manifest(b, strings.ReplaceAll(documents, "SPACE", b.space))
}

func manifest(t testing.TB, documents string) api.Manifest {
	t.Helper()
	var out api.Manifest
	for _, document := range strings.Split(documents, "\n---\n") {
		out = append(out, object(t, document).Object)
	}
	return out
}

func object(t testing.TB, document string) *unstructured.Unstructured {
	t.Helper()
	content, err := yaml.YAMLToJSON([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	d := json.NewDecoder(strings.NewReader(string(content)))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		t.Fatal(err)
	}
	if raw, err = plainMap(raw); err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: raw}
}

func (b *bench) resolve(owner Owner, documents string) []Object {
	b.Helper()
	objects, err := b.Resolve(b.ctx, Wish{Manifest: b.manifest(documents)}, owner)
	if err != nil {
		b.Fatal(err)
	}
	return objects
}

func (b *bench) apply(o Object) Applied {
	b.Helper()
	a, err := b.Apply(b.ctx, o)
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// live reads an object; it is an error if there is none.
func (b *bench) live(e api.InventoryObject) *unstructured.Unstructured {
	b.Helper()
	live, err := b.Live(b.ctx, e)
	if err != nil || live == nil {
		b.Fatalf("Live(%s) = %v, %v", KeyOf(e), live, err)
	}
	return live
}

// stranger writes to the cluster as somebody else would: by an update in the name of kubectl-edit.
func (b *bench) stranger(e api.InventoryObject, change func(map[string]any)) {
	b.Helper()
	b.eventually("update by a stranger", func() bool {
		live := b.live(e)
		change(live.Object)
		_, err := b.observer.dynamic.Resource(b.served(e)).Namespace(e.Namespace).Update(b.ctx, live, updateAs("kubectl-edit"))
		return err == nil
	})
}

// eventually waits until something holds.
func (b *bench) eventually(what string, holds func() bool) {
	b.Helper()
	eventually(b, what, holds)
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain waited for: %s", what)
		}
	}
}

// served is where the objects of an entry's kind are served.
func (b *bench) served(e api.InventoryObject) schema.GroupVersionResource {
	b.Helper()
	view := &lookup{mapper: b.mapper}
	where, err := view.find(b.ctx, entryKind(e))
	if err != nil {
		b.Fatal(err)
	}
	return where.resource
}

var listAll = metav1.ListOptions{}

func updateAs(manager string) metav1.UpdateOptions {
	return metav1.UpdateOptions{FieldManager: manager}
}

const configMap = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: SPACE}
data: {colour: blue}
`

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: SPACE}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      hostNetwork: false
      volumes: [{name: scratch, emptyDir: {}}]
      containers:
      - name: web
        image: web:1
        args: []
        resources: {requests: {cpu: 1000m, memory: 1024Mi}}
        ports: [{containerPort: 80}]
        env: [{name: MODE, value: fast}]
`
