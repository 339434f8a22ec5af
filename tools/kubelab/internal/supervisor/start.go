package supervisor

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

// etcdSocket is etcd's client URL. etcd takes what follows unix:// as a path
// relative to the working folder.
const etcdSocket = "unix://etcd.sock"

// start brings the cluster up, and returns when it can be used. It fails when
// that takes longer than timeout or when a part ends meanwhile; the parts that
// run then are left for the caller to end.
func (s *supervisor) start(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not ready within %v", timeout))
	defer cancel()

	if err := s.prepare(ctx); err != nil {
		return err
	}
	config, err := restConfig(s.cluster)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	look, err := newObserver(config, client, s.spec)
	if err != nil {
		return err
	}

	if err := s.launch(etcd, apiServer); err != nil {
		return err
	}
	if s.real != nil {
		if err := s.launchContainerd(ctx); err != nil {
			return err
		}
	}
	nodes := condition{apiServer, "the nodes to be created", func(ctx context.Context) error {
		return s.prepareNodes(ctx, client)
	}}
	if err := await(ctx, look.apiServer(), nodes); err != nil {
		return err
	}
	// Started earlier, these would only fail and wait longer at each try.
	if err := s.launch(controllerManager, scheduler); err != nil {
		return err
	}
	var ready []condition
	if s.real != nil {
		err, ready = s.launchKubelet(), look.real(s.real.config)
	} else {
		err, ready = s.launch(kwok), look.simulated()
	}
	if err != nil {
		return err
	}
	if err := await(ctx, append(look.rest(), ready...)...); err != nil {
		return err
	}
	return s.becomeRunning()
}

// prepare makes what the parts need: addresses, certificates, files, and a
// machine for a real node.
func (s *supervisor) prepare(ctx context.Context) error {
	spec, err := s.cluster.ReadSpec()
	if err != nil {
		return err
	}
	reserve := reserveLocal
	if spec.RealNode {
		reserve = reserveSubnet
	}
	if s.reserved, err = reserve(&spec); err != nil {
		return err
	}
	if err := s.setSpec(spec); err != nil {
		return err
	}
	if err := ensurePKI(s.cluster.Name, spec.Token, spec.Address); err != nil {
		return err
	}
	if err := writeKubeconfig(s.cluster, spec); err != nil {
		return err
	}
	if spec.RealNode {
		return s.makeMachine(ctx)
	}
	return writeStages()
}

// reserveLocal chooses where the parts of a cluster of simulated nodes listen.
func reserveLocal(spec *cluster.Spec) (held []reservation, err error) {
	spec.Address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	spec.Ports, held, err = reservePorts(spec.Ports)
	return held, err
}

// prepareNodes gives a new cluster its simulated nodes, once: a node that a test
// deletes does not come back with the next start. A real node registers itself.
// In a cluster that starts again it takes the nodes from the kwok or the kubelet
// of the earlier life, for whose leases the new one would wait until they expire.
func (s *supervisor) prepareNodes(ctx context.Context, client kubernetes.Interface) error {
	if s.spec.HasNodes || s.spec.RealNode {
		return releaseNodes(ctx, client)
	}
	if err := createNodes(ctx, client, s.cluster.Name, s.spec.Nodes); err != nil {
		return err
	}
	spec := s.spec
	spec.HasNodes = true
	return s.setSpec(spec)
}

func (s *supervisor) setSpec(spec cluster.Spec) error {
	s.mutex.Lock()
	s.spec = spec
	s.mutex.Unlock()
	return s.cluster.WriteSpec(spec)
}

func (s *supervisor) launch(parts ...string) error {
	for _, part := range parts {
		what := program{part: part, args: partArgs(part, s.cluster, s.spec), attributes: bound}
		if _, err := s.launchWith(s.launcher, what); err != nil {
			return err
		}
	}
	return nil
}

func (s *supervisor) launchWith(l *launcher, what program) (*process, error) {
	p, err := l.launch(s.cluster, what, s.partEnded)
	if err != nil {
		return nil, err
	}
	s.log.Info("started", "part", what.part, "pid", p.pid)
	s.mutex.Lock()
	s.parts = append(s.parts, p)
	s.mutex.Unlock()
	return p, nil
}

// partEnded ends a start that cannot succeed any more, and marks a running
// cluster as degraded. Parts are not restarted: a cluster in which something
// died should look like it.
func (s *supervisor) partEnded(p *process) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	switch s.state {
	case cluster.Starting:
		s.abort(&partError{p.name, fmt.Errorf("%s ended: %s", p.name, p.how())})
	case cluster.Running:
		s.state = cluster.Degraded
		fallthrough
	case cluster.Degraded:
		s.log.Error("ended by itself", "part", p.name, "how", p.how())
	}
}

// becomeRunning ends the start, unless a part ended at the last moment.
func (s *supervisor) becomeRunning() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, p := range s.parts {
		if how := p.how(); how != "" {
			return &partError{p.name, fmt.Errorf("%s ended: %s", p.name, how)}
		}
	}
	if s.state == cluster.Starting {
		s.state = cluster.Running
	}
	return nil
}
