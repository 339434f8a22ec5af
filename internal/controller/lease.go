package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// A Lease lets one of several processes do a work. The others stand ready.
type Lease struct {
	Client *client.Client
	Name   string // of the work
	// Holder is this process. No two processes that run at the same time may have the same one; one that follows
	// another and has the same takes the work over at once.
	Holder string
	Log    *slog.Logger
	Times  LeaseTimes
}

// LeaseTimes say how fast a work goes to another process. Zero values are the defaults.
type LeaseTimes struct {
	Duration time.Duration // how long a lease holds after it was renewed; 15 s
	Give     time.Duration // how long the holder tries to renew it before it stops, and may write; 10 s
	Retry    time.Duration // how often it is renewed, or looked at by others; 3 s
}

func (t LeaseTimes) withDefaults() LeaseTimes {
	if t == (LeaseTimes{}) {
		return LeaseTimes{Duration: 15 * time.Second, Give: 10 * time.Second, Retry: 3 * time.Second}
	}
	return t
}

// ErrNotHeld says that a work must not go on, because another process may be at it.
var ErrNotHeld = errors.New("the lease is not held any more")

// Run does a work while this process holds the lease, again and again, until ctx ends. The work's context ends with the
// lease. When ctx ends, the lease is kept until the work has stopped, and then given up, so that the next one need not
// wait.
func (l Lease) Run(ctx context.Context, work func(context.Context) error) error {
	for ctx.Err() == nil {
		if err := l.once(ctx, work); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// once waits for the lease, does the work, and waits until it has stopped.
func (l Lease) once(ctx context.Context, work func(context.Context) error) error {
	times := l.Times.withDefaults()
	claim := &lock{leases: client.Of[api.Lease](l.Client), name: l.Name, holder: l.Holder, term: times.Give, patience: times.Retry}
	// The lease is renewed until the work has stopped, which is after ctx has ended.
	quiet := klog.NewContext(context.WithoutCancel(ctx), logr.Discard()) // the caches tell that the API does not answer
	election, end := context.WithCancel(quiet)
	defer end()
	defer context.AfterFunc(ctx, func() {
		if !claim.obtained.Load() {
			end()
		}
	})()
	stopped, result := make(chan struct{}), error(nil)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: claim, Name: l.Name, LeaseDuration: times.Duration, RenewDeadline: times.Give, RetryPeriod: times.Retry,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(elected context.Context) {
				defer close(stopped)
				defer end()
				doing, stop := context.WithCancel(context.WithValue(elected, leaseKey{}, claim))
				defer stop()
				defer context.AfterFunc(ctx, stop)()
				l.Log.Debug("the lease is held", "lease", l.Name)
				result = work(doing)
			},
			OnStoppedLeading: func() {},
			OnNewLeader: func(holder string) {
				if holder != l.Holder && holder != "" {
					l.Log.Info("another process does this work, standing ready", "lease", l.Name, "holder", holder)
				}
			},
		},
	})
	if err != nil {
		return fmt.Errorf("lease %s: %w", l.Name, err)
	}
	elector.Run(election)
	if !claim.obtained.Load() {
		return nil
	}
	<-stopped
	if ctx.Err() != nil {
		claim.giveUp(context.WithoutCancel(ctx))
	} else if result == nil {
		l.Log.Warn("the lease was lost, the work has stopped", "lease", l.Name)
	}
	return result
}

type leaseKey struct{}

// Held says whether the work that a context belongs to may still write where others could write, too. A work without a
// lease always may.
func Held(ctx context.Context) error {
	if l, ok := ctx.Value(leaseKey{}).(*lock); ok {
		return l.held()
	}
	return nil
}

// A lock is a record of kind Lease, in the form that the election wants.
type lock struct {
	leases   client.Set[api.Lease, *api.Lease]
	name     string
	holder   string
	term     time.Duration // how long after a renewal the work may write; shorter than others wait, for what is on its way
	patience time.Duration // with one request, so that a server that hangs costs less than the lease
	obtained atomic.Bool

	mu    sync.Mutex
	seen  *api.Lease
	until time.Time // the work may write until then
}

func (l *lock) held() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.until) {
		return nil
	}
	return ErrNotHeld
}

// Get implements resourcelock.Interface. The election wants to be told of an absent record as Kubernetes does.
func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	lease, err := l.leases.Get(ctx, "", l.name)
	if client.NotFound(err) {
		err = apierrors.NewNotFound(schema.GroupResource{Group: api.LeaseKind.Group, Resource: api.LeaseKind.Plural}, l.name)
	}
	if err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	l.seen = lease
	l.mu.Unlock()
	record := recordOf(lease)
	raw, err := json.Marshal(record)
	return record, raw, err
}

// Create implements resourcelock.Interface.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	lease := api.New[api.Lease]()
	lease.Metadata.Name = l.name
	return l.write(ctx, record, lease, l.leases.Create)
}

// Update implements resourcelock.Interface. It fails if anybody has written since the record was read.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	l.mu.Lock()
	lease := *l.seen
	l.mu.Unlock()
	return l.write(ctx, record, &lease, l.leases.Update)
}

// write stores a claim. Others count from when they see it, which is not before it is sent.
func (l *lock) write(ctx context.Context, record resourcelock.LeaderElectionRecord, lease *api.Lease,
	store func(context.Context, *api.Lease) (*api.Lease, error),
) error {
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	sent := time.Now()
	lease.Spec = specOf(record)
	stored, err := store(ctx, lease)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen, l.until = stored, time.Time{}
	if record.HolderIdentity == l.holder {
		l.until = sent.Add(l.term)
		l.obtained.Store(true)
	}
	return nil
}

// giveUp lets others have the lease at once. If it cannot be said, they wait until it has run out.
func (l *lock) giveUp(ctx context.Context) {
	if l.held() != nil {
		return // what was seen last may be the claim of another process
	}
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	l.mu.Lock()
	record := recordOf(l.seen)
	l.until = time.Time{}
	l.mu.Unlock()
	record.HolderIdentity = ""
	_ = l.Update(ctx, *record)
}

// RecordEvent implements resourcelock.Interface; the log says it.
func (l *lock) RecordEvent(string) {}

// Identity implements resourcelock.Interface.
func (l *lock) Identity() string { return l.holder }

// Describe implements resourcelock.Interface.
func (l *lock) Describe() string { return "lease " + l.name }

func recordOf(lease *api.Lease) *resourcelock.LeaderElectionRecord {
	return &resourcelock.LeaderElectionRecord{
		HolderIdentity: lease.Spec.Holder, LeaseDurationSeconds: int(lease.Spec.Duration),
		AcquireTime: stamp(lease.Spec.Acquired), RenewTime: stamp(lease.Spec.Renewed), LeaderTransitions: int(lease.Spec.Transitions),
	}
}

func specOf(record resourcelock.LeaderElectionRecord) api.LeaseSpec {
	acquired, renewed := api.At(record.AcquireTime.Time), api.At(record.RenewTime.Time)
	return api.LeaseSpec{
		Holder: record.HolderIdentity, Duration: int64(record.LeaseDurationSeconds),
		Acquired: &acquired, Renewed: &renewed, Transitions: int64(record.LeaderTransitions),
	}
}

func stamp(t *api.Time) metav1.Time {
	if t == nil {
		return metav1.Time{}
	}
	return metav1.NewTime(t.Time())
}
