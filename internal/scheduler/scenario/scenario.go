package scenario

import (
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
)

// A Scenario is one story.
type Scenario struct {
	Title    string
	Step     time.Duration // how often the values of metrics are read
	Rules    core.Rules
	Metrics  map[string]api.MetricSpec
	Clusters []*Cluster
	Apps     []*api.Application // those that are there from the beginning
	Events   []Event
	Outages  []Outage
	// Restart is how often the scheduler is restarted; zero for never.
	Restart time.Duration
	Expect  []Expectation
}

// A Cluster of a scenario, with the values that its metrics have from step to step.
type Cluster struct {
	Object *api.Cluster
	Room   *core.Room // nil if its capacity does not count
	Values map[string]Series
}

// A Series gives the value of a metric at each step; ok is false when there is no answer.
type Series func(step int) (value float64, ok bool)

// An Event is something that happens.
type Event struct {
	At time.Duration
	do func(w *World)
}

// An Outage is a time in which something cannot be seen: the metrics of a cluster, or the cluster itself; of all clusters
// if it names none.
type Outage struct {
	From, To time.Duration
	Metrics  bool
	Cluster  string
}

func (o Outage) hits(cluster string, metrics bool, at time.Duration) bool {
	return o.Metrics == metrics && (o.Cluster == "" || o.Cluster == cluster) && at >= o.From && at < o.To
}

// An Expectation is where an application is to be at a time, and why. Zero fields are not compared.
type Expectation struct {
	Line    int
	At      time.Duration
	App     string
	On      string // a cluster, "nowhere", or empty for any
	Moves   *int
	Reason  string // the code of the last decision that gave it a place
	Outcome string // what is thought of its place now: core.Kept, core.Waiting or core.Refused
	Code    string // and why
	Until   *time.Duration
}

// end is when the story is over.
func (s *Scenario) end() time.Duration {
	var last time.Duration
	for _, e := range s.Events {
		last = max(last, e.At)
	}
	for _, e := range s.Expect {
		last = max(last, e.At)
	}
	return last
}
