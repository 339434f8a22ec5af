package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// ErrNotFound is the answer when a cluster does not exist.
var ErrNotFound = errors.New("no such cluster")

// lockPoll is the pause between two tries to get a lock that another process
// holds.
const lockPoll = 20 * time.Millisecond

// Lock lets one command at a time change the cluster, and waits for others to
// finish until ctx ends. With create it makes the cluster's home if that is
// missing; without, it is ErrNotFound. Closing the returned file unlocks.
func (c Cluster) Lock(ctx context.Context, create bool) (*os.File, error) {
	for {
		if create {
			if err := os.MkdirAll(c.Home(), 0o700); err != nil {
				return nil, fmt.Errorf("creating the home: %w", err)
			}
		} else if exists, err := c.Exists(); err != nil {
			return nil, err
		} else if !exists {
			return nil, fmt.Errorf("%w in %s", ErrNotFound, c.Dir)
		}
		home, err := os.Open(c.Home())
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		if err := flock(ctx, home); err != nil {
			home.Close()
			return nil, fmt.Errorf("waiting for another kubelab command that works on the cluster: %w", err)
		}
		if c.isHome(home) {
			return home, nil
		}
		home.Close() // the other command removed the home: look again
	}
}

func (c Cluster) isHome(file *os.File) bool {
	held, err := file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(c.Home())
	return err == nil && os.SameFile(held, now)
}

// LockAlive takes the lock that says that a process of the cluster lives. It is
// handed down to the supervisor and from there to the parts, so it is free only
// when all of them have ended, however they did. LockAlive waits for that until
// ctx ends.
func (c Cluster) LockAlive(ctx context.Context) (*os.File, error) {
	file, err := os.OpenFile(c.file("alive"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(ctx, file); err != nil {
		file.Close()
		return nil, fmt.Errorf("waiting for the processes of the cluster to end: %w", err)
	}
	return file, nil
}

// Alive tells whether any process of the cluster lives.
func (c Cluster) Alive() (bool, error) {
	file, err := os.Open(c.file("alive"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// WaitDead waits until no process of the cluster lives, or ctx ends.
func (c Cluster) WaitDead(ctx context.Context) error {
	lock, err := c.LockAlive(ctx)
	if err != nil {
		return err
	}
	return lock.Close()
}

func flock(ctx context.Context, file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(lockPoll):
		}
	}
}
