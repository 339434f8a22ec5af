package main

import (
	"fmt"
	"slices"
	"time"
)

func title(text string) { fmt.Printf("\n## %s\n\n", text) }

// header begins a Markdown table.
func header(columns ...string) {
	row(columns...)
	line := "|"
	for range columns {
		line += " --- |"
	}
	fmt.Println(line)
}

func row(cells ...string) {
	fmt.Print("|")
	for _, c := range cells {
		fmt.Printf(" %s |", c)
	}
	fmt.Println()
}

// samples are durations of the same thing.
type samples []time.Duration

// at returns the value below which this share of the samples lies.
func (s samples) at(share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }

func perSecond(n int, d time.Duration) string { return fmt.Sprintf("%.0f/s", float64(n)/d.Seconds()) }
