//go:build unix

package cli

import (
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/rak-n-rok/krake/api/channel"
)

func TestATerminalTellsItsSizeAndWhenItChanges(t *testing.T) {
	far, near, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	defer near.Close()
	resize := func(size channel.Size) {
		if err := pty.Setsize(far, &pty.Winsize{Cols: size.Width, Rows: size.Height}); err != nil {
			t.Fatal(err)
		}
	}
	first, second := channel.Size{Width: 90, Height: 30}, channel.Size{Width: 100, Height: 40}
	resize(first)
	sizes := fileTerminal{near, near}.Sizes(t.Context())
	if got := <-sizes; got != first {
		t.Errorf("it is %v, want %v", got, first)
	}
	resize(second)
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGWINCH); err != nil { // a terminal of one's own sends it
		t.Fatal(err)
	}
	if got := <-sizes; got != second {
		t.Errorf("it is %v, want %v", got, second)
	}
}
