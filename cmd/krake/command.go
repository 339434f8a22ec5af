package main

import (
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/server"
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
		controllerCommand(), componentCommand("gc", "gc", "Remove what depends on what was deleted"), versionCommand())
	return root
}

func logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level must be debug, info, warn or error, not %q", level)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}

// serving adds the flags of a process that serves the API.
func serving(cmd *cobra.Command, cfg *server.Config, level *string) {
	f := cmd.Flags()
	f.StringVar(&cfg.Listen, "listen", "127.0.0.1:8080", "address to serve the API on")
	f.StringVar(&cfg.DataDir, "data-dir", "krake-data", "directory of the embedded etcd; made if it does not exist")
	f.BoolVar(&cfg.Insecure, "insecure", false, "serve everyone who reaches the address, without authentication")
	f.StringVar(&cfg.User, "static-user", "", "the user that every caller is (default system:anonymous)")
	f.StringVar(&cfg.Origin, "cors-origin", "", "web origin whose pages may use the API (default none)")
	f.BoolVar(&cfg.UnsafeNoFsync, "unsafe-no-fsync", false, "do not wait for the disk; for tests")
	_ = f.MarkHidden("unsafe-no-fsync")
	f.StringVar(level, "log-level", "info", "debug, info, warn or error")
}

// adjusting adds the flags of a process that runs controllers.
func adjusting(cmd *cobra.Command, s *server.Settings) {
	f := cmd.Flags()
	f.DurationVar(&s.ClusterInterval, "cluster-interval", 3*time.Second, "how often a cluster is asked how it is")
	f.DurationVar(&s.MoveTimeout, "move-timeout", 5*time.Minute, "how long the target of a move may take until it is ready, and the copy that is left until it is gone")
	f.DurationVar(&s.Settle, "settle", 2*time.Second, "how long a copy has to be ready on the target before a move switches over")
	f.DurationVar(&s.Drain, "drain", 5*time.Second, "how long both copies run after a move has switched over")
}

func serverCommand() *cobra.Command {
	var cfg server.Config
	var level string
	var without []string
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Run everything in one process: API, embedded etcd and all controllers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if cfg.Log, err = logger(level); err != nil {
				return err
			}
			if cfg.Components, err = server.Without(without); err != nil {
				return err
			}
			return server.Run(cmd.Context(), cfg, nil)
		},
	}
	serving(cmd, &cfg, &level)
	adjusting(cmd, &cfg.Settings)
	cmd.Flags().StringSliceVar(&without, "without", nil, "components to leave out, such as scheduler,gc")
	return cmd
}

func apiCommand() *cobra.Command {
	var cfg server.Config
	var level string
	cmd := &cobra.Command{
		Use:   "api",
		Short: "Run the API and its embedded etcd, without controllers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if cfg.Log, err = logger(level); err != nil {
				return err
			}
			return server.Run(cmd.Context(), cfg, nil)
		},
	}
	serving(cmd, &cfg, &level)
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
	var endpoint, level string
	var settings server.Settings
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logger(level)
			if err != nil {
				return err
			}
			return server.RunComponents(cmd.Context(), []string{component}, settings, endpoint, log)
		},
	}
	cmd.Flags().StringVar(&endpoint, "api-endpoint", "http://127.0.0.1:8080", "URL of the API")
	cmd.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	if component == "kubernetes-application" || component == "kubernetes-cluster" {
		adjusting(cmd, &settings)
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
