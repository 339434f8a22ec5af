// Command krake-volume runs in the pods that Krake starts to copy volumes when an application moves. It takes orders from
// Krake alone, as commands that are run in its container:
//
//	krake-volume wait           until it is told to end; this is what the container runs
//	krake-volume first DIR      says what the volume holds, if it holds anything
//	krake-volume send DIR       writes what the volume holds to the standard output
//	krake-volume receive DIR    makes the volume hold what comes on the standard input
//	krake-volume list DIR       a line with a checksum for every file
//
// docs/volumes.md says how an image is made of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/rak-n-rok/krake/internal/transfer"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 1 && args[0] == "wait" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		<-ctx.Done()
		return nil
	}
	if len(args) != 2 {
		return errors.New("usage: krake-volume wait | first DIR | send DIR | receive DIR | list DIR")
	}
	switch volume := args[1]; args[0] {
	case "first":
		name, err := transfer.First(volume)
		if err == nil && name != "" {
			_, err = fmt.Println(name)
		}
		return err
	case "send":
		return transfer.Send(volume, os.Stdout)
	case "receive":
		return alone(func() error { return transfer.Receive(volume, os.Stdin) })
	case "list":
		return transfer.List(volume, os.Stdout)
	}
	return fmt.Errorf("there is no command %q", args[0])
}

// alone makes sure that no other process of this container receives: one whose connection was lost may not have heard yet.
func alone(do func() error) error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	program, err := os.Open(path)
	if err != nil {
		return err
	}
	defer program.Close()
	if err := syscall.Flock(int(program.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("another copy to this volume has not ended: %w", err)
	}
	return do()
}
