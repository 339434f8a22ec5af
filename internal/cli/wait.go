package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/suggest"
)

// gone is what is waited for when an object is to disappear. It is no state on the wire.
const gone = "DELETED"

// states are those that an object of a kind can be in, the one first that is waited for when none is named.
func states(kind *api.Kind) []string {
	first, all := "", []string{}
	switch kind {
	case api.ApplicationKind:
		first, all = string(api.AppRunning), api.ApplicationState("").Members()
	case api.ClusterKind:
		first, all = string(api.ClusterOnline), api.ClusterState("").Members()
	case api.MagnumClusterKind:
		first, all = string(api.MagnumRunning), api.MagnumClusterState("").Members()
	case api.CloudKind, api.GlobalCloudKind, api.ProjectKind:
		first, all = string(api.MetricsOnline), api.MetricsState("").Members()
	default:
		first = gone
	}
	others := slices.DeleteFunc(append(slices.Clone(all), gone), func(s string) bool { return s == first })
	slices.Sort(others)
	return append([]string{first}, slices.Compact(others)...)
}

// failed is the state in which nothing more happens by itself.
const failed = "FAILED"

// waitCommand makes the command wait. It follows an object itself, so that it can wait for any state and for any time;
// the options --wait of other commands leave that to the API, which gives up after a minute.
func (p *program) waitCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "wait KIND NAME",
		Short: "Wait until an object is in a state",
		Long: "Wait until an object is in a state, and show it then. Without a state, it is the one in which the object is ready:\n" +
			"RUNNING for applications, ONLINE for clusters, clouds and projects. DELETED is the end of the object.\n" +
			"The exit code is 1 if the time is over, or if the object fails or disappears meanwhile.",
		Example: fmt.Sprintf("  %[1]s wait app echo-demo\n  %[1]s wait cluster minikube --for offline --timeout 30s\n"+
			"  %[1]s wait app echo-demo --for deleted", p.Name),
		Args: exactly([]string{"KIND", "NAME"}),
	}
	addOutput(cmd, asTable, asWide, asJSON, asYAML, asName)
	config := addConfig(cmd)
	namespace := cmd.Flags().StringP("namespace", "n", "", "`NAMESPACE` instead of the configured user's")
	state := cmd.Flags().String("for", "", "`STATE` to wait for, in upper or lower case")
	timeout := cmd.Flags().Duration("timeout", 5*time.Minute, "longest `TIME` to wait, such as 30s or 10m; 0 for any")
	p.addWidth(cmd)
	p.completeWait(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		k, err := kindCalled(args[0])
		if err != nil {
			return err
		}
		possible := states(k.kind)
		wanted := cmp.Or(strings.ToUpper(*state), possible[0])
		if !slices.Contains(possible, wanted) {
			return usagef("argument --for: invalid choice: '%s' (choose from %s)", *state, strings.ToLower(strings.Join(possible, ", ")))
		}
		c, err := p.connect(*config)
		if err != nil {
			return err
		}
		ctx := cmd.Context()
		if *timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, *timeout)
			defer cancel()
		}
		w := waiter{p: p, k: k, name: args[1], wanted: wanted}
		err = p.follow(ctx, c, one(k.kind, c.namespace(*namespace), args[1]), follower{w.begin, w.next})
		if errors.Is(err, context.DeadlineExceeded) && cmd.Context().Err() == nil {
			return fmt.Errorf("%s '%s' is %s, not %s, after %s: --timeout is how long to wait", k.kind.Name, args[1], w.state, wanted, *timeout)
		}
		if err != nil {
			return err
		}
		return p.show(w.seen, k.detailOf(w.seen))
	})
	return cmd
}

// waiter looks at an object until it is as wanted.
type waiter struct {
	p            *program
	k            *presentation
	name, wanted string
	state        string
	seen         *document.Object
}

func (w *waiter) begin(items []any) error {
	switch {
	case len(items) > 0:
		return w.next(change{client.Added, items[0].(*document.Object)})
	case w.wanted == gone:
		return errEnough
	default:
		return fmt.Errorf("%s '%s' does not exist: %d %s", w.k.kind.Name, w.name, 404, api.TitleNotFound)
	}
}

func (w *waiter) next(ch change) error {
	w.seen, w.state = ch.object, cmp.Or(document.Text(ch.object, "status", "state"), "there")
	switch {
	case ch.kind == client.Deleted && w.wanted == gone, ch.kind != client.Deleted && w.state == w.wanted:
		return errEnough
	case ch.kind == client.Deleted:
		return fmt.Errorf("%s '%s' is gone; it was %s, not %s", w.k.kind.Name, w.name, w.state, w.wanted)
	case w.state == failed && w.wanted != gone:
		return fmt.Errorf("%s '%s' has failed%s", w.k.kind.Name, w.name, reasonOf(ch.object))
	}
	return nil
}

// reasonOf says why an object is in its state, as far as it says so.
func reasonOf(doc *document.Object) string {
	code, message := document.Text(doc, "status", "reason", "code"), document.Text(doc, "status", "reason", "message")
	if code == "" {
		return ""
	}
	return fmt.Sprintf(": %s: %s", code, message)
}

// kindCalled finds a kind by any of the names that the commands have for it; cluster is one of Kubernetes.
func kindCalled(word string) (*presentation, error) {
	var names []string
	for _, k := range allPresentations() {
		for _, name := range k.names() {
			if strings.EqualFold(name, word) && (k.kind != api.MagnumClusterKind || name != k.noun) {
				return &k, nil
			}
			names = append(names, name)
		}
	}
	meant := suggest.Nearest(word, names)
	if meant != "" {
		meant = "; did you mean '" + meant + "'?"
	}
	return nil, usagef("argument KIND: '%s' is no kind of object%s", word, meant)
}
