package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/server"
)

func snapshotCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "snapshot", Short: "Back up the database and bring it back"}
	cmd.AddCommand(saveCommand(), inspectCommand(), restoreCommand())
	return cmd
}

func saveCommand() *cobra.Command {
	var endpoint string
	cmd := &cobra.Command{
		Use:   "save FILE",
		Short: "Copy the database of a running server to a file",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return server.SaveSnapshot(cmd.Context(), strings.TrimSuffix(endpoint, "/"), args[0], cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&endpoint, "api-endpoint", "http://127.0.0.1:8080", "URL of the API")
	return cmd
}

func inspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE",
		Short: "Check a snapshot and say what is in it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return server.InspectSnapshot(cmd.Context(), args[0], cmd.OutOrStdout())
		},
	}
}

func restoreCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a new data directory of a snapshot",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := server.RestoreSnapshot(args[0], dir); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "restored; start with: krake server --data-dir %s\n", dir)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "data-dir", "krake-data", "directory to make; it must not exist")
	return cmd
}
