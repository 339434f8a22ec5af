package store

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
)

const (
	// defragmentFrom is the size below which it is not worth the time.
	defragmentFrom = 16 << 20
	// lookEvery is how often a running store looks whether there is space to give back or an alarm to lift, and
	// enoughLooks how many looks in a row must find half of the database free: what a compaction frees is often used again
	// at once, and nothing is written while a database is defragmented.
	lookEvery   = time.Minute
	enoughLooks = 5
	// reserve is what stays free on the disk. Etcd ends the process when it cannot write, and it takes a file of 64 MB at
	// a time for its log.
	reserve = 128 << 20
)

// A space keeper gives the space of the embedded database back, and lifts the alarm that made a full database read-only
// when it no longer is. An etcd elsewhere is looked after by others.
type spaceKeeper struct {
	store *Store
	looks int // in a row that found half of the database free
}

func (k *spaceKeeper) run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		if err := k.step(ctx); err != nil && ctx.Err() == nil {
			k.store.log.WarnContext(ctx, "the database keeps its free space or its alarm", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (k *spaceKeeper) step(ctx context.Context) error {
	health, err := k.store.Health(ctx)
	if err != nil {
		return err
	}
	if k.due(health) {
		if err := k.reclaim(); err != nil {
			return err
		}
		if health, err = k.store.Health(ctx); err != nil {
			return err
		}
	}
	return k.disarm(ctx, health)
}

// reclaim keeps the store open while the database is defragmented.
func (k *spaceKeeper) reclaim() error {
	if err := k.store.inFlight.enter(); err != nil {
		return err
	}
	defer k.store.inFlight.leave()
	return k.store.reclaim()
}

// due says whether the time that it takes to defragment is well spent now: soon when the database is read-only, since
// then there is nothing to wait for.
func (k *spaceKeeper) due(h Health) bool {
	if !worthwhile(h.Size, h.InUse) {
		k.looks = 0
		return false
	}
	k.looks++
	if k.looks < enoughLooks && !h.full() {
		return false
	}
	k.looks = 0
	return true
}

func worthwhile(size, inUse int64) bool { return size >= defragmentFrom && inUse < size/2 }

// noSpace is the alarm of a full database.
var noSpace = etcdserverpb.AlarmType_NOSPACE.String()

func (h Health) full() bool { return slices.Contains(h.Alarms, noSpace) }

// disarm lifts the alarm of a full database when a tenth of its quota is free again. An alarm of another kind is for
// people.
func (k *spaceKeeper) disarm(ctx context.Context, h Health) error {
	if !h.full() || h.Size >= h.Quota/10*9 {
		return nil
	}
	if err := k.store.inFlight.enter(); err != nil {
		return err
	}
	defer k.store.inFlight.leave()
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	alarms, err := k.store.client.AlarmList(ctx)
	if err != nil {
		return fmt.Errorf("list alarms: %w", err)
	}
	for _, alarm := range alarms.Alarms {
		if alarm.Alarm != etcdserverpb.AlarmType_NOSPACE {
			continue
		}
		if _, err := k.store.client.AlarmDisarm(ctx, (*clientv3.AlarmMember)(alarm)); err != nil {
			return fmt.Errorf("lift the alarm of a full database: %w", err)
		}
		k.store.log.WarnContext(ctx, "the database has room again, writes are taken")
	}
	return nil
}

// defragment gives free pages of the embedded database back to the file system, which etcd never does by itself. It
// writes a second copy meanwhile.
func defragment(server *embed.Etcd, dir string) error {
	db := server.Server.Backend()
	if free, err := freeOn(dir); err == nil && free < db.SizeInUse()+reserve {
		return fmt.Errorf("defragment: the disk of %s has no room for a copy of the database (%d bytes)", dir, db.SizeInUse())
	}
	if err := server.Server.Defragment(); err != nil {
		return fmt.Errorf("defragment: %w", err)
	}
	return nil
}

// roomOn says whether the disk of a directory has room for writes.
func roomOn(dir string) error {
	free, err := freeOn(dir)
	if err == nil && free < reserve {
		return fmt.Errorf("%w: the disk of %s has %d MiB left, and %d stay free for what must be written", ErrFull, dir,
			free>>20, reserve>>20)
	}
	return nil
}

func freeOn(dir string) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return int64(fs.Bavail) * fs.Bsize, nil
}
