package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/image"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/machine"
	"github.com/rak-n-rok/krake/tools/kubelab/internal/node"
)

// takeImage reads an argument NAME=BINARY.
func takeImage(in *invocation, argument string) error {
	name, file, ok := strings.Cut(argument, "=")
	if !ok || name == "" || file == "" {
		return fmt.Errorf("%q is not NAME=BINARY", argument)
	}
	binary, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := image.CheckStatic(bytes.NewReader(binary)); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	in.images = append(in.images, image.Image{Names: []string{name}, Binary: binary})
	return nil
}

// loadImages gives images to the real nodes of all clusters of the folder that
// run.
func loadImages(ctx context.Context, in invocation) []error {
	if len(in.images) == 0 {
		return []error{errors.New("image: name an image and its program: NAME=BINARY")}
	}
	programs, err := node.Find()
	if err != nil {
		return []error{fmt.Errorf("image: %w", err)}
	}
	archive, err := image.Archive(in.images...)
	if err != nil {
		return []error{fmt.Errorf("image: %w", err)}
	}
	clusters, err := cluster.List(in.dir)
	if err != nil {
		return []error{err}
	}
	machines := make([]machine.Machine, len(clusters))
	failures := each(clusters, func(i int, c cluster.Cluster) (err error) {
		machines[i], err = machineOf(ctx, c)
		return err
	})
	var with []cluster.Cluster
	for i, c := range clusters {
		if machines[i] != 0 {
			with, machines[len(with)] = append(with, c), machines[i]
		}
	}
	if len(with) == 0 && len(failures) == 0 {
		return []error{fmt.Errorf("image: no cluster in %s has a real node that runs; up --real-node makes one", in.dir)}
	}
	return append(failures, each(with, func(i int, c cluster.Cluster) error {
		if err := image.Load(ctx, programs, machines[i], archive); err != nil {
			return err
		}
		for _, loaded := range in.images {
			say(in.out, c, "has %s", loaded.Names[0])
		}
		return nil
	})...)
}

// machineOf returns the machine of a cluster's real node, 0 if none runs.
func machineOf(ctx context.Context, c cluster.Cluster) (machine.Machine, error) {
	now, err := look(ctx, c)
	if err != nil || !now.Real {
		return 0, err
	}
	for _, part := range now.Parts {
		if part.Name == machine.Part && part.Ended == "" {
			return machine.Machine(part.Pid), nil
		}
	}
	return 0, nil
}
