package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cgroup"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/image"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/machine"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/node"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/subnet"
)

// nodeFolder is the folder of the node in the cluster's home.
const nodeFolder = "node"

// Ports of a control plane in a network of its own. Random ones, as others
// have, might be those of services.
var machinePorts = cluster.Ports{APIServer: 6443, ControllerManager: 10257, Scheduler: 10259}

// realNode is what a cluster with a real node has besides its parts.
type realNode struct {
	programs node.Programs
	config   node.Config
	link     machine.Link
	guard    io.Closer // what is left of the node is removed when it closes
	machine  machine.Machine
	inside   *launcher // starts parts in the machine
}

// reserveSubnet chooses the network between the host and the node.
func reserveSubnet(spec *cluster.Spec) ([]reservation, error) {
	var wanted netip.Prefix
	if spec.Address.IsValid() {
		wanted = subnet.Of(spec.Address)
	}
	chosen, held, err := subnet.Reserve(wanted)
	if err != nil {
		return nil, err
	}
	spec.Address, spec.Ports = subnet.Node(chosen), machinePorts
	return []reservation{held}, nil
}

// makeMachine makes the node's machine and its files. From then on the control
// plane is started in the machine's network.
func (s *supervisor) makeMachine(ctx context.Context) error {
	programs, err := node.Find()
	if err != nil {
		return err
	}
	s.real, err = newRealNode(s.cluster, s.spec, programs)
	if err != nil {
		return err
	}
	if err := s.launchSweeper(); err != nil {
		return err
	}
	if err := cgroup.Create(s.real.config.Group); err != nil {
		return err
	}
	if err := s.launchInit(ctx); err != nil {
		return err
	}
	if err := s.real.machine.Connect(s.real.link, node.ServiceRange); err != nil {
		return err
	}
	alive := s.launcher.alive
	if s.launcher, err = newLauncher(alive, s.real.machine.EnterNetwork); err != nil {
		return fmt.Errorf("entering the network of the node: %w", err)
	}
	if s.real.inside, err = newLauncher(alive, s.real.machine.Enter); err != nil {
		return fmt.Errorf("entering the node: %w", err)
	}
	return nil
}

// newRealNode says what the node will be, and writes its files. The names of
// what the host sees of it come from its address, which nobody else has.
func newRealNode(c cluster.Cluster, spec cluster.Spec, programs node.Programs) (*realNode, error) {
	id := fmt.Sprintf("%x", spec.Address.As4())
	network := subnet.Of(spec.Address)
	r := &realNode{programs: programs}
	r.link = machine.Link{
		Name: "klab" + id,
		Host: netip.PrefixFrom(subnet.Host(network), network.Bits()),
		Node: netip.PrefixFrom(spec.Address, network.Bits()),
	}
	r.config = node.Config{
		Name:    c.Name + "-node-1",
		Address: spec.Address,
		Group:   "kubelab-" + id,
		Plugins: programs.Plugins,
	}
	for file, content := range map[string]*[]byte{
		c.Kubeconfig(): &r.config.Kubeconfig,
		caCert:         &r.config.CA,
		servingCert:    &r.config.ServingCert,
		servingKey:     &r.config.ServingKey,
	} {
		var err error
		if *content, err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	files, err := r.config.Files()
	if err != nil {
		return nil, err
	}
	for name, content := range files {
		file := filepath.Join(nodeFolder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// launchSweeper starts the one part that outlives the supervisor, before there
// is anything to sweep.
func (s *supervisor) launchSweeper() error {
	theirs, guard, err := os.Pipe()
	if err != nil {
		return err
	}
	defer theirs.Close()
	s.real.guard = guard
	_, err = s.launchWith(s.launcher, program{
		part:  nodeSweeper,
		args:  []string{s.real.config.Group, s.real.link.Name},
		files: []*os.File{theirs},
	})
	return err
}

// launchInit starts the first process of the machine and waits until it has
// made it.
func (s *supervisor) launchInit(ctx context.Context) error {
	ready, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	attributes := bound
	attributes.Cloneflags = machine.Namespaces
	p, err := s.launchWith(s.launcher, program{
		part:       nodeInit,
		args:       []string{nodeFolder},
		files:      []*os.File{theirs},
		attributes: attributes,
	})
	theirs.Close()
	if err != nil {
		return err
	}
	s.real.machine = machine.Machine(p.pid)
	waiting := context.AfterFunc(ctx, func() { _ = ready.SetReadDeadline(time.Now()) })
	defer waiting()
	said, err := io.ReadAll(ready)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	} else if err == nil && len(said) == 0 {
		err = errors.New("it ended")
	}
	if err != nil {
		return &partError{nodeInit, fmt.Errorf("%w, waiting for the machine of the node", err)}
	}
	return nil
}

// launchContainerd starts containerd and gives it the images that every node has.
func (s *supervisor) launchContainerd(ctx context.Context) error {
	r := s.real
	what := program{part: containerd, path: r.programs.Containerd, args: r.config.ContainerdArgs(), folder: machine.Folder}
	if _, err := s.launchWith(r.inside, what); err != nil {
		return err
	}
	listening := condition{containerd, "containerd to listen", func(ctx context.Context) error {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "unix", r.machine.Path(node.Socket))
		if err != nil {
			return err
		}
		return conn.Close()
	}}
	if err := await(ctx, listening); err != nil {
		return err
	}
	images, err := image.Shipped()
	if err != nil {
		return err
	}
	archive, err := image.Archive(images...)
	if err != nil {
		return err
	}
	if err := image.Load(ctx, r.programs, r.machine, archive); err != nil {
		return &partError{containerd, err}
	}
	return nil
}

// launchKubelet starts what makes a machine a node.
func (s *supervisor) launchKubelet() error {
	for _, what := range []program{
		{part: kubelet, args: s.real.config.KubeletArgs(), folder: machine.Folder},
		{part: kubeProxy, args: s.real.config.ProxyArgs(), folder: machine.Folder},
	} {
		if _, err := s.launchWith(s.real.inside, what); err != nil {
			return err
		}
	}
	return nil
}

// sweepPatience is more than the sweeper takes before it gives up.
const sweepPatience = 40 * time.Second

// sweep has what is left of a node removed, once all other parts have ended.
func (s *supervisor) sweep() {
	if s.real == nil || s.real.guard == nil {
		return
	}
	s.real.guard.Close()
	for _, p := range s.running(nodeSweeper) {
		select {
		case <-p.ended:
		case <-time.After(sweepPatience):
			p.signal(syscall.SIGKILL)
			<-p.ended
		}
		s.log.Info("swept", "how", p.how())
	}
}
