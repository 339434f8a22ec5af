package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/channel"
	"github.com/rak-n-rok/krake/client"
)

func (p *program) forwardToApplication(k *presentation) *cobra.Command {
	cmd, o := p.through(k, "port-forward NAME [LOCAL:]REMOTE...", "Listen on this machine and connect to ports of an application's pod",
		nameAnd("PORT"), "echo-demo 8080", "echo-demo 9000:8080")
	pod := cmd.Flags().String("pod", "", "the `POD` to connect to (default the first one that runs)")
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		ports := make([]forwarded, len(args)-1)
		for i, text := range args[1:] {
			var err error
			if ports[i], err = parsePorts(text); err != nil {
				return err
			}
		}
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		query := url.Values{}
		if *pod != "" {
			query.Set("pod", *pod)
		}
		f := &forwarder{p: p, c: c, query: query, path: path(k.kind, c.namespace(*o.namespace), args[0]) + "/" + api.PortForwardPassage}
		return f.run(cmd.Context(), ports, args[0])
	})
	return cmd
}

// forwarded is a port of this machine, 0 for any, and the pod's port that it leads to.
type forwarded struct{ local, remote uint16 }

func parsePorts(text string) (forwarded, error) {
	left, right, both := strings.Cut(text, ":")
	if !both {
		right = left
	}
	remote, err := strconv.ParseUint(right, 10, 16)
	local := remote
	if both && left != "" && err == nil {
		local, err = strconv.ParseUint(left, 10, 16)
	} else if both {
		local = 0
	}
	if err != nil || remote == 0 {
		return forwarded{}, usagef("argument PORT: '%s' is not [LOCAL:]REMOTE, such as 8080 or 9000:8080", text)
	}
	return forwarded{uint16(local), uint16(remote)}, nil
}

// forwarder connects what connects to this machine to ports of an application.
type forwarder struct {
	p     *program
	c     *connection
	path  string
	query url.Values
}

// run listens until ctx ends, which is how a person ends it.
func (f *forwarder) run(ctx context.Context, ports []forwarded, name string) error {
	var working errgroup.Group
	var listeners []net.Listener
	defer func() { _ = working.Wait() }()
	defer func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}()
	for _, port := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port.local))))
		if err != nil {
			return fmt.Errorf("cannot listen: %w", err)
		}
		listeners = append(listeners, l)
		conn, err := f.connect(ctx, port.remote) // an application that cannot be reached is told at once
		if err != nil {
			return err
		}
		conn.End("")
		fmt.Fprintf(f.p.Out, "Forwarding from %s to port %d of %s\n", l.Addr(), port.remote, name)
	}
	for i, l := range listeners {
		working.Go(func() error { f.accept(ctx, &working, l, ports[i].remote); return nil })
	}
	<-ctx.Done()
	return nil
}

func (f *forwarder) accept(ctx context.Context, working *errgroup.Group, l net.Listener, remote uint16) {
	for {
		local, err := l.Accept()
		if err != nil {
			return
		}
		working.Go(func() error {
			defer local.Close()
			if err := f.serve(ctx, local, remote); err != nil && ctx.Err() == nil {
				f.p.report(err)
			}
			return nil
		})
	}
}

func (f *forwarder) connect(ctx context.Context, remote uint16) (*channel.Conn, error) {
	query := url.Values{"ports": {strconv.Itoa(int(remote))}}
	for name, values := range f.query {
		query[name] = values
	}
	conn, err := f.c.client.Connect(ctx, client.Request{Path: f.path, Query: query})
	if err != nil {
		return nil, f.c.explain(err)
	}
	return conn, nil
}

// serve passes on between a connection on this machine and a port of the pod.
func (f *forwarder) serve(ctx context.Context, local net.Conn, remote uint16) error {
	conn, err := f.connect(ctx, remote)
	if err != nil {
		return err
	}
	defer conn.Drop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = local.Close() })
	defer stop()
	go sendAll(ctx, conn, local)
	go conn.KeepAlive(ctx)
	return receiveAll(ctx, conn, local)
}

// sendAll sends what the local side has to say, to its end.
func sendAll(ctx context.Context, conn *channel.Conn, local io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := local.Read(buffer)
		if n > 0 && conn.Send(ctx, channel.Of(channel.Data, buffer[:n])) != nil {
			return
		}
		if err != nil {
			_ = conn.Send(ctx, channel.Closing(channel.Data))
			return
		}
	}
}

// receiveAll writes what comes from the pod, to the end of the connection.
func receiveAll(ctx context.Context, conn *channel.Conn, local io.Writer) error {
	begun := map[byte]bool{} // channels of which the port was told
	for {
		message, err := conn.Receive(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		to, content, err := channel.Split(message)
		switch {
		case err != nil:
			return err
		case !begun[to]:
			begun[to] = true
		case to == channel.Error:
			return errors.New(string(content))
		case to == channel.Data:
			if _, err := local.Write(content); err != nil {
				return nil // the local side is gone
			}
		}
	}
}
