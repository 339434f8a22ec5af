package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

const collected = 100_000

// measureCollector measures the garbage collector, a process of its own, with many objects: how long it takes from its
// start until it has done what waited for it, and its memory.
func measureCollector(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "krake-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, err := startAPI(ctx, "api", dir, "--unsafe-no-fsync")
	if err != nil {
		return err
	}
	defer server.stop()
	c, err := client.New(client.Config{URL: "http://" + server.address, Transport: &http.Transport{MaxIdleConnsPerHost: 64}})
	if err != nil {
		return err
	}
	if err := createMany(ctx, c, collected); err != nil {
		return err
	}
	title(fmt.Sprintf("Garbage collection of %d applications of 4 KB", collected))
	header("what", "value")
	gone, err := doom(ctx, c)
	if err != nil {
		return err
	}
	p := &process{cmd: exec.CommandContext(ctx, "bin/krake", "gc", "--api-endpoint", "http://"+server.address, "--log-level", "error")}
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := time.Now()
	if err := p.cmd.Start(); err != nil {
		return err
	}
	defer p.stop()
	if err := gone(); err != nil {
		return err
	}
	row("from the start of the collector to its first work done", ms(time.Since(started)))
	row("its memory then", p.memory())
	time.Sleep(10 * time.Second) // garbage is given back
	row("its memory 10 s later", p.memory())
	if gone, err = doom(ctx, c); err != nil {
		return err
	}
	started = time.Now()
	if err := gone(); err != nil {
		return err
	}
	row("from a DELETE to the end of what depends on it", ms(time.Since(started)))
	row("memory of the API", server.memory())
	return nil
}

// doom creates a role that owns another one, and deletes the owner. The returned function waits until both are gone.
func doom(ctx context.Context, c *client.Client) (gone func() error, err error) {
	roles := client.Of[api.Role](c)
	for i, name := range []string{"owner", "dependent"} {
		role := api.New[api.Role]()
		role.Metadata.Name = name
		if i > 0 {
			role.Metadata.Owners = []api.ResourceRef{api.RoleKind.Ref("", "owner")}
		}
		if _, err := roles.Create(ctx, role); err != nil {
			return nil, err
		}
	}
	if _, err := roles.Delete(ctx, "", "owner", client.DeleteOptions{}); err != nil {
		return nil, err
	}
	return func() error {
		for started := time.Now(); time.Since(started) < 5*time.Minute; time.Sleep(time.Millisecond) {
			if _, err := roles.Get(ctx, "", "owner"); client.NotFound(err) {
				return nil
			} else if err != nil {
				return err
			}
		}
		return errors.New("the collector did not remove what depends on a deleted object")
	}, nil
}
