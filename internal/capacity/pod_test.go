package capacity

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

// asks reads amounts such as {"cpu": 1500, "memory": 1024, "pods": 1}.
func asks(values map[string]int64) api.Amounts { return api.AmountsOf(values) }

// parsed reads JSON into the types that manifests have.
func parsed(t testing.TB, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAPodAsksAsKubernetesCounts(t *testing.T) {
	for name, c := range map[string]struct {
		spec string
		want map[string]int64
	}{
		"nothing is asked": {`{"containers":[{"name":"a"}]}`, map[string]int64{"pods": 1}},
		"containers add up": {
			`{"containers":[{"resources":{"requests":{"cpu":"250m","memory":"1Gi"}}},{"resources":{"requests":{"cpu":1}}}]}`,
			map[string]int64{"cpu": 1250, "memory": 1 << 30, "pods": 1},
		},
		"a limit is a request where there is none": {
			`{"containers":[{"resources":{"limits":{"cpu":"2","memory":"1Ki"},"requests":{"cpu":"1"}}}]}`,
			map[string]int64{"cpu": 1000, "memory": 1024, "pods": 1},
		},
		"the greediest of the preparing containers counts if it asks for more": {
			`{"initContainers":[{"resources":{"requests":{"cpu":"3"}}},{"resources":{"requests":{"cpu":"1","memory":"9"}}}],
			  "containers":[{"resources":{"requests":{"cpu":"2","memory":"4"}}}]}`,
			map[string]int64{"cpu": 3000, "memory": 9, "pods": 1},
		},
		"a sidecar adds up with the containers, and with those that prepare after it": {
			`{"initContainers":[{"resources":{"requests":{"cpu":"3"}}},{"restartPolicy":"Always","resources":{"requests":{"cpu":"1"}}},
			  {"resources":{"requests":{"cpu":"4"}}}],"containers":[{"resources":{"requests":{"cpu":"2"}}}]}`,
			map[string]int64{"cpu": 5000, "pods": 1},
		},
		"overhead is added": {
			`{"overhead":{"cpu":"100m","memory":"5"},"containers":[{"resources":{"requests":{"cpu":"1"}}}]}`,
			map[string]int64{"cpu": 1100, "memory": 5, "pods": 1},
		},
		"what the pod asks for as a whole replaces what its containers do": {
			`{"resources":{"requests":{"cpu":"4","example.com/gpu":"9"},"limits":{"memory":"7"}},
			  "containers":[{"resources":{"requests":{"cpu":"1","memory":"3"}}}]}`,
			map[string]int64{"cpu": 4000, "memory": 3, "pods": 1},
		},
		"devices count, too": {
			`{"containers":[{"resources":{"limits":{"nvidia.com/gpu":2}}}]}`, map[string]int64{"nvidia.com/gpu": 2, "pods": 1},
		},
		"fractions are rounded up": {
			`{"containers":[{"resources":{"requests":{"cpu":"0.0001","memory":"1500m"}}}]}`, map[string]int64{"cpu": 1, "memory": 2, "pods": 1},
		},
		"what makes no sense is nothing": {
			`{"containers":[7,{"resources":"all"},{"resources":{"requests":{"cpu":"-1","memory":"many","a":true,"b":null,"c":"1e999999999",
			  "d":"1.2.3","pods":"7"}}},{"resources":{"requests":[1]}}],"initContainers":"none","overhead":3}`,
			map[string]int64{"pods": 1},
		},
		"what nobody has is cut": {
			`{"containers":[{"resources":{"requests":{"cpu":"1e40","memory":"99999999E"}}},{"resources":{"requests":{"cpu":"8E"}}}]}`,
			map[string]int64{"cpu": maxValue, "memory": maxValue, "pods": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(asks(c.want), OfPod(parsed(t, c.spec))); d != "" {
				t.Error(d)
			}
		})
	}
}

// The oracle is what Kubernetes' scheduler itself uses.
func TestSumsAreThoseOfKubernetes(t *testing.T) {
	quantity := rapid.SampledFrom([]string{"0", "1", "2", "100m", "1500m", "1Ki", "3Mi", "2Gi", "1k", "0.5", "1e3", "2E2"})
	requests := rapid.MapOfN(rapid.SampledFrom([]string{"cpu", "memory", "ephemeral-storage", "example.com/gpu", "hugepages-2Mi"}), quantity, 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		container := func(label string, initial bool) map[string]any {
			c := map[string]any{"name": label, "resources": map[string]any{"requests": requests.Draw(t, label)}}
			if initial && rapid.Bool().Draw(t, label+" is a sidecar") {
				c["restartPolicy"] = "Always"
			}
			return c
		}
		var main, initial []any
		for i := range rapid.IntRange(1, 3).Draw(t, "containers") {
			main = append(main, container(fmt.Sprint("c", i), false))
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "initial containers") {
			initial = append(initial, container(fmt.Sprint("i", i), true))
		}
		spec := map[string]any{"containers": main, "initContainers": initial, "overhead": requests.Draw(t, "overhead")}
		if rapid.Bool().Draw(t, "as a whole") {
			spec["resources"] = map[string]any{"requests": requests.Draw(t, "of the pod")}
		}
		text, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		var pod corev1.Pod
		var plain map[string]any
		if err := json.Unmarshal(text, &pod.Spec); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &plain); err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{"pods": 1}
		for name, q := range resourcehelper.PodRequests(&pod, resourcehelper.PodResourcesOptions{}) {
			if want[string(name)] = q.Value(); name == corev1.ResourceCPU {
				want[string(name)] = q.MilliValue()
			}
		}
		got := OfPod(plain)
		for name := range want {
			// Kubernetes rounds the sum of fractions, and we each of them, which makes a unit for each container.
			if slack := got.Of(name) - want[name]; slack < 0 || slack > 8 || name == "cpu" && slack != 0 {
				t.Errorf("%s: %d, Kubernetes says %d: %s", name, got.Of(name), want[name], text)
			}
		}
		if len(got) != len(asks(want)) {
			t.Errorf("%v, Kubernetes says %v", got, want)
		}
	})
}
