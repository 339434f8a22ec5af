package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

const (
	// forwardProtocol is what is spoken over SPDY, and tunnelled what it is called when a WebSocket carries that.
	forwardProtocol = "portforward.k8s.io"
	tunnelled       = "SPDY/3.1+" + forwardProtocol
	// pingPeriod is how often a SPDY connection shows that it lives.
	pingPeriod = 10 * time.Second
)

// A Forwarding is a connection to a port of a pod.
type Forwarding struct {
	httpstream.Stream // what goes to and fro; Close ends what goes there
	conn              *spdyConn
	failed            chan error
}

// spdyConn is a connection of SPDY streams, and what it goes over. It closes that first: otherwise it would say good-bye to
// somebody who may not be listening any more.
type spdyConn struct {
	httpstream.Connection
	over func() error
}

func (c *spdyConn) Close() error {
	return errors.Join(c.over(), c.Connection.Close())
}

// Forward connects to a port of a pod, over a WebSocket if the cluster can, else over SPDY alone.
func (m *Member) Forward(ctx context.Context, p Pod, port uint16) (*Forwarding, error) {
	conn, err := m.dialForward(ctx, p)
	if err != nil {
		return nil, err
	}
	fault, err := conn.CreateStream(forwardHeader(corev1.StreamTypeError, port))
	if err == nil {
		_ = fault.Close() // nothing is written there
		var data httpstream.Stream
		if data, err = conn.CreateStream(forwardHeader(corev1.StreamTypeData, port)); err == nil {
			f := &Forwarding{Stream: data, conn: conn, failed: make(chan error, 1)}
			go f.listen(fault)
			return f, nil
		}
	}
	_ = conn.Close()
	return nil, answer(keyOfPod(p), err)
}

func forwardHeader(kind string, port uint16) http.Header {
	header := streamHeader(kind)
	header.Set(corev1.PortHeader, strconv.Itoa(int(port)))
	header.Set(corev1.PortForwardRequestIDHeader, "0")
	return header
}

// streamHeader says what a stream is for.
func streamHeader(kind string) http.Header {
	header := http.Header{}
	header.Set(corev1.StreamType, kind)
	return header
}

// listen waits for what the pod's node says of the connection.
func (f *Forwarding) listen(fault io.Reader) {
	text, err := io.ReadAll(io.LimitReader(fault, 1<<12))
	if err == nil && len(text) > 0 {
		err = errors.New(strings.TrimSpace(string(text)))
	}
	f.failed <- err
}

// Ended waits until nothing more can come, and says why; nil at the regular end, or if the connection was lost.
func (f *Forwarding) Ended(ctx context.Context) error {
	select {
	case err := <-f.failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Drop ends the connection in both directions.
func (f *Forwarding) Drop() { _ = f.conn.Close() }

func (m *Member) dialForward(ctx context.Context, p Pod) (*spdyConn, error) {
	t, err := m.tunnel(ctx)
	if err != nil {
		return nil, err
	}
	defer t.close()
	address := m.address(p, "portforward", nil)
	shaking, cancel := context.WithTimeout(ctx, m.fleet.options.Timeout)
	defer cancel()
	ws, response, err := websocket.Dial(shaking, address, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: t}, Subprotocols: []string{tunnelled},
	})
	switch {
	case err == nil && ws.Subprotocol() == tunnelled:
		ws.SetReadLimit(-1) // it is read in pieces
		return spdyOver(websocket.NetConn(context.WithoutCancel(ctx), ws, websocket.MessageBinary), ws.CloseNow)
	case err == nil:
		_ = ws.CloseNow()
	case response == nil:
		return nil, answer(keyOfPod(p), err)
	}
	return m.dialSPDY(ctx, p, http.MethodPost, address, forwardProtocol)
}

// dialSPDY opens a connection of SPDY streams.
func (m *Member) dialSPDY(ctx context.Context, p Pod, method, address, protocol string) (*spdyConn, error) {
	t, err := m.tunnel(ctx)
	if err != nil {
		return nil, err
	}
	defer t.close()
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, errAddress
	}
	request.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"SPDY/3.1"}, httpstream.HeaderProtocolVersion: {protocol}}
	response, err := t.RoundTrip(request)
	if err != nil {
		return nil, answer(keyOfPod(p), err)
	}
	stream, ok := response.Body.(io.ReadWriteCloser)
	if response.StatusCode != http.StatusSwitchingProtocols || !ok {
		defer response.Body.Close()
		return nil, answer(keyOfPod(p), statusOf(response))
	}
	return spdyOver(upgraded{stream}, stream.Close)
}

func spdyOver(over net.Conn, end func() error) (*spdyConn, error) {
	conn, err := spdy.NewClientConnectionWithPings(over, pingPeriod)
	if err != nil {
		return nil, &TransientError{Message: "the cluster does not speak SPDY", cause: err}
	}
	return &spdyConn{conn, end}, nil
}

// upgraded makes a network connection of what an upgraded request leaves. It knows neither addresses nor deadlines.
type upgraded struct{ io.ReadWriteCloser }

func (upgraded) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (upgraded) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (upgraded) SetDeadline(time.Time) error      { return nil }
func (upgraded) SetReadDeadline(time.Time) error  { return nil }
func (upgraded) SetWriteDeadline(time.Time) error { return nil }

// statusOf reads the error in an answer of the API server.
func statusOf(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	var status metav1.Status
	if json.Unmarshal(body, &status) == nil && status.Status == metav1.StatusFailure {
		return &apierrors.StatusError{ErrStatus: status}
	}
	return apierrors.NewGenericServerResponse(response.StatusCode, response.Request.Method, corev1.Resource("pods"), "",
		strings.TrimSpace(string(body)), 0, true)
}
