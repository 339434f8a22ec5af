package main

import (
	"fmt"
	"os"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/machine"
)

// guardFD is where the supervisor puts the file that the sweeper watches, after
// the standard three and the lock that all processes of a cluster hold.
const guardFD = 4

// runNodeInit becomes the first process of a real node's machine. Its argument
// is the folder of the node.
func runNodeInit() int {
	return exitCode(machine.Init(os.Args[1]))
}

// runNodeSweeper waits for the end of a cluster and removes what is left of its
// node. Its arguments are the names of the control group and of the link.
func runNodeSweeper() int {
	return exitCode(machine.Sweep(os.NewFile(guardFD, "guard"), os.Args[1], os.Args[2]))
}

func exitCode(err error) int {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
		return 1
	}
	return 0
}
