package api

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The names of resources that Krake counts in units of its own.
const (
	CPU  = "cpu"  // in thousandths of a core
	Pods = "pods" // the number of pods
)

// Amount is how much of a resource there is, or is asked for: thousandths of a core for CPU, and otherwise bytes or pieces.
type Amount struct {
	Resource string
	Value    int64
}

// Amounts are those of several resources, sorted by name, each once. What is not in it is zero. They are not changed once
// they are made, so that they can be shared.
type Amounts []Amount

// AmountsOf sorts what a map has. Zeros are left out.
func AmountsOf(values map[string]int64) Amounts {
	out := make(Amounts, 0, len(values))
	for resource, value := range values {
		if value != 0 {
			out = append(out, Amount{resource, value})
		}
	}
	slices.SortFunc(out, func(a, b Amount) int { return strings.Compare(a.Resource, b.Resource) })
	return out
}

// Of is the amount of one resource.
func (a Amounts) Of(resource string) int64 {
	if i, found := slices.BinarySearchFunc(a, resource, byResource); found {
		return a[i].Value
	}
	return 0
}

func byResource(a Amount, resource string) int { return strings.Compare(a.Resource, resource) }

// Plus adds.
func (a Amounts) Plus(b Amounts) Amounts {
	return a.with(b, func(x, y int64) int64 { return add(x, y) })
}

// Minus subtracts; what comes out may be below zero.
func (a Amounts) Minus(b Amounts) Amounts {
	return a.with(b, func(x, y int64) int64 { return add(x, -y) })
}

// Max takes the greater of both for each resource.
func (a Amounts) Max(b Amounts) Amounts {
	return a.with(b, func(x, y int64) int64 { return max(x, y) })
}

// Times multiplies.
func (a Amounts) Times(n int64) Amounts {
	if n == 1 {
		return a
	}
	out := make(Amounts, 0, len(a))
	for _, one := range a {
		if value := multiply(one.Value, n); value != 0 {
			out = append(out, Amount{one.Resource, value})
		}
	}
	return out
}

// with combines what both have of each resource.
func (a Amounts) with(b Amounts, combine func(x, y int64) int64) Amounts {
	out := make(Amounts, 0, max(len(a), len(b)))
	for i, j := 0, 0; i < len(a) || j < len(b); {
		order := 0
		switch {
		case i == len(a):
			order = 1
		case j == len(b):
			order = -1
		default:
			order = cmp.Compare(a[i].Resource, b[j].Resource)
		}
		var one Amount
		var x, y int64
		if order <= 0 {
			one.Resource, x = a[i].Resource, a[i].Value
			i++
		}
		if order >= 0 {
			one.Resource, y = b[j].Resource, b[j].Value
			j++
		}
		if one.Value = combine(x, y); one.Value != 0 {
			out = append(out, one)
		}
	}
	return out
}

// add does not overflow: it stops at the greatest and the smallest number.
func add(x, y int64) int64 {
	switch sum := x + y; {
	case x > 0 && y > 0 && sum < 0:
		return math.MaxInt64
	case x < 0 && y < 0 && sum >= 0:
		return -math.MaxInt64
	default:
		return sum
	}
}

// multiply does not overflow either; n is not below zero.
func multiply(x, n int64) int64 {
	if x > 0 && n > math.MaxInt64/x {
		return math.MaxInt64
	}
	return x * n
}

// String writes an amount for people, such as "1.5 cpu", "512Mi memory" or "3 pods".
func (a Amount) String() string { return a.Quantity() + " " + a.Resource }

// Quantity writes the value alone, rounded to three digits where it has more.
func (a Amount) Quantity() string {
	if a.Resource == CPU {
		return fmt.Sprintf("%.6g", float64(a.Value)/1000)
	}
	if !inBytes(a.Resource) {
		return fmt.Sprint(a.Value)
	}
	value, unit := float64(a.Value), ""
	for _, u := range []string{"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"} {
		if math.Abs(value) < 1024 {
			break
		}
		value, unit = value/1024, u
	}
	return fmt.Sprintf("%.4g%s", value, unit)
}

func inBytes(resource string) bool {
	return resource == "memory" || resource == "ephemeral-storage" || strings.HasPrefix(resource, "hugepages-")
}

// Requests are what the pods of an application ask for.
type Requests struct {
	Total Amounts // all of them together
	// PerNode is what is asked for on each node of a cluster, by pods of DaemonSets. It is not part of Total.
	PerNode Amounts
}

// On is what they come to on a cluster with so many nodes.
func (r Requests) On(nodes int64) Amounts {
	if len(r.PerNode) == 0 {
		return r.Total
	}
	return r.Total.Plus(r.PerNode.Times(max(nodes, 0)))
}

// Plus adds the requests of another application.
func (r Requests) Plus(o Requests) Requests {
	return Requests{r.Total.Plus(o.Total), r.PerNode.Plus(o.PerNode)}
}

// Minus takes the requests of another application away.
func (r Requests) Minus(o Requests) Requests {
	return Requests{r.Total.Minus(o.Total), r.PerNode.Minus(o.PerNode)}
}
