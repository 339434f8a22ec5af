package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/controller"
	"github.com/rak-n-rok/krake/internal/scheduler/core"
	"github.com/rak-n-rok/krake/internal/server"
	"github.com/rak-n-rok/krake/internal/telemetry"
)

// version is set when a release is built.
var version = "dev"

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "krake",
		Short:         "One API over many Kubernetes clusters and clouds that decides where each application runs",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(serverCommand(), apiCommand(), componentCommand("scheduler", "scheduler", "Decide where applications run"),
		controllerCommand(), componentCommand("gc", "gc", "Remove what depends on what was deleted"), snapshotCommand(), versionCommand())
	return root
}

// reports is what a process tells of itself.
type reports struct{ level, format, debug string }

func (r *reports) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.level, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&r.format, "log-format", "text", "text or json")
	f.StringVar(&r.debug, "debug-listen", "", "loopback address to serve profiles and metrics on (default none)")
}

// run does the work of a process between the beginning and the end of its telemetry.
func (r *reports) run(ctx context.Context, work func(*telemetry.Process) error) error {
	log, err := telemetry.NewLogger(os.Stderr, r.level, r.format)
	if err != nil {
		return err
	}
	p, err := telemetry.Start(ctx, telemetry.Options{Version: version, Log: log, Debug: r.debug})
	if err != nil {
		return err
	}
	p.Registry.MustRegister(controller.Metrics)
	return errors.Join(work(p), p.Stop())
}

// serve runs a process that serves the API.
func (r *reports) serve(ctx context.Context, cfg server.Config) error {
	return r.run(ctx, func(p *telemetry.Process) error {
		cfg.Log, cfg.Registry = p.Log, p.Registry
		return server.Run(ctx, cfg, nil)
	})
}

// serving adds the flags of a process that serves the API.
func serving(cmd *cobra.Command, cfg *server.Config) {
	f := cmd.Flags()
	f.StringVar(&cfg.Listen, "listen", "127.0.0.1:8080", "address to serve the API on")
	f.StringVar(&cfg.DataDir, "data-dir", "krake-data", "directory of the embedded etcd; made if it does not exist")
	f.StringSliceVar(&cfg.Etcd.Endpoints, "etcd-endpoints", nil, "members of an etcd cluster to use instead of the embedded one, such as https://10.0.0.1:2379")
	f.StringVar(&cfg.Etcd.CA, "etcd-ca", "", "file with the authority of the etcd cluster (default the system's)")
	f.StringVar(&cfg.Etcd.Cert, "etcd-cert", "", "file with the certificate to show to the etcd cluster")
	f.StringVar(&cfg.Etcd.Key, "etcd-key", "", "file with the key of that certificate")
	f.StringVar(&cfg.Etcd.User, "etcd-user", "", "user of the etcd cluster")
	f.StringVar(&cfg.EtcdPasswordFile, "etcd-password-file", "", "file with the password of that user")
	f.BoolVar(&cfg.Insecure, "insecure", false, "serve everyone who reaches the address, without authentication")
	f.StringVar(&cfg.User, "static-user", "", "the user that every caller is (default system:anonymous)")
	f.StringVar(&cfg.Origin, "cors-origin", "", "web origin whose pages may use the API (default none)")
	f.BoolVar(&cfg.UnsafeNoFsync, "unsafe-no-fsync", false, "do not wait for the disk; for tests")
	_ = f.MarkHidden("unsafe-no-fsync")
	cmd.MarkFlagsMutuallyExclusive("data-dir", "etcd-endpoints")
	cmd.MarkFlagsRequiredTogether("etcd-cert", "etcd-key")
	cmd.MarkFlagsRequiredTogether("etcd-user", "etcd-password-file")
}

// adjusting adds the flags of a process that runs controllers.
func adjusting(cmd *cobra.Command, s *server.Settings) {
	f := cmd.Flags()
	f.DurationVar(&s.ClusterInterval, "cluster-interval", 3*time.Second, "how often a cluster is asked how it is")
	f.DurationVar(&s.MoveTimeout, "move-timeout", 5*time.Minute, "how long the target of a move may take until it is ready, and the copy that is left until it is gone")
	f.DurationVar(&s.Settle, "settle", 2*time.Second, "how long a copy has to be ready on the target before a move switches over")
	f.DurationVar(&s.Drain, "drain", 5*time.Second, "how long both copies run after a move has switched over")
	keep := server.DefaultKeepVolumes
	f.DurationVar(&keep, "keep-volumes", keep, "how long the claims are kept, with their files, that an application leaves behind when it moves")
	s.KeepVolumes = &keep
	f.StringVar(&s.VolumeImage, "volume-image", "", "image of krake-volume, with which the files of applications are copied when they move (default none: they are not)")
	limit := server.DefaultRemovalLimit
	f.Uint32Var(&limit.Floor, "removal-limit", limit.Floor, "how many objects may go from a cluster within five minutes that nobody asked for by name; more wait for approval; 0 for any number")
	f.Uint8Var(&limit.Percent, "removal-percent", limit.Percent, "or this percentage of what applications have on the cluster, if that is more")
	s.Removals = &limit
	confining(cmd, s)
}

