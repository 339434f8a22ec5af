package fleet

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/rak-n-rok/krake/api/channel"
)

// ExecOptions say what runs in a container.
type ExecOptions struct {
	Container                  string
	Command                    []string
	Stdin, Stdout, Stderr, TTY bool // which channels there are, and whether the command has a terminal
}

// A Session is a command that runs in a container: messages of package channel go both ways. Receive returns io.EOF after
// the last one. One goroutine may receive while another one sends.
type Session interface {
	Receive(ctx context.Context) ([]byte, error)
	Send(ctx context.Context, message []byte) error
	// Drop ends the session. What runs in the container loses its input and its output.
	Drop()
}

// Exec runs a command in a container, over a WebSocket if the cluster can, else over SPDY, which Kubernetes had before.
func (m *Member) Exec(ctx context.Context, p Pod, o ExecOptions) (Session, error) {
	parameters := map[string][]string{"container": {o.Container}, "command": o.Command}
	for name, on := range map[string]bool{"stdin": o.Stdin, "stdout": o.Stdout, "stderr": o.Stderr && !o.TTY, "tty": o.TTY} {
		parameters[name] = []string{strconv.FormatBool(on)}
	}
	address := m.address(p, "exec", parameters)
	t, err := m.tunnel(ctx)
	if err != nil {
		return nil, err
	}
	defer t.close()
	shaking, cancel := context.WithTimeout(ctx, m.fleet.options.Timeout)
	defer cancel()
	conn, response, err := channel.Dial(shaking, address, nil, &http.Client{Transport: t}, channel.V5)
	switch {
	case err == nil && conn.Subprotocol() == channel.V5:
		return conn, nil
	case err == nil:
		conn.Drop()
	case response == nil:
		return nil, answer(keyOfPod(p), err)
	}
	return m.execSPDY(ctx, p, address, o)
}

// execSPDY does so over SPDY, where each channel is a stream of its own.
func (m *Member) execSPDY(ctx context.Context, p Pod, address string, o ExecOptions) (Session, error) {
	conn, err := m.dialSPDY(ctx, p, http.MethodPost, address, channel.V4)
	if err != nil {
		return nil, err
	}
	s := &streams{conn: conn, messages: make(chan []byte), done: make(chan struct{}), in: map[byte]httpstream.Stream{}}
	var outputs sync.WaitGroup
	for _, c := range []struct {
		wanted  bool
		kind    string
		channel byte
		output  bool
	}{
		{true, corev1.StreamTypeError, channel.Result, false},
		{o.Stdin, corev1.StreamTypeStdin, channel.Stdin, false},
		{o.Stdout, corev1.StreamTypeStdout, channel.Stdout, true},
		{o.Stderr && !o.TTY, corev1.StreamTypeStderr, channel.Stderr, true},
		{o.TTY, corev1.StreamTypeResize, channel.Resize, false},
	} {
		if !c.wanted {
			continue
		}
		stream, err := conn.CreateStream(streamHeader(c.kind))
		if err != nil {
			s.Drop()
			return nil, answer(keyOfPod(p), err)
		}
		switch {
		case c.output:
			outputs.Go(func() { s.read(c.channel, stream) })
		case c.channel == channel.Result:
			go func() {
				result, err := io.ReadAll(io.LimitReader(stream, channel.MaxMessage-1))
				outputs.Wait()                     // the result is the last message
				if err == nil && len(result) > 0 { // else the connection was lost
					s.give(channel.Of(channel.Result, result))
				}
				close(s.messages)
			}()
			_ = stream.Close()
		default:
			s.in[c.channel] = stream
		}
	}
	return s, nil
}

// streams make a session of the streams of a SPDY connection.
type streams struct {
	conn     *spdyConn
	messages chan []byte // closed after the last one
	done     chan struct{}
	once     sync.Once
	in       map[byte]httpstream.Stream
}

// chunk is how much is read at once.
const chunk = 32 << 10

// read makes messages of what comes on a stream.
func (s *streams) read(to byte, from io.Reader) {
	buffer := make([]byte, chunk)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !s.give(channel.Of(to, buffer[:n])) || err != nil {
			return
		}
	}
}

func (s *streams) give(message []byte) bool {
	select {
	case s.messages <- message:
		return true
	case <-s.done:
		return false
	}
}

func (s *streams) Receive(ctx context.Context) ([]byte, error) {
	select {
	case message, more := <-s.messages:
		if !more {
			return nil, io.EOF
		}
		return message, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Send passes a message on. One for a channel that there is not is dropped, as API servers do.
func (s *streams) Send(_ context.Context, message []byte) error {
	to, content, err := channel.Split(message)
	if err != nil {
		return err
	}
	if to == channel.Close && len(content) == 1 {
		if stream := s.in[content[0]]; stream != nil {
			return stream.Close()
		}
		return nil
	}
	stream := s.in[to]
	if stream == nil {
		return nil
	}
	_, err = stream.Write(content)
	return err
}

func (s *streams) Drop() {
	s.once.Do(func() {
		close(s.done)
		_ = s.conn.Close()
	})
}
