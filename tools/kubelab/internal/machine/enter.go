package machine

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A Machine is known by the process id, on the host, of its first process.
type Machine int

// Path is where the host finds a file of the machine.
func (m Machine) Path(file string) string { return fmt.Sprintf("/proc/%d/root%s", m, file) }

// EnterNetwork moves the calling thread, and what it starts from then on, into
// the machine's network.
func (m Machine) EnterNetwork() error {
	network, err := m.open("net")
	if err != nil {
		return err
	}
	defer network.Close()
	return os.NewSyscallError("setns", unix.Setns(int(network.Fd()), unix.CLONE_NEWNET))
}

// Enter moves the calling thread into the machine, and makes it start processes
// there. It must be locked to its goroutine, which must not end before the
// program does.
func (m Machine) Enter() error {
	network, err1 := m.open("net")
	processes, err2 := m.open("pid")
	files, err3 := m.open("mnt")
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	defer network.Close()
	defer processes.Close()
	defer files.Close()
	// Threads share their working folder, which is one of the host's.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	for _, n := range []struct {
		file *os.File
		kind int
	}{{network, unix.CLONE_NEWNET}, {processes, unix.CLONE_NEWPID}, {files, unix.CLONE_NEWNS}} {
		if err := unix.Setns(int(n.file.Fd()), n.kind); err != nil {
			return os.NewSyscallError("setns", err)
		}
	}
	return nil
}

func (m Machine) open(namespace string) (*os.File, error) {
	return os.Open(fmt.Sprintf("/proc/%d/ns/%s", m, namespace))
}