// confining adds the flags of a process that has to know where objects may be: it brings them there, or tells what that
// would change.
func confining(cmd *cobra.Command, s *server.Settings) {
	f := cmd.Flags()
	f.BoolVar(&s.OwnNamespaces, "own-namespaces", false, "keep the objects of each namespace in a Kubernetes namespace of its own, and refuse others")
	f.StringSliceVar(&s.ClusterWideKinds, "cluster-wide-kinds", nil, "with --own-namespaces: kinds without a namespace that are allowed, such as PersistentVolume,ClusterRole.rbac.authorization.k8s.io")
}

// rescheduling adds the flags of a process that decides where applications run.
func rescheduling(cmd *cobra.Command, s *server.Settings) {
	f, r, d := cmd.Flags(), &s.Rules, core.DefaultRules
	f.DurationVar(&r.RescheduleAfter, "reschedule-after", d.RescheduleAfter, "how long an application stays on a cluster at least before it moves to a better one")
	f.Float64Var(&r.Stickiness, "stickiness", d.Stickiness, "weight that being there already has beside the weights of a cluster's metrics")
	f.Float64Var(&r.Margin, "move-margin", d.Margin, "by which share of the present score a better one has to be higher")
	f.Float64Var(&r.Price, "move-price", d.Price, "advantage in score that pays for a move when it has lasted for --reschedule-after; a greater one pays sooner")
	f.DurationVar(&r.CoolDown, "move-cool-down", d.CoolDown, "how long an application stays after a move; each further move within an hour doubles it")
	f.IntVar(&r.PerApplication, "moves-per-application", d.PerApplication, "moves of one application within an hour; 0 for any number")
	f.IntVar(&r.PerTarget, "moves-per-target", d.PerTarget, "moves to one cluster within an hour; 0 for any number")
	f.DurationVar(&r.FailoverAfter, "failover-after", d.FailoverAfter, "how long a cluster has to be silent until applications that may run twice are started elsewhere; 0 for never")
	f.BoolVar(&r.Compat, "compat", false, "decide as the Python Krake does: without the guards against moving too often, and away from a cluster whose metrics cannot be read")
	for _, guard := range []string{"move-margin", "move-price", "move-cool-down", "moves-per-application", "moves-per-target"} {
		cmd.MarkFlagsMutuallyExclusive("compat", guard)
	}
	made := core.DefaultDemand
	s.Demand = &made
	f.StringVar(&s.ClusterTemplate, "cluster-template", "", "file with the TOSCA template of the clusters that are made for applications which ask for it (default none are made)")
	f.Float64Var(&made.Margin, "create-margin", made.Margin, "by how much the score of a cloud must be higher than that of the best cluster for a new one to be made although another fits; 1 for never")
	f.IntVar(&made.Limit, "create-limit", made.Limit, "clusters that were made for applications in one namespace at a time; 0 for any number")
	f.DurationVar(&made.Timeout, "create-timeout", made.Timeout, "how long applications wait for a cluster that is being made")
	f.DurationVar(&made.Retention, "cluster-retention", made.Retention, "how long a cluster that was made for applications is kept without any")
}

func serverCommand() *cobra.Command {
	cfg := server.Config{Version: version}
	var r reports
	var without []string
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Run everything in one process: API, embedded etcd and all controllers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if cfg.Components, err = server.Without(without); err != nil {
				return err
			}
			return r.serve(cmd.Context(), cfg)
		},
	}
	serving(cmd, &cfg)
	r.flags(cmd)
	adjusting(cmd, &cfg.Settings)
	rescheduling(cmd, &cfg.Settings)
	cmd.Flags().StringSliceVar(&without, "without", nil, "components to leave out, such as scheduler,gc")
	return cmd
}

func apiCommand() *cobra.Command {
	cfg := server.Config{Version: version}
	var r reports
	cmd := &cobra.Command{
		Use:   "api",
		Short: "Run the API and its embedded etcd, without controllers",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return r.serve(cmd.Context(), cfg) },
	}
	serving(cmd, &cfg)
	confining(cmd, &cfg.Settings)
	r.flags(cmd)
	return cmd
}

func controllerCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "controller", Short: "Run one controller against an API"}
	cmd.AddCommand(
		componentCommand("kubernetes-application", "kubernetes-application", "Bring applications onto clusters"),
		componentCommand("kubernetes-cluster", "kubernetes-cluster", "Watch the health of clusters"),
	)
	return cmd
}

// componentCommand runs one component alone, as a client of an API.
func componentCommand(use, component, short string) *cobra.Command {
	var endpoint string
	var r reports
	var settings server.Settings
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.run(cmd.Context(), func(p *telemetry.Process) error {
				return server.RunComponents(cmd.Context(), []string{component}, settings, endpoint, p.Log)
			})
		},
	}
	cmd.Flags().StringVar(&endpoint, "api-endpoint", "http://127.0.0.1:8080", "URL of the API; several, separated by commas, are servers of the same one")
	r.flags(cmd)
	if component == "kubernetes-application" || component == "kubernetes-cluster" {
		adjusting(cmd, &settings)
	}
	if component == "scheduler" {
		rescheduling(cmd, &settings)
	}
	return cmd
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			goVersion := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				goVersion = info.GoVersion
			}
			fmt.Fprintf(cmd.OutOrStdout(), "krake %s (wire %s, %s)\n", version, apiserver.WireVersion, goVersion)
		},
	}
}
