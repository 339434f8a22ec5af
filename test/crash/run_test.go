//go:build crash

package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/failpoint"
	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

// groupSize is how many kills there are between two checks.
const groupSize = 10

func TestMain(m *testing.M) { os.Exit(kubelabtest.Run(m)) }

// experiment is one run.
type experiment struct {
	t        *testing.T
	dir      string // everything of the run; it stays after a failure
	seed     uint64
	begun    time.Time
	binaries binaries
	clusters []*cluster
	foreign  []*foreign
	server   *server
	witness  *witness
	load     *load
	fail     context.CancelCauseFunc // ends the run

	kills   int
	slowest time.Duration           // the longest time that everything took to settle
	deaths  map[failpoint.Point]int // kills at each step
	extra   int                     // kills beyond the plan, at steps that were missed
}

func TestNothingIsLostOrMadeTwiceOrLeftBehindWhenTheServerIsKilled(t *testing.T) {
	seed := uint64(number(t, "KRAKE_CRASH_SEED", int(time.Now().UnixNano()%1_000_000)))
	kills := number(t, "KRAKE_CRASH_KILLS", 200)
	t.Logf("KRAKE_CRASH_SEED=%d repeats these kills", seed)
	ctx, fail := context.WithCancelCause(t.Context())
	defer fail(nil)
	x := &experiment{t: t, seed: seed, begun: time.Now(), fail: fail, deaths: map[failpoint.Point]int{}}
	x.prepare(ctx)
	err := x.run(ctx, kills)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause // whatever else went wrong is a consequence
	}
	if err != nil {
		x.collect(err)
		t.Fatalf("after %d kills, seed %d: %v\n\nLog, data directory and what the API and the clusters say are in %s",
			x.kills, seed, err, x.dir)
	}
	x.report()
	if err := os.RemoveAll(x.dir); err != nil {
		t.Error(err)
	}
}

// number reads a setting from the environment.
func number(t *testing.T, name string, fallback int) int {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		return fallback
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		t.Fatalf("%s must be a number, not %q", name, value)
	}
	return n
}

// prepare makes everything that the run needs; nothing of Krake runs yet.
func (x *experiment) prepare(ctx context.Context) {
	x.t.Helper()
	dir, err := os.MkdirTemp("", "krake-crash-")
	if err != nil {
		x.t.Fatal(err)
	}
	x.dir = dir
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { log.Close() })
	x.binaries = build(x.t, dir)
	labs := kubelabtest.Clusters(x.t, "a", "b")
	x.server = &server{dataDir: filepath.Join(dir, "data"), log: log, alarm: x.fail}
	c, err := newClient(x.server, "crash test")
	if err != nil {
		x.t.Fatal(err)
	}
	x.load = &load{seed: x.seed, client: c, apps: client.Of[api.Application](c), records: client.Of[api.Cluster](c),
		clusters: map[string]*cluster{}, fail: x.fail, byName: map[string]*account{}}
	x.witness = newWitness(x.fail, x.load.find)
	x.load.witness = x.witness
	for i, site := range []string{"a", "b"} {
		cluster := newCluster(ctx, x.t, site, labs[i])
		foreign, err := newForeign(ctx, cluster)
		if err != nil {
			x.t.Fatal(err)
		}
		x.load.clusters[site] = cluster
		x.clusters, x.foreign = append(x.clusters, cluster), append(x.foreign, foreign)
	}
}

// run kills the server while the load goes on, and checks after every group of kills.
func (x *experiment) run(ctx context.Context, kills int) error {
	dice := rand.New(rand.NewPCG(x.seed, 0))
	ctx, cancel := context.WithCancel(ctx)
	defer x.witness.working.Wait()
	defer cancel()
	if err := x.witness.watch(ctx, x.clusters); err != nil {
		return err
	}
	if err := x.register(ctx); err != nil {
		return err
	}
	stop := x.load.start(ctx)
	defer stop()
	plan := newPlan(dice, kills)
	for group := 0; len(plan) > 0; group++ {
		size := min(groupSize, len(plan))
		o := x.mode(group)
		if err := x.group(ctx, o, plan[:size]); err != nil {
			return err
		}
		if plan = plan[size:]; len(plan) == 0 {
			plan = x.missed(dice)
		}
		if err := x.pauseAndCheck(ctx, o); err != nil {
			return err
		}
	}
	stop()
	return x.end(ctx)
}

