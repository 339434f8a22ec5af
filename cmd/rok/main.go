// Command rok is the command line of Krake.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/rak-n-rok/krake/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := cli.Main(ctx, os.Args[1:], cli.Process())
	stop()
	os.Exit(code)
}
