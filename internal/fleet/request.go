package fleet

import (
	"context"
	"encoding/json"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

var namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

// metaOnly asks for the metadata of an object: neither Secret data nor large specifications travel.
const metaOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

// metaOnlyList does so for a list.
const metaOnlyList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

// newRESTClient makes a client that shows status codes, which the dynamic client hides. It decodes nothing but errors.
func newRESTClient(config *rest.Config, client *http.Client) (*rest.RESTClient, error) {
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	c := rest.CopyConfig(config)
	c.APIPath, c.GroupVersion = "/api", &schema.GroupVersion{}
	c.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	c.ContentType = runtime.ContentTypeJSON
	return rest.UnversionedRESTClientForConfigAndClient(c, client)
}

// pathOf is where an object is served; the name may be empty.
func pathOf(r schema.GroupVersionResource, namespace, name string) []string {
	path := []string{"/apis", r.Group, r.Version}
	if r.Group == "" {
		path = []string{"/api", r.Version}
	}
	if namespace != "" {
		path = append(path, "namespaces", namespace)
	}
	path = append(path, r.Resource)
	if name != "" {
		path = append(path, name)
	}
	return path
}

// send makes one request within the time that a request may take. Retries are the caller's business: client-go's own
// would wait for as long as the server asks for.
func (m *Member) send(ctx context.Context, request *rest.Request) (body []byte, code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, m.fleet.options.Timeout)
	defer cancel()
	return do(ctx, request)
}

func do(ctx context.Context, request *rest.Request) (body []byte, code int, err error) {
	result := request.MaxRetries(0).Do(ctx).StatusCode(&code)
	if err := result.Error(); err != nil {
		return nil, code, err
	}
	body, err = result.Raw()
	return body, code, err
}

func (m *Member) sendObject(ctx context.Context, request *rest.Request) (*unstructured.Unstructured, int, error) {
	ctx, cancel := context.WithTimeout(ctx, m.fleet.options.Timeout)
	defer cancel()
	return readAnswer(ctx, request)
}

func readAnswer(ctx context.Context, request *rest.Request) (*unstructured.Unstructured, int, error) {
	body, code, err := do(ctx, request)
	if err != nil {
		return nil, code, err
	}
	object := &unstructured.Unstructured{}
	return object, code, object.UnmarshalJSON(body)
}

func (m *Member) get(ctx context.Context, r schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	object, _, err := m.sendObject(ctx, m.rest.Get().AbsPath(pathOf(r, namespace, name)...))
	return object, err
}

func (m *Member) getMeta(ctx context.Context, r schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	request := m.rest.Get().AbsPath(pathOf(r, namespace, name)...).SetHeader("Accept", metaOnly)
	object, _, err := m.sendObject(ctx, request)
	return object, err
}

// patch applies an object server-side as a field manager. It returns the live object, and whether this created it.
func (m *Member) patch(ctx context.Context, o *Object, manager string, form *unstructured.Unstructured, force bool) (*unstructured.Unstructured, bool, error) {
	body, err := json.Marshal(form.Object)
	if err != nil {
		return nil, false, err
	}
	request := m.rest.Patch(types.ApplyPatchType).AbsPath(pathOf(o.resource, o.Entry.Namespace, o.Entry.Name)...).
		Param("fieldManager", manager).Body(body)
	if force {
		request = request.Param("force", "true")
	}
	if err := m.fleet.options.MayWrite(ctx); err != nil {
		return nil, false, err
	}
	live, code, err := m.sendObject(ctx, request)
	return live, code == http.StatusCreated, err
}

// remove deletes exactly the object that was looked at. It returns whether the object was gone at once.
func (m *Member) remove(ctx context.Context, r schema.GroupVersionResource, seen *unstructured.Unstructured, extent Extent) (bool, error) {
	uid, version, propagation := seen.GetUID(), seen.GetResourceVersion(), extent.propagation()
	body, err := json.Marshal(&metav1.DeleteOptions{
		TypeMeta:          metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
		Preconditions:     &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
		PropagationPolicy: &propagation,
	})
	if err != nil {
		return false, err
	}
	request := m.rest.Delete().AbsPath(pathOf(r, seen.GetNamespace(), seen.GetName())...).Body(body)
	if err := m.fleet.options.MayWrite(ctx); err != nil {
		return false, err
	}
	body, _, err = m.send(ctx, request)
	if err != nil {
		return false, err
	}
	var said metav1.TypeMeta // a Status when it is gone, the object while it is terminating
	return json.Unmarshal(body, &said) == nil && said.Kind == "Status", nil
}
