package cli

import (
	"context"
	"errors"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/channel"
	"github.com/rak-n-rok/krake/client"
)

func (p *program) execInApplication(k *presentation) *cobra.Command {
	cmd, o := p.through(k, "exec NAME -- COMMAND...", "Run a command in a container of an application", nameAnd("COMMAND"),
		"echo-demo -- ls /", "-it echo-demo -- sh")
	flags := cmd.Flags()
	stdin := flags.BoolP("stdin", "i", false, "give standard input to the command")
	tty := flags.BoolP("tty", "t", false, "give the command this terminal")
	pod := flags.String("pod", "", "the `POD` to run it in; needed if several run")
	container := flags.StringP("container", "c", "", "`NAME` of the container; needed if the pod has several and does not say which one")
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if *tty && (!*stdin || p.Terminal == nil) {
			if p.Terminal == nil {
				p.warn("standard input is no terminal; the command gets none")
			}
			*tty = *tty && *stdin && p.Terminal != nil
		}
		query := url.Values{"command": args[1:], "stdout": {"true"}}
		for name, on := range map[string]bool{"stdin": *stdin, "tty": *tty, "stderr": !*tty} {
			if on {
				query.Set(name, "true")
			}
		}
		if *pod != "" {
			query.Set("pod", *pod)
		}
		if *container != "" {
			query.Set("container", *container)
		}
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		conn, err := c.client.Connect(cmd.Context(), client.Request{Query: query,
			Path: path(k.kind, c.namespace(*o.namespace), args[0]) + "/" + api.ExecPassage})
		if err != nil {
			return c.explain(err)
		}
		return p.converse(cmd.Context(), conn, *stdin, *tty)
	})
	return cmd
}

// converse is the command's terminal, or its input and output, until it ends.
func (p *program) converse(ctx context.Context, conn *channel.Conn, stdin, tty bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer conn.Drop()
	if tty {
		restore, err := p.Terminal.Raw()
		if err != nil {
			return err
		}
		defer restore()
		go p.tellSizes(ctx, conn)
	}
	if stdin {
		go p.tellInput(ctx, conn)
	}
	go conn.KeepAlive(ctx)
	var result error = errors.New("the connection ended before the command did")
	for {
		message, err := conn.Receive(ctx)
		if err != nil {
			return ended(ctx, result, err)
		}
		to, content, err := channel.Split(message)
		switch {
		case err != nil:
			return err
		case to == channel.Stdout:
			_, err = p.Out.Write(content)
		case to == channel.Stderr:
			_, err = p.Err.Write(content)
		case to == channel.Result:
			result = channel.ReadResult(content)
		}
		if err != nil {
			return err
		}
	}
}

// ended says how a command ended: by its result, or by why the connection was closed.
func ended(ctx context.Context, result, err error) error {
	var (
		exit   *channel.ExitError
		closed *channel.ClosedError
	)
	switch {
	case result == nil:
		return nil
	case errors.As(result, &exit):
		return &exitError{code: exit.Code}
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &closed):
		return closed
	}
	return result
}

// tellInput gives standard input to the command, to its end.
func (p *program) tellInput(ctx context.Context, conn *channel.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := p.In.Read(buffer)
		if n > 0 && conn.Send(ctx, channel.Of(channel.Stdin, buffer[:n])) != nil {
			return
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				_ = conn.Send(ctx, channel.Closing(channel.Stdin))
			}
			return
		}
	}
}

// tellSizes tells the command how large the terminal is, and whenever that changes.
func (p *program) tellSizes(ctx context.Context, conn *channel.Conn) {
	for size := range p.Terminal.Sizes(ctx) {
		if conn.Send(ctx, size.Message()) != nil {
			return
		}
	}
}
