package machine

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Part is the name of the process that runs Init.
const Part = "node-init"

// Namespaces are what the process that runs Init is to be started with.
const Namespaces = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS

// readyFD is where Init finds the file that it closes when it is ready, after
// the standard three and the lock that all processes of a cluster hold.
const readyFD = 4

// Init is the life of the first process of the machine. It arranges the files,
// says that it is ready, and takes care of processes whose parents have ended
// until it is told to end. folder becomes Folder inside.
func Init(folder string) error {
	ready := os.NewFile(readyFD, "ready")
	if err := arrange(folder); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGCHLD)
	if _, err := ready.WriteString("ready"); err != nil {
		return fmt.Errorf("saying that the machine is ready: %w", err)
	}
	if err := ready.Close(); err != nil {
		return err
	}
	for sig := range signals {
		if sig == syscall.SIGTERM {
			return nil
		}
		reap()
	}
	return nil
}

// reap takes note of the end of orphans, which the kernel gives to the first
// process. Unnoticed, they would stay in the table of processes.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
	}
}
