package apiserver

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rak-n-rok/krake/internal/fairness"
	"github.com/rak-n-rok/krake/internal/store"
)

// metrics is what GET /metrics shows.
type metrics struct {
	handler  http.Handler
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	watches  *prometheus.GaugeVec
	events   *prometheus.CounterVec
	broken   atomic.Int64 // records that are documents, and not objects of their kind
}

// buckets of durations, in seconds: from what memory answers to what a slow disk needs.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

func newMetrics(registry *prometheus.Registry, st *store.Store, gate *fairness.Gate) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "krake_api_requests_total", Help: "Requests that were answered.",
		}, []string{"kind", "verb", "subresource", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "krake_api_request_duration_seconds", Help: "Time until a request was answered; watches and requests that wait on purpose are left out.",
			Buckets: buckets,
		}, []string{"kind", "verb", "subresource"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "krake_api_requests_in_flight", Help: "Requests that are being served, open watches included.",
		}),
		watches: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "krake_api_watches", Help: "Open watches.",
		}, []string{"kind"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "krake_api_watch_events_total", Help: "Events that were sent to watches.",
		}, []string{"kind"}),
	}
	broken := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "krake_api_broken_records_total", Help: "How often a record was left out of a list or a watch because it could not be read; the log has its key.",
	}, func() float64 { return float64(st.Stats().Broken + m.broken.Load()) })
	atWork := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "krake_api_requests_at_work", Help: "Requests that have a place among those that are worked on.",
	}, func() float64 { return float64(gate.Load().AtWork) })
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "krake_api_requests_waiting", Help: "Requests that wait for their client's turn.",
	}, func() float64 { return float64(gate.Load().Waiting) })
	registry.MustRegister(m.requests, m.duration, m.inFlight, m.watches, m.events, broken, atWork, waiting, &storeCollector{store: st})
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

func (m *metrics) observe(r *request, code int, took time.Duration) {
	m.requests.WithLabelValues(r.kind, r.verb, r.sub, strconv.Itoa(code)).Inc()
	if !r.long {
		m.duration.WithLabelValues(r.kind, r.verb, r.sub).Observe(took.Seconds())
	}
}

// storeCollector shows how the store is doing at the moment of a scrape.
type storeCollector struct{ store *store.Store }

var (
	revisionMetric  = described("revision", "The newest revision that reads and watches have.")
	recordsMetric   = described("records", "Stored records, parts included.")
	watchesMetric   = described("watches", "Open watches of the store.")
	commitsMetric   = described("commits_total", "Transactions that were written.")
	conflictsMetric = described("conflicts_total", "Transactions that were refused because somebody else had been faster.")
	slowMetric      = described("slow_watches_total", "Watches that were cut off because their reader did not keep up.")
	upMetric        = described("up", "1 while etcd answers.")
	sizeMetric      = described("database_bytes", "Size of the database.")
	inUseMetric     = described("database_in_use_bytes", "How much of the database is used; the rest is given back by a defragmentation.")
	quotaMetric     = described("database_quota_bytes", "The size at which the database turns read-only.")
	alarmsMetric    = described("alarms", "Alarms that etcd has raised.")
)

func described(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("krake_store_"+name, help, nil, nil)
}

// Describe implements prometheus.Collector.
func (c *storeCollector) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }

// Collect implements prometheus.Collector.
func (c *storeCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) { out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	counter := func(d *prometheus.Desc, v int64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	stats := c.store.Stats()
	gauge(revisionMetric, float64(stats.Revision))
	gauge(recordsMetric, float64(stats.Records))
	gauge(watchesMetric, float64(stats.Watches))
	counter(commitsMetric, stats.Commits)
	counter(conflictsMetric, stats.Conflicts)
	counter(slowMetric, stats.SlowWatches)
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	health, err := c.store.Health(ctx)
	if err != nil {
		gauge(upMetric, 0)
		return
	}
	gauge(upMetric, 1)
	gauge(sizeMetric, float64(health.Size))
	gauge(inUseMetric, float64(health.InUse))
	gauge(quotaMetric, float64(health.Quota))
	gauge(alarmsMetric, float64(len(health.Alarms)))
}
