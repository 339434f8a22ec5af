package transfer

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Send writes what a volume holds. Nothing in the volume is changed. A file that changes meanwhile is an error.
func Send(volume string, to io.Writer) error {
	s := sender{volume, tar.NewWriter(to), map[inode]string{}}
	if err := walk(volume, s.send); err != nil {
		return err
	}
	return s.archive.Close()
}

type sender struct {
	volume  string
	archive *tar.Writer
	linked  map[inode]string // the first name of files that have several
}

// inode tells a file from others, whatever its name.
type inode struct{ device, number uint64 }

func (s *sender) send(name string, info fs.FileInfo) error {
	header, err := s.header(name, info)
	if err != nil {
		return err
	}
	if err := s.archive.WriteHeader(header); err != nil || header.Typeflag != tar.TypeReg {
		return err
	}
	file, err := os.Open(filepath.Join(s.volume, name))
	if err != nil {
		return err
	}
	defer file.Close()
	n, err := io.CopyN(s.archive, file, header.Size)
	if err == io.EOF {
		return fmt.Errorf("%s has become shorter while it was read: %d bytes instead of %d", name, n, header.Size)
	}
	return err
}

func (s *sender) header(name string, info fs.FileInfo) (*tar.Header, error) {
	target := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		var err error
		if target, err = os.Readlink(filepath.Join(s.volume, name)); err != nil {
			return nil, err
		}
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return nil, err
	}
	header.Name, header.Format = name, tar.FormatPAX
	header.Uname, header.Gname = "", "" // numbers are what counts
	header.AccessTime, header.ChangeTime = time.Time{}, time.Time{}
	if stat := info.Sys().(*syscall.Stat_t); info.Mode().IsRegular() && stat.Nlink > 1 {
		id := inode{uint64(stat.Dev), stat.Ino}
		if first, known := s.linked[id]; known {
			header.Typeflag, header.Linkname, header.Size = tar.TypeLink, first, 0
		} else {
			s.linked[id] = name
		}
	}
	return header, nil
}
