package server

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"

	"github.com/rak-n-rok/krake/internal/store"
)

// SaveSnapshot writes a copy of the database of a running server to a file, which must not exist, and says on out what is
// in it. The file appears when it is complete and was checked.
func SaveSnapshot(ctx context.Context, endpoint, file string, out io.Writer) error {
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s exists; nothing is overwritten", file)
	}
	unfinished := file + ".part"
	if err := download(ctx, endpoint+"/snapshot", unfinished); err != nil {
		_ = os.Remove(unfinished)
		return err
	}
	if err := InspectSnapshot(ctx, unfinished, out); err != nil {
		_ = os.Remove(unfinished)
		return err
	}
	return os.Rename(unfinished, file)
}

func download(ctx context.Context, url, file string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) // it holds every secret
	if err != nil {
		return err
	}
	_, err = io.Copy(f, resp.Body)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("the snapshot was cut off: %w", err)
	}
	return nil
}

// InspectSnapshot checks a snapshot and says on out what is in it.
func InspectSnapshot(ctx context.Context, file string, out io.Writer) error {
	info, err := store.InspectSnapshot(ctx, file)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "revision %d, %d bytes\n", info.Revision, info.Size)
	for _, prefix := range slices.Sorted(maps.Keys(info.Keys)) {
		fmt.Fprintf(out, "%6d %s\n", info.Keys[prefix], prefix)
	}
	return nil
}

// RestoreSnapshot makes a data directory of a snapshot.
func RestoreSnapshot(file, dir string) error { return store.RestoreSnapshot(file, dir) }
