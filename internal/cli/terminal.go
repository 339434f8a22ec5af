package cli

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/rak-n-rok/krake/api/channel"
)

// Terminal is a terminal that can be given to a program elsewhere.
type Terminal interface {
	// Raw has the terminal pass on every key as it is, until restore is called.
	Raw() (restore func(), err error)
	// Sizes gives the size of the terminal now, and whenever it changes, until ctx ends.
	Sizes(ctx context.Context) <-chan channel.Size
}

// fileTerminal is the terminal of this process.
type fileTerminal struct{ in, out *os.File }

func (t fileTerminal) Raw() (restore func(), err error) {
	before, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("the terminal cannot be given away: %w", err)
	}
	return func() { _ = term.Restore(int(t.in.Fd()), before) }, nil
}

func (t fileTerminal) Sizes(ctx context.Context) <-chan channel.Size {
	sizes := make(chan channel.Size)
	changed, stop := resized()
	go func() {
		defer close(sizes)
		defer stop()
		for {
			if width, height, err := term.GetSize(int(t.out.Fd())); err == nil {
				select {
				case sizes <- channel.Size{Width: uint16(width), Height: uint16(height)}:
				case <-ctx.Done():
					return
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return sizes
}
