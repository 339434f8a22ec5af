package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api/channel"
)

// A CommandError says that a command ended with another code than 0, or could not be run, with what it said of that.
type CommandError struct {
	Command string
	Said    string // the end of what it wrote to its standard error
	cause   error
}

func (e *CommandError) Error() string {
	if e.Said == "" {
		return fmt.Sprintf("%s: %v", e.Command, e.cause)
	}
	return fmt.Sprintf("%s: %s", e.Command, e.Said)
}

func (e *CommandError) Unwrap() error { return e.cause }

// Execute runs a command in a container to its end, with what is read from in as its standard input, which may be nil, and
// writes its standard output to out. It reads no faster than the command does, and lets the command write no faster than
// out takes it. When it returns, in is closed.
//
// Errors are those of Exec, *CommandError, those of in and out, and *TransientError when the connection was lost.
func (m *Member) Execute(ctx context.Context, p Pod, container string, command []string, in io.ReadCloser, out io.Writer) error {
	if in != nil {
		defer in.Close()
	}
	session, err := m.Exec(ctx, p, ExecOptions{Container: container, Command: command, Stdin: in != nil, Stdout: true, Stderr: true})
	if err != nil {
		return err
	}
	defer session.Drop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var feeding errgroup.Group
	if in != nil {
		feeding.Go(func() error {
			err := pour(ctx, session, in)
			if err != nil { // what came is not all: the command must not take it for that
				session.Drop()
			}
			return err
		})
	}
	err = collect(ctx, session, strings.Join(command, " "), out)
	cancel()
	if in != nil {
		_ = in.Close()
	}
	if fed := feeding.Wait(); err != nil && fed != nil && !errors.Is(fed, context.Canceled) && !errors.Is(fed, io.ErrClosedPipe) {
		err = fed
	}
	if errors.Is(err, errCutOff) {
		err = &TransientError{Message: fmt.Sprintf("the connection to %s was lost", keyOfPod(p)), cause: err}
	}
	return err
}

var errCutOff = errors.New("the session has ended before its command")

// pour sends all that there is to read, and that it was all.
func pour(ctx context.Context, to Session, in io.Reader) error {
	buffer := make([]byte, chunk)
	for {
		n, err := in.Read(buffer)
		if n > 0 {
			if err := to.Send(ctx, channel.Of(channel.Stdin, buffer[:n])); err != nil {
				return errors.Join(errCutOff, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return to.Send(ctx, channel.Closing(channel.Stdin))
		}
		if err != nil {
			return err
		}
	}
}

// longestSaid is how much of what a command says of its failure is kept, in bytes.
const longestSaid = 2048

// collect writes what a command writes, until it has ended.
func collect(ctx context.Context, from Session, command string, out io.Writer) error {
	var said []byte
	for {
		message, err := from.Receive(ctx)
		if err != nil {
			return errors.Join(errCutOff, err)
		}
		to, content, err := channel.Split(message)
		if err != nil {
			return err
		}
		switch to {
		case channel.Stdout:
			if _, err := out.Write(content); err != nil {
				return err
			}
		case channel.Stderr:
			said = append(said, content...)
			said = said[max(0, len(said)-longestSaid):]
		case channel.Result:
			if err := channel.ReadResult(content); err != nil {
				return &CommandError{command, strings.ToValidUTF8(strings.TrimSpace(string(said)), "�"), err}
			}
			return nil
		}
	}
}
