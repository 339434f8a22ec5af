package fleet

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// sameMeaning says whether a live value means what is wanted. A cluster may spell it in another way: quantities and
// moments have a form of their own there, encoded bytes lose their line breaks, defaults are filled in, and what is void
// is left out or filled in.
func sameMeaning(wanted, live any) bool {
	switch w := wanted.(type) {
	case map[string]any:
		l, _ := live.(map[string]any)
		for key, value := range w {
			if !isVoid(value) && !sameMeaning(value, l[key]) {
				return false
			}
		}
		return true
	case []any:
		l, _ := live.([]any)
		if len(w) != len(l) {
			return false
		}
		for i, element := range w {
			if !sameMeaning(element, l[i]) {
				return false
			}
		}
		return true
	}
	return isZero(wanted) || sameText(fmt.Sprint(wanted), fmt.Sprint(live))
}

// isZero says whether a value is one that a cluster takes for none.
func isZero(value any) bool {
	return value == nil || value == "" || value == false || value == int64(0) || value == 0.0
}

func sameText(wanted, live string) bool {
	if wanted == live || strings.NewReplacer("\n", "", "\r", "").Replace(wanted) == live {
		return true
	}
	if w, err := resource.ParseQuantity(wanted); err == nil {
		l, err := resource.ParseQuantity(live)
		return err == nil && w.Cmp(l) == 0
	}
	w, err := time.Parse(time.RFC3339, wanted)
	if err != nil {
		return false
	}
	l, err := time.Parse(time.RFC3339, live)
	return err == nil && w.Equal(l)
}
