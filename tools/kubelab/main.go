// Command kubelab runs real Kubernetes control planes on this machine, for
// tests and for the demo. README.md says how.
//
// The one binary contains all of Kubernetes. A cluster is a tree of processes
// of it: a supervisor, and the parts as the supervisor's children, each of them
// `kubelab part NAME ...`.
package main

import (
	"os"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/command"
)

func main() {
	args := os.Args[1:]
	if len(args) >= 2 && args[0] == "part" {
		os.Exit(runPart(args[1], args[2:]))
	}
	os.Exit(command.Run(args))
}
