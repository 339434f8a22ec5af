package command

import (
	"fmt"
	"io"
	"sync"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

// each does the same to all clusters at once, and returns what failed, in the
// order of the clusters.
func each(clusters []cluster.Cluster, do func(int, cluster.Cluster) error) []error {
	results := make([]error, len(clusters))
	var working sync.WaitGroup
	for i, c := range clusters {
		working.Go(func() {
			if err := do(i, c); err != nil {
				results[i] = fmt.Errorf("%s: %w", c.Name, err)
			}
		})
	}
	working.Wait()
	var failures []error
	for _, err := range results {
		if err != nil {
			failures = append(failures, err)
		}
	}
	return failures
}

// say prints a line about a cluster, whole also when several are at it.
func say(w io.Writer, c cluster.Cluster, format string, args ...any) {
	fmt.Fprintf(w, "%s: %s\n", c.Name, fmt.Sprintf(format, args...))
}
