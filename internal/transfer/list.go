package transfer

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// aSign is a line of a list that says nothing but that the work goes on: a long file takes a while to be read.
const (
	aSign     = "#"
	signEvery = 5 * time.Second
)

// List writes a line for everything in a volume, in the same order for the same names: what it is, whose, with which
// permissions, and of a file its size and the SHA-256 of its content. Two volumes hold the same if their lists are equal.
func List(volume string, to io.Writer) error {
	l := lister{volume, bufio.NewWriter(to), time.Now()}
	if err := walk(volume, l.list); err != nil {
		return err
	}
	return l.out.Flush()
}

type lister struct {
	volume string
	out    *bufio.Writer
	said   time.Time // when something was last sent for certain
}

func (l *lister) list(name string, info fs.FileInfo) error {
	path, size, detail := filepath.Join(l.volume, name), int64(0), "-"
	switch mode := info.Mode(); {
	case mode.IsRegular():
		sum, n, err := l.sum(path)
		if err != nil {
			return err
		}
		size, detail = n, sum
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		detail = fmt.Sprintf("%q", target)
	}
	stat := info.Sys().(*syscall.Stat_t)
	_, err := fmt.Fprintf(l.out, "%q %s %d:%d %d %s\n", name, info.Mode(), stat.Uid, stat.Gid, size, detail)
	return err
}

func (l *lister) sum(path string) (sum string, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	hash, buffer := sha256.New(), make([]byte, 1<<20)
	for {
		n, err := file.Read(buffer)
		hash.Write(buffer[:n])
		size += int64(n)
		if err == io.EOF {
			return hex.EncodeToString(hash.Sum(nil)), size, nil
		}
		if err != nil {
			return "", 0, err
		}
		if err := l.giveSign(); err != nil {
			return "", 0, err
		}
	}
}

func (l *lister) giveSign() error {
	if time.Since(l.said) < signEvery {
		return nil
	}
	l.said = time.Now()
	if _, err := fmt.Fprintln(l.out, aSign); err != nil {
		return err
	}
	return l.out.Flush()
}
