package command

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

// statusTimeout is how long a supervisor may take to say how it is.
const statusTimeout = 5 * time.Second

func statusFlags(flags *pflag.FlagSet, in *invocation) {
	flags.BoolVar(&in.json, "json", false, "print a JSON array instead of a table")
}

// status shows clusters: all of the folder, if none is named. Those that cannot
// be shown do not hide the others.
func status(ctx context.Context, in invocation) []error {
	clusters := in.clusters
	if len(clusters) == 0 {
		all, err := cluster.List(in.dir)
		if err != nil {
			return []error{err}
		}
		clusters = all
	}
	found := make([]*cluster.Status, len(clusters))
	failures := each(clusters, func(i int, c cluster.Cluster) error {
		s, err := look(ctx, c)
		if err == nil {
			found[i] = &s
		}
		return err
	})
	shown := []cluster.Status{} // never null as JSON
	for _, s := range found {
		if s != nil {
			shown = append(shown, *s)
		}
	}
	if err := show(in, shown); err != nil {
		failures = append(failures, err)
	}
	return failures
}

func look(ctx context.Context, c cluster.Cluster) (cluster.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	return c.Status(ctx)
}

func show(in invocation, shown []cluster.Status) error {
	if in.json {
		encoder := json.NewEncoder(in.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(shown)
	}
	if len(shown) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(in.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSTATE\tNODES\tSERVER\tPIDS")
	for _, s := range shown {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.Name, s.State, nodes(s), s.Server, pids(s))
	}
	return table.Flush()
}

func nodes(s cluster.Status) string {
	if s.Real {
		return fmt.Sprintf("%d real", s.Nodes)
	}
	return fmt.Sprint(s.Nodes)
}

func pids(s cluster.Status) string {
	if s.Pid == 0 {
		return "-"
	}
	words := []string{fmt.Sprintf("supervisor=%d", s.Pid)}
	for _, p := range s.Parts {
		word := fmt.Sprintf("%s=%d", p.Name, p.Pid)
		if p.Ended != "" {
			word = fmt.Sprintf("%s(%s)", p.Name, p.Ended)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}
