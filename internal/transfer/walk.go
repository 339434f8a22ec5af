package transfer

import (
	"io/fs"
	"os"
	"path/filepath"
)

// lostFound is where a file system puts what it finds when it is repaired. It is the volume's own, not its content.
const lostFound = "lost+found"

// walk visits everything that is copied, the volume's own folder first as ".", in an order that depends on names alone.
func walk(volume string, visit func(name string, info fs.FileInfo) error) error {
	return filepath.WalkDir(volume, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(volume, path)
		if err != nil {
			return err
		}
		if name == lostFound && entry.IsDir() {
			return fs.SkipDir
		}
		info, err := entry.Info()
		if err != nil || !isCopied(info.Mode()) {
			return err
		}
		return visit(name, info)
	})
}

// isCopied leaves out sockets, pipes and devices: they hold nothing.
func isCopied(mode fs.FileMode) bool {
	return mode.IsRegular() || mode.IsDir() || mode&fs.ModeSymlink != 0
}

// First is the name of something that a volume holds, empty if it holds nothing.
func First(volume string) (string, error) {
	entries, err := os.ReadDir(volume)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if e.Name() != lostFound || !e.IsDir() {
			return e.Name(), nil
		}
	}
	return "", nil
}
