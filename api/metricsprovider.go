package api

// GlobalMetricsProviderKind is the kind of sources of metric values that everybody may use.
var GlobalMetricsProviderKind = &Kind{
	Group: "core", Name: "GlobalMetricsProvider", Plural: "globalmetricsproviders",
	QuietUpdate: true,
	New:         func() Resource { return &GlobalMetricsProvider{} },
	Secrets:     metricsProviderSecrets,
}

// MetricsProviderKind is the kind of sources of metric values for the objects of one namespace.
var MetricsProviderKind = &Kind{
	Group: "core", Name: "MetricsProvider", Plural: "metricsproviders",
	Namespaced: true,
	New:        func() Resource { return &MetricsProvider{} },
	Secrets:    metricsProviderSecrets,
}

var metricsProviderSecrets = []string{"spec.influx.token", "spec.prometheus.password", "spec.prometheus.token", "spec.prometheus.client_key"}

// GlobalMetricsProvider says where metric values come from.
type GlobalMetricsProvider struct {
	Envelope
	Spec MetricsProviderSpec `json:"spec" wire:"required"`
}

// MetricsProvider says where metric values for one namespace come from.
type MetricsProvider struct {
	Envelope
	Spec MetricsProviderSpec `json:"spec" wire:"required"`
}

// MetricsProviderSpec holds the settings of the one kind of provider that Type names. URLs are not checked.
type MetricsProviderSpec struct {
	Type       string              `json:"type" wire:"discriminator"`
	Prometheus *PrometheusProvider `json:"prometheus,omitempty" wire:"variant"`
	Influx     *InfluxProvider     `json:"influx,omitempty" wire:"variant"`
	Kafka      *KafkaProvider      `json:"kafka,omitempty" wire:"variant"`
	Static     *StaticProvider     `json:"static,omitempty" wire:"variant"`
}

// InfluxProvider reads from a bucket of an InfluxDB 2 server.
type InfluxProvider struct {
	URL    string `json:"url" wire:"required"`
	Token  string `json:"token" wire:"required"`
	Org    string `json:"org" wire:"required"`
	Bucket string `json:"bucket" wire:"required"`
}

// KafkaProvider reads from a table of a ksqlDB server: the value in one column of the row whose other column holds the
// metric's name.
type KafkaProvider struct {
	ComparisonColumn string `json:"comparison_column" wire:"required"`
	ValueColumn      string `json:"value_column" wire:"required"`
	Table            string `json:"table" wire:"required"`
	URL              string `json:"url" wire:"required"`
}

// StaticProvider gives values that are written down here.
type StaticProvider struct {
	Metrics map[string]float64 `json:"metrics" wire:"required"`
}
