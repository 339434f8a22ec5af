package fleet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// A Deviation is an object that is not on its cluster as it was asked for.
type Deviation struct {
	Entry api.InventoryObject
	Way   Way
	// Fields are those that differ of an object that has drifted.
	Fields []string
}

// Way says how an object deviates.
type Way string

// The ways, the one that asks most for somebody to look first.
const (
	Drifted  Way = "Drifted"  // others have changed it
	Missing  Way = "Missing"  // it is not there
	Outdated Way = "Outdated" // it is as an earlier manifest wanted it
	Surplus  Way = "Surplus"  // it is there and is not wanted any more
)

// maxNamed is how many fields are named in a sentence.
const maxNamed = 8

// words say for people why an object that deviates so has to be applied again.
func (d Deviation) words() string {
	switch d.Way {
	case Drifted:
		fields := d.Fields
		if more := len(fields) - maxNamed; more > 0 {
			fields = append(slices.Clone(fields[:maxNamed]), fmt.Sprintf("%d more", more))
		}
		return "changed on the cluster: " + strings.Join(fields, ", ")
	case Missing:
		return "missing on the cluster"
	default:
		return ManifestChanged
	}
}

// Deviations are the objects for which the plan has something to do, or would have if they were not held.
func (p *Plan) Deviations() []Deviation {
	var out []Deviation
	for _, c := range slices.Concat(p.Create, p.Adopt) {
		out = append(out, Deviation{Entry: c.Entry, Way: Missing})
	}
	for _, c := range slices.Concat(p.Update, p.Held) {
		if c.Way != "" {
			out = append(out, Deviation{c.Entry, c.Way, c.Fields})
		}
	}
	for _, e := range p.Prune {
		out = append(out, Deviation{Entry: e, Way: Surplus})
	}
	return out
}

// Repairs says whether the change of an object that exists puts right what others have done.
func (c Change) Repairs() bool { return c.Way == Drifted || c.Way == Missing }

// Hold leaves repairs alone for now: what others undo again and again is not to be done again at once.
func (p *Plan) Hold(held func(Change) bool) {
	var rest []Change
	for _, c := range p.Update {
		if c.Repairs() && held(c) {
			p.Held = append(p.Held, c)
		} else {
			rest = append(rest, c)
		}
	}
	p.Update = rest
}
