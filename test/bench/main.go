// Benchmarks: what docs/benchmarks.md reports. Everything that is compared is measured in the same run, on the same
// machine, because machines differ and are noisy. Durations are reported, never judged.
//
// Usage: go run ./test/bench [start|decide|place|store|scale|collector|fairness|life|rate|fleet|move|rok]...   (all of them without arguments; make bench builds kubelab, too)
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
)

// measurements are run in this order.
var measurements = []struct {
	name string
	run  func(ctx context.Context) error
}{
	{"start", measureStart},
	{"decide", measureDecisions},
	{"place", measurePlacing},
	{"store", measureStore},
	{"scale", measureScale},
	{"collector", measureCollector},
	{"fairness", measureFairness},
	{"life", measureLife},
	{"rate", measureRate},
	{"fleet", measureFleet},
	{"move", measureMove},
	{"rok", measureRok},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) == 3 && os.Args[1] == floodArgument {
		fmt.Fprintln(os.Stderr, "bench: the flood:", flood(ctx, os.Args[2]))
		os.Exit(1) //nolint:gocritic // nothing is left to release
	}
	if out, err := exec.CommandContext(ctx, "make", "build").CombinedOutput(); err != nil { // what is measured is what is there
		fmt.Fprintf(os.Stderr, "bench: make build: %v\n%s", err, out)
		os.Exit(1) //nolint:gocritic // nothing is left to release
	}
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
