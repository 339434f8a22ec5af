package metrics

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/provider"
)

// Every type that the API takes can be read from.
func TestEveryTypeOfProvidersHasASource(t *testing.T) {
	variants := 0
	for _, f := range reflect.VisibleFields(reflect.TypeFor[api.MetricsProviderSpec]()) {
		if f.Tag.Get("wire") == "variant" {
			variants++
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if types[name] == nil {
				t.Errorf("%s is not in the table", name)
			}
		}
	}
	if variants != len(types) {
		t.Errorf("the API knows %d types, the table %d", variants, len(types))
	}
	var invalid *provider.InvalidError
	if _, err := open(api.MetricsProviderSpec{Type: "graphite"}); !errors.As(err, &invalid) || !strings.Contains(err.Error(), "graphite") {
		t.Errorf("%v", err)
	}
}
