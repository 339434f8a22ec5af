package image

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/machine"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/node"
)

// loadTimeout bounds loading an archive into one node.
const loadTimeout = time.Minute

// Load loads an archive into the containerd of a machine, from the host.
func Load(ctx context.Context, programs node.Programs, m machine.Machine, archive []byte) error {
	ctx, cancel := context.WithTimeoutCause(ctx, loadTimeout, fmt.Errorf("not finished after %v", loadTimeout))
	defer cancel()
	// Images of the kubelet are in the namespace k8s.io, and have to be unpacked
	// for the way in which containerd is configured to keep files.
	command := exec.CommandContext(ctx, programs.Ctr, "--address", m.Path(node.Socket), "--namespace", "k8s.io",
		"images", "import", "--snapshotter", "native", "-")
	command.Stdin = bytes.NewReader(archive)
	output, err := command.CombinedOutput()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w, waiting for containerd to take images", cause)
	}
	return fmt.Errorf("containerd does not take the images: %w: %s", err, bytes.TrimSpace(output))
}
