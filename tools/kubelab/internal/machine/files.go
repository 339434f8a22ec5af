package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Folder is where the node's own folder is inside the machine. Its path is
// short, as the names of unix sockets have to be.
const Folder = "/run/node"

// persistent are the folders of the machine that keep what is in them when it
// is stopped, by the name that they have in the node's folder.
var persistent = map[string]string{"lib": "/var/lib", "log": "/var/log"}

// settings of the kernel that the kubelet insists on and would change for the
// whole host. Inside the machine they seem to have these values.
var settings = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

// arrange makes the machine's view of the files: that of the host, but for the
// folders in which programs leave things.
func arrange(folder string) error {
	if err := mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	// The working folder keeps showing what is hidden from here on, so folder
	// may lie in /run itself.
	if err := mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	if err := bind(folder, Folder); err != nil {
		return err
	}
	for name, at := range persistent {
		inside := filepath.Join(Folder, name)
		if err := os.MkdirAll(inside, 0o755); err != nil {
			return err
		}
		if err := bind(inside, at); err != nil {
			return err
		}
	}
	if err := pretend(settings); err != nil {
		return err
	}
	// Pods get their addresses behind the node's, so the node is a router.
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return err
	}
	// As on any machine: the kubelet and containerd hand mounts on to each other.
	return mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, "")
}

// pretend lays files over the kernel's settings.
func pretend(settings map[string]string) error {
	for name, value := range settings {
		setting := filepath.Join("/proc/sys", name)
		if _, err := os.Stat(setting); os.IsNotExist(err) {
			continue // not in every kernel
		}
		file := filepath.Join("/run/settings", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := mount(file, setting, "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// bind shows a folder at another place.
func bind(folder, at string) error {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	return mount(folder, at, "", syscall.MS_BIND, "")
}

func mount(what, at, kind string, flags uintptr, options string) error {
	if err := syscall.Mount(what, at, kind, flags, options); err != nil {
		return fmt.Errorf("mounting %q at %s: %w", what, at, err)
	}
	return nil
}
