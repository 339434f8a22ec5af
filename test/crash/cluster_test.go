//go:build crash

package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

// ourLabel is the one that every object of an application carries.
const ourLabel = "krake.cloud/app-uid"

// kinds are those of which the applications have objects, with their names in URLs.
var kinds = map[schema.GroupVersionKind]string{
	{Version: "v1", Kind: "Namespace"}: "namespaces",
	{Version: "v1", Kind: "Secret"}:    "secrets",
	configMaps:                         "configmaps",
	services:                           "services",
	deployments:                        "deployments",
	statefulSets:                       "statefulsets",
	jobs:                               "jobs",
}

var (
	configMaps   = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	services     = schema.GroupVersionKind{Version: "v1", Kind: "Service"}
	deployments  = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	statefulSets = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "StatefulSet"}
	jobs         = schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}

	pods = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

func resourceOf(kind schema.GroupVersionKind) schema.GroupVersionResource {
	return kind.GroupVersion().WithResource(kinds[kind])
}

// cluster is a real cluster. The test sees it directly, the server over a link.
type cluster struct {
	site     string // its name in Krake, and the value of its label site
	identity string
	config   *rest.Config
	client   dynamic.Interface
	link     *link
	record   *api.Cluster // as it is registered
}

func newCluster(ctx context.Context, t *testing.T, site string, lab *kubelabtest.Cluster) *cluster {
	t.Helper()
	c := &cluster{site: site}
	if err := c.connect(ctx, lab); err != nil {
		t.Fatalf("cluster %s: %v", site, err)
	}
	t.Cleanup(c.link.close)
	kubeconfig, err := detour(lab.Kubeconfig(t), c.link)
	if err != nil {
		t.Fatalf("cluster %s: %v", site, err)
	}
	namespace := krakeNamespace
	c.record = api.New[api.Cluster]()
	c.record.Metadata.Name, c.record.Metadata.Namespace = site, &namespace
	c.record.Metadata.Labels = api.Labels{"site": site}
	c.record.Spec.Kubeconfig = kubeconfig
	return c
}

func (c *cluster) connect(ctx context.Context, lab *kubelabtest.Cluster) (err error) {
	if c.config, err = clientcmd.BuildConfigFromFlags("", lab.Path); err != nil {
		return err
	}
	c.config.QPS = -1
	if c.client, err = dynamic.NewForConfig(c.config); err != nil {
		return err
	}
	system, err := c.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Get(ctx, "kube-system", metav1.GetOptions{})
	if err != nil {
		return err
	}
	c.identity = string(system.GetUID())
	address, err := url.Parse(c.config.Host)
	if err != nil {
		return err
	}
	c.link, err = newLink(address.Host)
	return err
}

// detour gives a kubeconfig that leads over a link.
func detour(k api.Kubeconfig, l *link) (api.Kubeconfig, error) {
	var out struct {
		Clusters []struct {
			Name    string         `json:"name"`
			Cluster map[string]any `json:"cluster"`
		} `json:"clusters"`
	}
	data, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, err
	}
	if len(out.Clusters) != 1 {
		return nil, fmt.Errorf("the kubeconfig names %d clusters", len(out.Clusters))
	}
	out.Clusters[0].Cluster["server"] = "https://" + l.address()
	detoured := api.Kubeconfig{}
	for key, value := range k {
		detoured[key] = value
	}
	detoured["clusters"] = []any{map[string]any{"name": out.Clusters[0].Name, "cluster": out.Clusters[0].Cluster}}
	return detoured, nil
}

// ours lists the objects on the cluster that belong to applications.
func (c *cluster) ours(ctx context.Context) ([]unstructured.Unstructured, error) {
	var out []unstructured.Unstructured
	for kind := range kinds {
		list, err := c.client.Resource(resourceOf(kind)).List(ctx, metav1.ListOptions{LabelSelector: ourLabel})
		if err != nil {
			return nil, err
		}
		for _, o := range list.Items { // in a list, objects do not always say what they are
			o.SetGroupVersionKind(kind)
			out = append(out, o)
		}
	}
	return out, nil
}
