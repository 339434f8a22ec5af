package supervisor

import (
	"os"
	"strings"
	"time"

	node "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	heartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	pod "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

// stagesFile tells kwok how the objects it simulates get from one state to the
// next.
const stagesFile = "stages.yaml"

// leaseDuration is the kubelet's default. kwok renews the lease of each node
// four times in it.
const leaseDuration = 40 * time.Second

// writeStages writes kwok's own stages in which nodes become ready, pods run
// and jobs complete at once.
func writeStages() error {
	stages := []string{
		node.DefaultNodeInit,
		heartbeat.DefaultNodeHeartbeatWithLease,
		pod.DefaultPodReady,
		pod.DefaultPodComplete,
		pod.DefaultPodDelete,
	}
	return os.WriteFile(stagesFile, []byte(strings.Join(stages, "\n---\n")), 0o600)
}
