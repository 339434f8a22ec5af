package transfer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// Receive makes a volume hold what Send has written, and nothing else: what is in it goes first. It returns when all is on
// the disk. Nothing outside of the volume can be reached, whatever names and links the stream has.
func Receive(volume string, from io.Reader) error {
	root, err := os.OpenRoot(volume)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := wipe(root); err != nil {
		return err
	}
	var folders []*tar.Header
	archive := tar.NewReader(from)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("the stream is broken: %w", err)
		}
		if err := place(root, header, archive); err != nil {
			return err
		}
		if header.Typeflag == tar.TypeDir {
			folders = append(folders, header)
		}
	}
	for _, header := range slices.Backward(folders) { // what is made in a folder changes its time
		if err := settle(root, header); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, from); err != nil {
		return err
	}
	return syncAll(root)
}

func wipe(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == lostFound && e.IsDir() {
			continue
		}
		if err := root.RemoveAll(e.Name()); err != nil {
			return err
		}
	}
	return nil
}

// place makes one entry. Folders get what else belongs to them when they are full.
func place(root *os.Root, header *tar.Header, content io.Reader) error {
	switch header.Typeflag {
	case tar.TypeDir:
		if header.Name == "." {
			return nil
		}
		return root.Mkdir(header.Name, 0o700)
	case tar.TypeSymlink:
		if err := root.Symlink(header.Linkname, header.Name); err != nil {
			return err
		}
		return root.Lchown(header.Name, header.Uid, header.Gid)
	case tar.TypeLink:
		return root.Link(header.Linkname, header.Name)
	case tar.TypeReg:
		if err := write(root, header.Name, content); err != nil {
			return err
		}
		return settle(root, header)
	}
	return fmt.Errorf("%s is of a kind that is not known here", header.Name)
}

func write(root *os.Root, name string, content io.Reader) error {
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

// settle gives a file or folder its owner, then its permissions, which a new owner would take away in part, and its time.
func settle(root *os.Root, header *tar.Header) error {
	if err := root.Chown(header.Name, header.Uid, header.Gid); err != nil {
		return err
	}
	if err := root.Chmod(header.Name, header.FileInfo().Mode()); err != nil {
		return err
	}
	return root.Chtimes(header.Name, header.ModTime, header.ModTime)
}

func syncAll(root *os.Root) error {
	folder, err := root.Open(".")
	if err != nil {
		return err
	}
	defer folder.Close()
	return unix.Syncfs(int(folder.Fd()))
}
