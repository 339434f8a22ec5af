// Command rok is the command line of Krake.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/rak-n-rok/krake/internal/cli"
)

// version is set by the Makefile.
var version string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	world := cli.Process()
	world.Version = version
	code := cli.Main(ctx, os.Args[1:], world)
	stop()
	os.Exit(code)
}
