package provider

import (
	"context"
	"fmt"
)

// A Source is a provider of metric values. It may be used by several goroutines at once.
type Source interface {
	// Read returns the value of a metric as it is now, by the provider's own name for it. Errors are *UnreachableError,
	// and *InvalidError when there is an answer without a number. What is no finite number may be returned as it is: no
	// metric has it in its range.
	Read(ctx context.Context, name string) (float64, error)
}

// A BatchSource can be asked for many values by one request.
type BatchSource interface {
	Source
	// Batch says whether a name may be asked for together with others.
	Batch(name string) bool
	// ReadAll is Read for several names that Batch approves of: it gives each of them a result, or an error for all.
	ReadAll(ctx context.Context, names []string) (map[string]Result, error)
}

// A Result is what Read returns.
type Result struct {
	Value float64
	Err   error
}

// UnreachableError says that a provider gives no answer.
type UnreachableError struct {
	Provider string // what it is, such as Prometheus
	Cause    error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no answer from %s: %v", e.Provider, e.Cause)
}
func (e *UnreachableError) Unwrap() error { return e.Cause }

// InvalidError says that a provider has no usable value of a metric.
type InvalidError struct{ Message string }

func (e *InvalidError) Error() string { return e.Message }

// Invalid returns an *InvalidError.
func Invalid(format string, args ...any) error { return &InvalidError{fmt.Sprintf(format, args...)} }
