package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/fleet"
	"github.com/rak-n-rok/krake/internal/kubernetes"
)

func told(status int, format string, args ...any) error {
	return api.NewProblem(status, "", "%d: %s: %s", status, http.StatusText(status), fmt.Sprintf(format, args...))
}

// conflict says that something cannot be done as things are.
func conflict(format string, args ...any) error { return told(http.StatusConflict, format, args...) }

// absent says that something that was named is not there.
func absent(format string, args ...any) error { return told(http.StatusNotFound, format, args...) }

// problem tells what went wrong on the way to a cluster, or there.
func problem(cluster string, err error) error {
	var (
		refused     *fleet.RefusedError
		unsupported *fleet.UnsupportedError
		invalid     *fleet.InvalidError
		transient   *fleet.TransientError
		wait        *kubernetes.WaitError
	)
	switch {
	case errors.As(err, &refused) && refused.Code == http.StatusForbidden:
		return told(http.StatusForbidden, "the cluster %s does not allow this to Krake: %s", cluster, refused.Message)
	case errors.As(err, &refused) && refused.Code == http.StatusNotFound:
		return absent("the cluster %s: %s", cluster, refused.Message)
	case errors.As(err, &refused) && refused.Code == http.StatusBadRequest:
		return conflict("the cluster %s: %s", cluster, refused.Message)
	case errors.As(err, &invalid):
		return told(http.StatusUnprocessableEntity, "%s", invalid)
	case errors.As(err, &unsupported), errors.As(err, &wait):
		return conflict("%s", err)
	case fleet.Unreachable(err):
		return told(http.StatusBadGateway, "the cluster %s cannot be reached: %s", cluster, err)
	case errors.As(err, &transient), errors.As(err, &refused):
		return told(http.StatusBadGateway, "the cluster %s: %s", cluster, err)
	}
	return err
}

// A query is read parameter by parameter; the first one that is wrong is remembered.
type query struct {
	url.Values
	err error
}

func (q *query) fail(name, text string) {
	if q.err == nil {
		q.err = api.NewProblem(http.StatusUnprocessableEntity, "", `{"query": {%q: [%q]}}`, name, text)
	}
}

func (q *query) flag(name string, otherwise bool) bool {
	switch value := q.Get(name); {
	case !q.Has(name):
		return otherwise
	case slices.Contains([]string{"true", "True", "1"}, value):
		return true
	case slices.Contains([]string{"false", "False", "0"}, value):
		return false
	}
	q.fail(name, "Not a valid boolean.")
	return false
}

// number reads a whole number between two bounds.
func (q *query) number(name string, otherwise, least, most int64) int64 {
	if !q.Has(name) {
		return otherwise
	}
	n, err := strconv.ParseInt(q.Get(name), 10, 64)
	if err != nil {
		q.fail(name, "Not a valid integer.")
	} else if n < least || n > most {
		q.fail(name, fmt.Sprintf("Must be between %d and %d.", least, most))
	}
	return n
}
