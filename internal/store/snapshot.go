package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"go.etcd.io/etcd/etcdutl/v3/snapshot"
)

// revisionBump is added to the revision of a restored database: far more than
// what clients may have seen of the time between the snapshot and its
// restoration. What they know lies before the new history then, so they have to
// list again; without it, they could take a new change for one they have.
const revisionBump = 1_000_000_000

// Snapshot writes a copy of everything, as of one revision, in etcd's format:
// its database followed by a checksum.
func (s *Store) Snapshot(ctx context.Context, w io.Writer) error {
	if err := s.inFlight.enter(); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	defer s.inFlight.leave()
	if err := s.snapshot(ctx, w); err != nil {
		return fmt.Errorf("snapshot: %w", unavailable(ctx, err, ErrUnavailable))
	}
	return nil
}

// A SnapshotInfo says what is in the file of a snapshot.
type SnapshotInfo struct {
	Size     int64 // in bytes
	Revision int64
	// Keys counts what is stored, by the first two segments of the keys: those
	// of a kind's objects, or of the parts of its objects.
	Keys map[string]int
}

// InspectSnapshot checks the file of a snapshot by restoring it elsewhere for a
// moment, and says what is in it.
func InspectSnapshot(ctx context.Context, file string) (info SnapshotInfo, err error) {
	dir, err := os.MkdirTemp("", "krake-snapshot")
	if err != nil {
		return SnapshotInfo{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	status, err := restore(file, filepath.Join(dir, "data"))
	if err != nil {
		return SnapshotInfo{}, err
	}
	s, err := Open(ctx, Options{Dir: filepath.Join(dir, "data"), UnsafeNoFsync: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return SnapshotInfo{}, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	records, _, err := s.List(ctx, "")
	info = SnapshotInfo{Size: status.TotalSize, Revision: status.Revision, Keys: map[string]int{}}
	for _, r := range records {
		segments := strings.SplitN(r.Key, "/", 4)
		info.Keys[strings.Join(segments[:min(len(segments), 3)], "/")]++
	}
	return info, err
}

// RestoreSnapshot makes a data directory, which must not exist, of the file of a
// snapshot. Its revisions continue above all that any client can have seen.
func RestoreSnapshot(file, dir string) error {
	_, err := restore(file, dir)
	return err
}

func restore(file, dir string) (snapshot.Status, error) {
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		return snapshot.Status{}, fmt.Errorf("restore to %s: it exists; nothing is overwritten", dir)
	}
	if err := checkSnapshot(file); err != nil {
		return snapshot.Status{}, fmt.Errorf("%s is no snapshot: %w", file, err)
	}
	cfg := embeddedConfig(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	manager := snapshot.NewV3(newZapLogger(slog.New(slog.DiscardHandler)))
	status, err := manager.Status(file)
	if err != nil {
		return status, fmt.Errorf("%s is no snapshot: %w", file, err)
	}
	err = manager.Restore(snapshot.RestoreConfig{
		SnapshotPath: file, Name: cfg.Name, OutputDataDir: dir, PeerURLs: []string{cfg.AdvertisePeerUrls[0].String()},
		InitialCluster: cfg.InitialCluster, InitialClusterToken: "krake", RevisionBump: revisionBump, MarkCompacted: true,
	})
	if err != nil {
		return status, errors.Join(fmt.Errorf("restore to %s: %w", dir, err), os.RemoveAll(dir))
	}
	return status, os.Chmod(dir, 0o700)
}

// checkSnapshot compares the checksum at the end of the file with the rest, so
// that what was cut off or altered is found before anything is made of it.
func checkSnapshot(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		return err
	}
	const sector = 512 // databases are made of whole ones
	if stat.Size() < sector || stat.Size()%sector != sha256.Size {
		return fmt.Errorf("its size of %d bytes cannot be right; was it cut off?", stat.Size())
	}
	hash := sha256.New()
	if _, err := io.CopyN(hash, f, stat.Size()-sha256.Size); err != nil {
		return err
	}
	want, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	if !bytes.Equal(want, hash.Sum(nil)) {
		return errors.New("its checksum does not fit; it was altered or cut off")
	}
	return nil
}
