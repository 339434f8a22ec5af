package supervisor

import (
	"context"
	"fmt"
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

	if err := s.prepare(); err != nil {
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
	look, err := newObserver(config, client, s.spec.Ports)
	if err != nil {
		return err
	}

	if err := s.launch(etcd, apiServer); err != nil {
		return err
	}
	nodes := condition{apiServer, "the nodes to be created", func(ctx context.Context) error {
		return s.prepareNodes(ctx, client)
	}}
	if err := await(ctx, look.apiServer(), nodes); err != nil {
		return err
	}
	// Started earlier, these would only fail and wait longer at each try.
	if err := s.launch(controllerManager, scheduler, kwok); err != nil {
		return err
	}
	if err := await(ctx, look.rest()...); err != nil {
		return err
	}
	return s.becomeRunning()
}

// prepare makes what the parts need: ports, certificates, files.
func (s *supervisor) prepare() error {
	spec, err := s.cluster.ReadSpec()
	if err != nil {
		return err
	}
	spec.Ports, s.reserved, err = reservePorts(spec.Ports)
	if err != nil {
		return err
	}
	if err := s.setSpec(spec); err != nil {
		return err
	}
	if err := ensurePKI(s.cluster.Name, spec.Token); err != nil {
		return err
	}
	if err := writeKubeconfig(s.cluster, spec); err != nil {
		return err
	}
	return writeStages()
}

// prepareNodes gives a new cluster its nodes, once: a node that a test deletes
// does not come back with the next start. In a cluster that starts again it
// takes the nodes from the kwok of the earlier life, for whose leases the new one
// would wait until they expire.
func (s *supervisor) prepareNodes(ctx context.Context, client kubernetes.Interface) error {
	if s.spec.HasNodes {
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
		p, err := s.launcher.launch(s.cluster, part, partArgs(part, s.cluster, s.spec.Ports), s.partEnded)
		if err != nil {
			return err
		}
		s.log.Info("started", "part", part, "pid", p.pid)
		s.mutex.Lock()
		s.parts = append(s.parts, p)
		s.mutex.Unlock()
	}
	return nil
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
