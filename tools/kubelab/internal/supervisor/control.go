package supervisor

import (
	"encoding/json"
	"net"
	"os"
	"sync"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

// answerTimeout bounds reading a request and writing its answer, so that a
// client that hangs cannot keep the supervisor from ending.
const answerTimeout = time.Second

// control answers requests on the cluster's socket.
type control struct {
	listener *net.UnixListener
	serving  sync.WaitGroup
}

func listen(s *supervisor) (*control, error) {
	// What lies there is of a supervisor that was killed: this one holds the
	// alive lock, so there is no other.
	if err := os.RemoveAll(cluster.Socket); err != nil {
		return nil, err
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: cluster.Socket, Net: "unix"})
	if err != nil {
		return nil, err
	}
	c := &control{listener: listener}
	c.serving.Go(func() { c.serve(s) })
	return c, nil
}

// close waits for answers that are being given, and removes the socket.
func (c *control) close() {
	c.listener.Close()
	c.serving.Wait()
}

func (c *control) serve(s *supervisor) {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return // closed
		}
		c.serving.Go(func() {
			defer conn.Close()
			if err := s.answer(conn); err != nil {
				s.log.Warn("a request was not answered", "error", err)
			}
		})
	}
}

func (s *supervisor) answer(conn net.Conn) error {
	var request cluster.Request
	if err := conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	if err := json.NewDecoder(conn).Decode(&request); err != nil {
		return err
	}
	if request == cluster.Stop || request == cluster.Kill {
		s.askToClose(request)
		<-s.finished
	}
	if err := conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	return json.NewEncoder(conn).Encode(s.status())
}
