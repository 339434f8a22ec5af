package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/image"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/node"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/supervisor"
)

const usage = `kubelab runs real Kubernetes control planes on this machine.

  kubelab up NAME...           create and start clusters, wait until they are ready
  kubelab down [NAME...]       end clusters and remove all they have (default: all)
  kubelab stop NAME...         end the processes of clusters, keep the rest
  kubelab start NAME...        start stopped clusters again
  kubelab status [NAME...]     show clusters (default: all)
  kubelab image NAME=BINARY... give real nodes images made of static programs
  kubelab --version            print the versions of what is inside
  kubelab --check-real-node    fail, and say why, where real nodes are not possible

Every command needs --dir DIR, the folder of the clusters.
kubelab COMMAND --help tells the other flags.
`

// invocation is a command with its arguments.
type invocation struct {
	clusters []cluster.Cluster
	images   []image.Image
	dir      string
	nodes    int
	nodesSet bool
	realNode bool
	timeout  time.Duration
	json     bool
	out      io.Writer
}

// A subcommand is one line of the table of commands.
type subcommand struct {
	synopsis  string
	needsName bool // or whatever its arguments are
	flags     func(*pflag.FlagSet, *invocation)
	run       func(context.Context, invocation) []error
	take      func(*invocation, string) error // an argument; nil where they name clusters
}

var subcommands = map[string]subcommand{
	"up":        {"up NAME...", true, upFlags, up, nil},
	"down":      {"down [NAME...]", false, nil, down, nil},
	"stop":      {"stop NAME...", true, nil, stop, nil},
	"start":     {"start NAME...", true, timeoutFlag, start, nil},
	"status":    {"status [NAME...]", false, statusFlags, status, nil},
	"image":     {"image NAME=BINARY...", false, nil, loadImages, takeImage},
	"supervise": {"supervise NAME", true, timeoutFlag, supervise, nil}, // up and start run it
}

// Run runs the command line args and returns the exit code.
func Run(args []string) int {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return 1
	}
	switch args[0] {
	case "--help", "-h", "help":
		fmt.Print(usage)
		return 0
	case "--version", "version":
		fmt.Print(version())
		return 0
	case "--check-real-node":
		return checkRealNode()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failures := runSubcommand(ctx, args[0], args[1:])
	for _, err := range failures {
		printError(os.Stderr, err)
	}
	if len(failures) > 0 {
		return 1
	}
	return 0
}

func runSubcommand(ctx context.Context, name string, args []string) []error {
	sub, ok := subcommands[name]
	if !ok {
		return []error{fmt.Errorf("there is no command %q; kubelab --help lists them", name)}
	}
	in, err := parse(sub, args)
	if errors.Is(err, pflag.ErrHelp) {
		return nil // printed already
	}
	if err != nil {
		return []error{fmt.Errorf("%s: %w", name, err)}
	}
	return sub.run(ctx, in)
}

// parse reads flags and names, in any order.
func parse(sub subcommand, args []string) (invocation, error) {
	in := invocation{out: os.Stdout}
	flags := pflag.NewFlagSet("kubelab", pflag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are printed once, by Run
	flags.StringVar(&in.dir, "dir", "", "the folder of the clusters (required)")
	if sub.flags != nil {
		sub.flags(flags, &in)
	}
	flags.Usage = func() { fmt.Printf("kubelab %s\n%s", sub.synopsis, flags.FlagUsages()) }
	if err := flags.Parse(args); err != nil {
		return in, err
	}
	if in.dir == "" {
		return in, errors.New("--dir is missing: the folder of the clusters")
	}
	if sub.needsName && flags.NArg() == 0 {
		return in, errors.New("name a cluster")
	}
	if flags.Changed("timeout") && in.timeout <= 0 {
		return in, fmt.Errorf("--timeout %v is not above 0", in.timeout)
	}
	in.nodesSet = flags.Changed("nodes")
	take := sub.take
	if take == nil {
		take = takeCluster
	}
	seen := map[string]bool{}
	for _, argument := range flags.Args() {
		if seen[argument] {
			return in, fmt.Errorf("%q is named twice", argument)
		}
		seen[argument] = true
		if err := take(&in, argument); err != nil {
			return in, err
		}
	}
	return in, nil
}

func takeCluster(in *invocation, name string) error {
	c, err := cluster.New(in.dir, name)
	in.clusters = append(in.clusters, c)
	return err
}

func timeoutFlag(flags *pflag.FlagSet, in *invocation) {
	flags.DurationVar(&in.timeout, "timeout", 3*time.Minute, "how long a cluster may take until it is ready")
}

// checkRealNode tells whether this machine can have real nodes.
func checkRealNode() int {
	if _, err := node.Find(); err != nil {
		printError(os.Stderr, err)
		return 1
	}
	return 0
}

// supervise becomes the supervisor of a cluster.
func supervise(_ context.Context, in invocation) []error {
	if err := supervisor.Run(in.clusters[0], in.timeout); err != nil {
		return []error{err}
	}
	return nil
}

// printError prints err as one line, and after it the end of the log that may
// explain it.
func printError(w io.Writer, err error) {
	fmt.Fprintf(w, "kubelab: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	if failed, ok := errors.AsType[*startFailure](err); ok && len(failed.tail) > 0 {
		fmt.Fprintf(w, "the last lines of the log of %s:\n", failed.part)
		for _, line := range failed.tail {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
}
