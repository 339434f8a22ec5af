package supervisor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

// Ports are chosen from this range. It lies below the one from which Linux
// takes the ports of outgoing connections, so a stopped cluster seldom finds its
// port in use when it starts again.
const (
	firstPort = 20000
	lastPort  = 32000
)

var errPortInUse = errors.New("port is in use")

// A reservation keeps other supervisors on this machine from choosing a port
// between the moment when it is chosen and the one when a part listens on it.
// It is a unix socket in the abstract name space: it ends with the process and
// leaves nothing behind.
type reservation = net.Listener

// reserve takes port, if no supervisor and no other process has it.
func reserve(port int) (reservation, error) {
	held, err := net.Listen("unix", fmt.Sprintf("@kubelab-port-%d", port))
	if err != nil {
		return nil, fmt.Errorf("%w: %d belongs to another cluster", errPortInUse, port)
	}
	probe, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		held.Close()
		return nil, fmt.Errorf("%w: %d: %w", errPortInUse, port, err)
	}
	return held, probe.Close()
}

// reservePorts returns ports, reserved; those that are zero are chosen. The
// reservations hold until the process ends.
func reservePorts(ports cluster.Ports) (cluster.Ports, []reservation, error) {
	var held []reservation
	for _, port := range []*int{&ports.APIServer, &ports.ControllerManager, &ports.Scheduler} {
		r, err := reserveOne(port)
		if err != nil {
			return ports, held, err
		}
		held = append(held, r)
	}
	return ports, held, nil
}

func reserveOne(port *int) (reservation, error) {
	if *port != 0 {
		return reserve(*port)
	}
	var err error
	for range 100 {
		candidate := firstPort + rand.IntN(lastPort-firstPort)
		var r reservation
		if r, err = reserve(candidate); err == nil {
			*port = candidate
			return r, nil
		}
	}
	return nil, fmt.Errorf("no free port between %d and %d was found: %w", firstPort, lastPort, err)
}