// register makes the clusters known to Krake.
func (x *experiment) register(ctx context.Context) error {
	p, err := x.revive(ctx, startOptions{binary: x.binaries.plain})
	if err != nil {
		return err
	}
	defer p.kill()
	set := x.load.records
	for _, c := range x.clusters {
		if _, err := set.Create(ctx, c.record); err != nil {
			return err
		}
	}
	for _, c := range x.clusters {
		for online := false; !online; {
			record, err := set.Get(ctx, krakeNamespace, c.site)
			if err != nil {
				return err
			}
			online = record.Status.State == api.ClusterOnline
			if err := sleep(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

// mode says how the server runs in a group of kills: mostly as fast as it can, sometimes flushing to disk as it does
// for users, sometimes with the race detector.
func (x *experiment) mode(group int) startOptions {
	switch {
	case group%5 == 1:
		return startOptions{binary: x.binaries.plain, fsync: true}
	case group%5 == 3 && x.binaries.racy != "":
		return startOptions{binary: x.binaries.racy}
	default:
		return startOptions{binary: x.binaries.plain}
	}
}

func (x *experiment) group(ctx context.Context, o startOptions, kills []kill) error {
	for _, k := range kills {
		reached, err := x.die(ctx, o, k)
		if err != nil {
			return fmt.Errorf("killing it %s: %w", k, err)
		}
		x.kills++
		if reached {
			x.deaths[k.point]++
		}
	}
	return nil
}

// missed is the plan for the steps that the server did not arrive at in time.
func (x *experiment) missed(dice *rand.Rand) []kill {
	var plan []kill
	for _, point := range failpoint.Points {
		if x.deaths[point] == 0 {
			plan = append(plan, kill{point: point, arrival: 1, outage: outageFor(point)})
		}
	}
	const tries = 40 // more kills than planned
	if x.extra += len(plan); x.extra > tries {
		return nil // the report says which were missed
	}
	return plan
}

// pauseAndCheck has everything settle and checks it.
func (x *experiment) pauseAndCheck(ctx context.Context, o startOptions) error {
	p, err := x.revive(ctx, o)
	if err != nil {
		return err
	}
	defer p.kill()
	resume := x.load.pause()
	defer resume()
	if err := x.check(ctx); err != nil {
		return err
	}
	begun, ended, answered, lost := x.load.counts()
	x.t.Logf("%3d kills in %s: %d applications begun, %d ended; %d writes acknowledged, %d attempts without an answer",
		x.kills, time.Since(x.begun).Round(time.Second), begun, ended, answered, lost)
	return nil
}

// end deletes what is left, and stops the server as an administrator would.
func (x *experiment) end(ctx context.Context) error {
	p, err := x.revive(ctx, startOptions{binary: x.binaries.plain})
	if err != nil {
		return err
	}
	defer p.kill()
	for _, a := range x.load.all() {
		if p := a.promise(); p.record.deleteSent && !p.record.gone { // it may never have been sent, because the load ended
			if err := x.load.removeRecord(ctx, a, false, false); err != nil {
				return err
			}
		}
		if p := a.promise(); p.sent > 0 && !p.deleteStored && !p.recordIsGone {
			if err := x.load.remove(ctx, a, false); err != nil {
				return err
			}
		}
	}
	if err := x.check(ctx); err != nil {
		return err
	}
	return p.stop()
}

// clusterOf finds a cluster by its identity.
func (x *experiment) clusterOf(identity string) *cluster {
	i := slices.IndexFunc(x.clusters, func(c *cluster) bool { return c.identity == identity })
	if i < 0 {
		return nil
	}
	return x.clusters[i]
}
