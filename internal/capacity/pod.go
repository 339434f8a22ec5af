package capacity

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// OfPod is what a pod of this specification asks for: the rules of Kubernetes' own scheduler. Containers add up, and so do
// those that prepare the pod and go on running; of the others that prepare it, which run one after the other, the greediest
// counts. What the pod asks for as a whole replaces that, and its overhead is added.
func OfPod(spec map[string]any) api.Amounts { return pod(spec).final() }

func pod(spec map[string]any) sums {
	total, lasting, greediest := sums{}, sums{}, sums{}
	for _, c := range objectsAt(spec, "containers") {
		total.add(ofContainer(c))
	}
	for _, c := range objectsAt(spec, "initContainers") {
		asks := ofContainer(c)
		if c["restartPolicy"] == "Always" {
			lasting.add(asks)
			asks = maps.Clone(lasting)
		} else {
			asks.add(lasting)
		}
		greediest.raise(asks)
	}
	total.add(lasting)
	total.raise(greediest)
	asWhole(total, objectAt(spec, "resources"))
	total.add(quantities(objectAt(spec, "overhead")))
	total[api.Pods] = 1
	return total
}

// asWhole replaces what the containers of a pod ask for by what the pod does, where it may. A limit without a request
// counts only where no container asks.
func asWhole(total sums, resources map[string]any) {
	asked := quantities(objectAt(resources, "requests"))
	for name, value := range quantities(objectAt(resources, "limits")) {
		_, byPod := asked[name]
		_, byContainer := total[name]
		if !byPod && !byContainer {
			asked[name] = value
		}
	}
	for name, value := range asked {
		if name == api.CPU || name == "memory" || strings.HasPrefix(name, "hugepages-") {
			total[name] = value
		}
	}
}

// ofContainer is what a container asks for. Where it has but a limit, Kubernetes makes that its request.
func ofContainer(container map[string]any) sums {
	resources := objectAt(container, "resources")
	out := quantities(objectAt(resources, "limits"))
	maps.Copy(out, quantities(objectAt(resources, "requests")))
	return out
}

func quantities(of map[string]any) sums {
	out := sums{}
	for name, value := range of {
		if len(name) <= maxName && name != api.Pods {
			out[name] = amount(name, value)
		}
	}
	return out
}

func objectAt(object map[string]any, key string) map[string]any {
	m, _ := object[key].(map[string]any)
	return m
}

func objectsAt(object map[string]any, key string) []map[string]any {
	list, _ := object[key].([]any)
	out := make([]map[string]any, 0, len(list))
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// numeral writes a number as it stands in a manifest; texts are what they are.
func numeral(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case int64, int, float64:
		return fmt.Sprint(v)
	case json.Number:
		return v.String()
	default:
		return ""
	}
}
