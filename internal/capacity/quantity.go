package capacity

import (
	"maps"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/rak-n-rok/krake/api"
)

// Bounds of what one application is believed to ask for. With them the requests of a hundred thousand applications are
// summed without overflow.
const (
	maxValue     = int64(1) << 46 // 64 TiB, or as many thousandths of a core
	maxResources = 32             // kinds of resources; further ones, by name, count as nothing
	maxName      = 253 + 1 + 63   // bytes of the name of a resource
)

// plainQuantity is a quantity that can be read without harm. Kubernetes reads exponents of any size, which takes memory
// and time in proportion to what is written.
var plainQuantity = regexp.MustCompile(`^\+?[0-9.]{1,24}([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?$`)

// amount reads a quantity as a manifest may have it, a text or a number. What is none, or below zero, is nothing.
func amount(name string, value any) int64 {
	text := numeral(value)
	if !plainQuantity.MatchString(text) {
		return 0
	}
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() < 0 {
		return 0
	}
	if q.Cmp(*resource.NewQuantity(maxValue, resource.DecimalSI)) > 0 {
		return maxValue
	}
	if name == api.CPU {
		return min(q.MilliValue(), maxValue)
	}
	return q.Value()
}

// Amounts reads what the nodes of a cluster offer, or its pods use, as Krake has written it down.
func Amounts(quantities map[string]string) api.Amounts {
	out := map[string]int64{}
	for name, text := range quantities {
		q, err := resource.ParseQuantity(text)
		switch {
		case err != nil:
		case name == api.CPU:
			out[name] = q.MilliValue()
		default:
			out[name] = q.Value()
		}
	}
	return api.AmountsOf(out)
}

// Quantities writes amounts as Kubernetes does.
func Quantities(a api.Amounts) map[string]string {
	out := make(map[string]string, len(a))
	for _, one := range a {
		switch one.Resource {
		case api.CPU:
			out[one.Resource] = resource.NewMilliQuantity(one.Value, resource.DecimalSI).String()
		case "memory", "ephemeral-storage":
			out[one.Resource] = resource.NewQuantity(one.Value, resource.BinarySI).String()
		default:
			out[one.Resource] = resource.NewQuantity(one.Value, resource.DecimalSI).String()
		}
	}
	return out
}

// sums are amounts in the making.
type sums map[string]int64

func (s sums) add(more sums) {
	for name, value := range more {
		s[name] = min(s[name]+value, maxValue)
	}
}

func (s sums) raise(to sums) {
	for name, value := range to {
		s[name] = max(s[name], value)
	}
}

func (s sums) times(n int64) sums {
	out := make(sums, len(s))
	for name, value := range s {
		if out[name] = maxValue; value == 0 || n <= maxValue/value {
			out[name] = value * n
		}
	}
	return out
}

// final gives the amounts of at most maxResources resources.
func (s sums) final() api.Amounts {
	names := slices.Sorted(maps.Keys(s))
	for _, name := range names[min(len(names), maxResources):] {
		if name != api.Pods && name != api.CPU && name != "memory" {
			delete(s, name)
		}
	}
	return api.AmountsOf(s)
}
