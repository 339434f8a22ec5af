package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// A dirLock keeps a data directory to one process. Etcd has a lock of its own,
// but waits for it for ever and without a word.
type dirLock struct {
	file *os.File
}

// lockDir takes the lock or says at once who has it. The kernel releases it
// when the process ends in whatever way, so the file itself is never removed.
func lockDir(dir, owner string) (*dirLock, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(file.Name())
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &LockedError{Dir: dir, Holder: strings.TrimSpace(string(holder))}
		}
		return nil, fmt.Errorf("lock the data directory %s: %w", dir, err)
	}
	lock := &dirLock{file: file}
	if err := lock.sign(owner); err != nil {
		lock.release()
		return nil, fmt.Errorf("write the lock of %s: %w", dir, err)
	}
	return lock, nil
}

// sign leaves word of who holds the lock, for whoever finds it taken.
func (l *dirLock) sign(owner string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	text := fmt.Sprintf("process %d", os.Getpid())
	if owner != "" {
		text += ", " + owner
	}
	_, err := l.file.WriteAt([]byte(text+"\n"), 0)
	return err
}

func (l *dirLock) release() error { return l.file.Close() }
