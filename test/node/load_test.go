//go:build node

package node

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/internal/witness"
)

// The load: at most 80 requests each second, and no longer than loadTime.
const (
	users    = 4
	pause    = 50 * time.Millisecond
	loadTime = 3 * time.Minute
	after    = 2 * time.Second // goes on after the move, which shows whether the old copy is still asked
)

// TestAMoveUnderLoadLosesNoRequest moves an application to and fro while users ask it. Before each request they read
// from Krake where it is, and follow that.
func TestAMoveUnderLoadLosesNoRequest(t *testing.T) {
	k := newKrake(t)
	const name = "echo-demo"
	k.rok("kube", "app", "create", "-f", "examples/echo-demo.yaml", "-L", "location is DE", name)
	defer k.remove(name)
	k.curl(k.awaitRunning(name, "berlin"))

	ctx, stop := context.WithTimeout(t.Context(), loadTime)
	defer stop()
	load := witness.Load{Workers: users, Pause: pause, Answer: witness.EchoHost, Address: func(ctx context.Context) (string, error) {
		app, err := k.app(ctx, name)
		if err != nil {
			return "", err
		}
		if address := app.Status.Services[name]; address != "" {
			return address, nil
		}
		return "", errors.New("Krake names no address")
	}}
	result := make(chan witness.Answered, 1)
	go func() { result <- load.Run(ctx) }()

	for _, station := range []struct{ location, cluster, source string }{{"SK", "bratislava", "berlin"}, {"DE", "berlin", "bratislava"}} {
		old := k.awaitRunning(name, station.source)
		since := time.Now()
		k.rok("kube", "app", "update", "-L", "location is "+station.location, name)
		k.await("another address", func() error {
			app, err := k.app(t.Context(), name)
			if now := app.Status.Services[name]; err != nil || now == old || now == "" {
				return fmt.Errorf("it is still %q, %v", now, err)
			}
			return nil
		})
		switched := time.Since(since).Round(10 * time.Millisecond)
		k.awaitRunning(name, station.cluster)
		k.awaitSilence(old)
		t.Logf("to %s: switched over after %s, the old copy was gone after %s", station.cluster, switched, time.Since(since).Round(10*time.Millisecond))
	}
	select {
	case <-ctx.Done():
		t.Errorf("the moves took longer than %s", loadTime)
	case <-time.After(after):
	}
	stop()
	answered := <-result
	t.Log(answered)
	for _, f := range answered.Failures {
		t.Errorf("%s: %s: %v", f.At.Format("15:04:05.000"), f.Address, f.Err)
	}
	if len(answered.By) != 3 {
		t.Errorf("three copies one after the other should have answered: %v", answered.By)
	}
}
