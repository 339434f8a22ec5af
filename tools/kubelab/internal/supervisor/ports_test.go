package supervisor

import (
	"errors"
	"net"
	"testing"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

func release(held []reservation) {
	for _, r := range held {
		r.Close()
	}
}

func TestPortsDifferAndAreKept(t *testing.T) {
	chosen, held, err := reservePorts(cluster.Ports{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, port := range []int{chosen.APIServer, chosen.ControllerManager, chosen.Scheduler} {
		if port < firstPort || port >= lastPort || seen[port] {
			t.Errorf("port %d of %+v is out of range or chosen twice", port, chosen)
		}
		seen[port] = true
	}

	_, more, err := reservePorts(chosen)
	release(more)
	if !errors.Is(err, errPortInUse) {
		t.Errorf("the ports of another cluster were given away: %v", err)
	}
	release(held)

	again, held, err := reservePorts(chosen)
	defer release(held)
	if err != nil || again != chosen {
		t.Errorf("ports that were chosen before changed from %+v to %+v, %v", chosen, again, err)
	}
}

func TestPortOfAnotherProgramIsRefused(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	port := other.Addr().(*net.TCPAddr).Port
	if _, held, err := reservePorts(cluster.Ports{APIServer: port}); !errors.Is(err, errPortInUse) {
		release(held)
		t.Errorf("port %d: %v", port, err)
	}
}
