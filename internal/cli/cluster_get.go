package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/document"
)

// getCluster returns a getter that also shows what a cluster takes over from the cloud that it is on.
func (p *program) getCluster(c *connection) getter {
	return func(ctx context.Context, path string) (*document.Object, error) {
		cluster, err := c.get(ctx, path)
		if err != nil || !inherits(cluster) {
			return cluster, err
		}
		cloudPath, known := refPath(document.At(cluster, "status", "scheduled_to"))
		if !known {
			return cluster, nil
		}
		cloud, err := c.get(ctx, cloudPath)
		if err != nil {
			return nil, fmt.Errorf("the cloud of the cluster: %w", err)
		}
		inherit(cluster, cloud)
		return cluster, nil
	}
}

// inherits says whether there is anything to take over. A constraint on the cloud is enough: what it asks for is shown.
func inherits(cluster *document.Object) bool {
	return document.At(cluster, "metadata", "inherit_labels") == true ||
		document.At(cluster, "spec", "inherit_metrics") == true ||
		len(document.List(cluster, "spec", "constraints", "cloud", "labels")) > 0 ||
		len(document.List(cluster, "spec", "constraints", "cloud", "metrics")) > 0
}

// refPath is the path of the object that a reference names.
func refPath(ref any) (string, bool) {
	kind := api.FindKind(document.Text(ref, "api"), document.Text(ref, "kind"))
	if kind == nil {
		return "", false
	}
	return path(kind, document.Text(ref, "namespace"), document.Text(ref, "name")), true
}

// inherit puts the labels and metrics of the cloud into the cluster, marked as such. All labels are taken over; of the
// metrics all with inherit_metrics, otherwise those that a constraint speaks of.
func inherit(cluster *document.Object, cloud any) {
	labels, _ := document.At(cluster, "metadata", "labels").(*document.Object)
	if labels == nil {
		labels = document.New()
	}
	if from, ok := document.At(cloud, "metadata", "labels").(*document.Object); ok {
		for _, key := range from.Keys() {
			labels.Set(key, fmt.Sprintf("%v (inherited)", from.Get(key)))
		}
	}
	document.Put(cluster, labels, "metadata", "labels")

	metrics := slices.Clone(document.List(cluster, "spec", "metrics"))
	kind := document.Text(cloud, "spec", "type")
	for _, item := range document.List(cloud, "spec", kind, "metrics") {
		if metric, ok := item.(*document.Object); ok && takesOver(cluster, document.Text(metric, "name")) {
			metric.Set("inherited", true)
			metrics = append(metrics, metric)
		}
	}
	if metrics != nil {
		document.Put(cluster, metrics, "spec", "metrics")
	}
}

func takesOver(cluster *document.Object, metric string) bool {
	if document.At(cluster, "spec", "inherit_metrics") == true {
		return true
	}
	return slices.ContainsFunc(document.List(cluster, "spec", "constraints", "cloud", "metrics"), func(text any) bool {
		s, ok := text.(string)
		return ok && metric != "" && strings.Contains(s, metric)
	})
}

// metricKey identifies a reference to a metric by name, weight and kind.
func metricKey(item any) string {
	weight, _ := document.At(item, "weight").(json.Number)
	f, _ := weight.Float64()
	return fmt.Sprintf("%s %g %v", document.Text(item, "name"), f, document.At(item, "namespaced"))
}
