package controller

import (
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/util/workqueue"
)

// Metrics are what Prometheus is told of all controllers in this process; the label controller is their name.
var Metrics prometheus.Collector = queues

// queueMetrics gives each queue its metrics.
type queueMetrics struct {
	depth, unfinished, longest *prometheus.GaugeVec
	added, delayed             *prometheus.CounterVec
	looks                      *prometheus.CounterVec // by result as well
	waited, worked             *prometheus.HistogramVec
}

var queues = newQueueMetrics()

func newQueueMetrics() *queueMetrics {
	labels := []string{"controller"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "krake_controller_" + name, Help: help}, labels)
	}
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "krake_controller_" + name, Help: help}, labels)
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "krake_controller_" + name, Help: help,
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 300}}, labels)
	}
	return &queueMetrics{
		depth:      gauge("queue_depth", "Objects that wait to be looked at."),
		unfinished: gauge("unfinished_work_seconds", "How long the work that goes on has taken, all of it added up."),
		longest:    gauge("longest_work_seconds", "How long the work that goes on for longest has taken."),
		added:      counter("queue_adds_total", "Objects that came into the queue."),
		delayed:    counter("queue_delayed_total", "Objects that are to be looked at again later, by plan or because an attempt failed."),
		looks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "krake_controller_reconciles_total",
			Help: "Attempts to bring an object in line, by result: ok, conflict (something newer is on its way), unreachable (the API), error. All but ok are retried.",
		}, append(labels, "result")),
		waited: histogram("queue_duration_seconds", "How long objects waited in the queue."),
		worked: histogram("work_duration_seconds", "How long looking at one object took."),
	}
}

func (m *queueMetrics) parts() []prometheus.Collector {
	return []prometheus.Collector{m.depth, m.unfinished, m.longest, m.added, m.delayed, m.looks, m.waited, m.worked}
}

// Describe is a method of prometheus.Collector.
func (m *queueMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, p := range m.parts() {
		p.Describe(out)
	}
}

// Collect is a method of prometheus.Collector.
func (m *queueMetrics) Collect(out chan<- prometheus.Metric) {
	for _, p := range m.parts() {
		p.Collect(out)
	}
}

// The rest are the methods of workqueue.MetricsProvider.

func (m *queueMetrics) NewDepthMetric(name string) workqueue.GaugeMetric {
	return m.depth.WithLabelValues(name)
}

func (m *queueMetrics) NewAddsMetric(name string) workqueue.CounterMetric {
	return m.added.WithLabelValues(name)
}

func (m *queueMetrics) NewLatencyMetric(name string) workqueue.HistogramMetric {
	return m.waited.WithLabelValues(name)
}

func (m *queueMetrics) NewWorkDurationMetric(name string) workqueue.HistogramMetric {
	return m.worked.WithLabelValues(name)
}

func (m *queueMetrics) NewUnfinishedWorkSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return m.unfinished.WithLabelValues(name)
}

func (m *queueMetrics) NewLongestRunningProcessorSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return m.longest.WithLabelValues(name)
}

func (m *queueMetrics) NewRetriesMetric(name string) workqueue.CounterMetric {
	return m.delayed.WithLabelValues(name)
}
