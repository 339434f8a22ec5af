//go:build failpoint

package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// chosen is the step to die at, and how many arrivals at it are still to be survived.
var (
	chosen    Point
	remaining atomic.Int64
)

func init() {
	name, count, _ := strings.Cut(os.Getenv("KRAKE_FAILPOINT"), ":")
	chosen = Point(name)
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	remaining.Store(n)
}

// Hit ends the process, without any clean-up, when it is the chosen arrival at the chosen step.
func Hit(p Point) {
	if p != chosen || remaining.Add(-1) != 0 {
		return
	}
	fmt.Fprintln(os.Stderr, "failpoint:", p)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
