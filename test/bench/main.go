// Benchmarks: what docs/benchmarks.md reports. Everything that is compared is measured in the same run, on the same
// machine, because machines differ and are noisy. Durations are reported, never judged.
//
// Usage: go run ./test/bench [start|store|life|move]...   (all of them without arguments; make bench builds what it needs)
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
)

// measurements are run in this order.
var measurements = []struct {
	name string
	run  func(ctx context.Context) error
}{
	{"start", measureStart},
	{"store", measureStore},
	{"life", measureLife},
	{"move", measureMove},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, m := range measurements {
		if len(os.Args) > 1 && !slices.Contains(os.Args[1:], m.name) {
			continue
		}
		if err := m.run(ctx); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", m.name, err)
			os.Exit(1) //nolint:gocritic // nothing is left to release
		}
	}
}
