package core

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/rak-n-rok/krake/api"
)

// Code is the short name of a reason why a cluster cannot be chosen. Codes are stable: they are stored and counted.
type Code string

// The codes, in the order in which the reasons are looked for: the first that holds is given.
const (
	Gone           Code = "gone" // only of the cluster that an application is bound to
	Deleting       Code = "deleting"
	Draining       Code = "draining"
	Cordoned       Code = "cordoned"
	NotOnline      Code = "not-online"
	Label          Code = "label"
	CustomResource Code = "custom-resource"
	Unread         Code = "metrics-unread"
	MetricUnknown  Code = "metric-unknown"
	Metric         Code = "metric"
	Avoided        Code = "avoided"
	NoRoom         Code = "no-room"
)

// counted says of a number of clusters what is wrong with them, in the order of a message.
var counted = []struct {
	code  Code
	words string
}{
	{Deleting, "being deleted"},
	{Draining, "being drained"},
	{Cordoned, "cordoned"},
	{NotOnline, "not online"},
	{Label, "excluded by a label constraint"},
	{CustomResource, "without a custom resource that is asked for"},
	{Unread, "whose metrics cannot be read"},
	{MetricUnknown, "without a known value of a metric that a constraint names"},
	{Metric, "excluded by a metric constraint"},
	{Avoided, "avoided because they have failed it"},
	{NoRoom, "without room"},
}

// Refusal says why a cluster cannot be chosen. The zero value says that it can.
type Refusal struct {
	Code   Code
	Demand string // what the application asks for
	Have   string // what the cluster has instead, empty for nothing
}

// String gives the code and a sentence, empty when there is no refusal.
func (r Refusal) String() string {
	if r.Code == "" {
		return ""
	}
	return string(r.Code) + ": " + r.sentence()
}

func (r Refusal) sentence() string {
	switch r.Code {
	case Gone:
		return "there is no such cluster any more"
	case Deleting:
		return "the cluster is being deleted"
	case Draining:
		return "the cluster is being drained"
	case Cordoned:
		return "the cluster is cordoned: it takes no new applications"
	case NotOnline:
		return "the cluster is " + r.Have + ", not ONLINE"
	case Label:
		if r.Have == "" {
			return fmt.Sprintf("the cluster lacks the label that %q is about", r.Demand)
		}
		return fmt.Sprintf("%q does not hold, the label is %s", r.Demand, r.Have)
	case CustomResource:
		return "the cluster does not list the custom resource " + r.Demand
	case Unread:
		return "its metrics cannot be read: " + r.Have
	case MetricUnknown:
		return fmt.Sprintf("no value is known of the metric that %q is about", r.Demand)
	case Metric:
		return fmt.Sprintf("%q does not hold, the weighted value is %s", r.Demand, r.Have)
	case Avoided:
		return fmt.Sprintf("the cluster is avoided until %s: %s", r.Have, r.Demand)
	case NoRoom:
		if r.Demand == "" {
			return "it is not known how much room the cluster has"
		}
		return fmt.Sprintf("it asks for %s, and the cluster has %s left", r.Demand, r.Have)
	}
	return string(r.Code)
}

// check says why an application cannot be put on a cluster, or, if it is there already, why it must leave. What cannot
// be seen is a reason not to choose a cluster, but none to leave it: a cluster that does not answer and a metric that
// cannot be read say nothing about the applications that run there.
func check(c *Cluster, a *api.Application, there bool) Refusal {
	switch {
	case c.Deleting && !(there && (c.Draining || goesAlong(a))):
		return Refusal{Code: Deleting}
	case c.Draining && !there:
		return Refusal{Code: Draining}
	case c.Cordoned && !there:
		return Refusal{Code: Cordoned}
	case c.State != api.ClusterOnline && !there:
		return Refusal{Code: NotOnline, Have: string(c.State)}
	}
	wanted := &a.Spec.Constraints.Cluster
	for _, l := range wanted.Labels {
		if !l.Matches(c.Labels) {
			return Refusal{Code: Label, Demand: l.String(), Have: c.Labels[l.Key()]}
		}
	}
	for _, name := range wanted.CustomResources {
		if !slices.Contains(c.CustomResources, name) {
			return Refusal{Code: CustomResource, Demand: name}
		}
	}
	if c.Unread != "" && !there {
		return Refusal{Code: Unread, Have: c.Unread}
	}
	for _, m := range wanted.Metrics {
		value, known := c.Metrics[m.Key()]
		switch known = known && !math.IsNaN(value); {
		case !known && !there:
			return Refusal{Code: MetricUnknown, Demand: m.String()}
		case known && !m.Matches(c.Metrics):
			return Refusal{Code: Metric, Demand: m.String(), Have: strconv.FormatFloat(value, 'g', 6, 64)}
		}
	}
	if c.Draining { // what the application itself asks for comes first
		return Refusal{Code: Draining}
	}
	return Refusal{}
}

// goesAlong says whether an application is deleted with the cluster that it is bound to, as what has no other owner is.
// The garbage collector sees to that; moving such an application away at the same time would make it a matter of luck
// whether it survives.
func goesAlong(a *api.Application) bool {
	return !slices.ContainsFunc(a.Metadata.Owners, func(o api.ResourceRef) bool { return !o.Equal(*a.Status.ScheduledTo) })
}
