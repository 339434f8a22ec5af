package supervisor

import (
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

// stopOrder ends those first that need others: an API server without etcd may
// not end for minutes. Parts of one row do not need each other. With its first
// process all of a machine ends, containers too.
var stopOrder = [][]string{
	{kwok, scheduler, controllerManager, kubelet, kubeProxy}, {apiServer}, {etcd, containerd}, {nodeInit},
}

// stopPatience is how long a part gets to end by itself.
const stopPatience = 5 * time.Second

// end ends all parts the way the request wants, and lets those who asked know.
func (s *supervisor) end(request cluster.Request) {
	defer close(s.finished)
	defer s.sweep()
	if request == cluster.Kill {
		s.kill()
		return
	}
	for _, row := range stopOrder {
		var ending sync.WaitGroup
		for _, p := range s.running(row...) {
			ending.Go(func() {
				since := time.Now()
				p.end(stopPatience)
				s.log.Info("ended", "part", p.name, "how", p.how(), "took", time.Since(since).Round(time.Millisecond))
			})
		}
		ending.Wait()
	}
}

// kill ends all parts at once.
func (s *supervisor) kill() {
	all := s.running(slices.Concat(stopOrder...)...)
	for _, p := range all {
		p.signal(syscall.SIGKILL)
	}
	for _, p := range all {
		<-p.ended
	}
}

// running returns those of the named parts that were started.
func (s *supervisor) running(names ...string) []*process {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var found []*process
	for _, p := range s.parts {
		if slices.Contains(names, p.name) {
			found = append(found, p)
		}
	}
	return found
}
