package cluster

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// answer plays a supervisor that answers one request with status.
func answer(t *testing.T, c Cluster, status Status) <-chan Request {
	t.Helper()
	t.Chdir(c.Home()) // as the supervisor does
	listener, err := net.Listen("unix", Socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	asked := make(chan Request, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var request Request
		if err := json.NewDecoder(conn).Decode(&request); err != nil {
			t.Error(err)
		}
		asked <- request
		if err := json.NewEncoder(conn).Encode(status); err != nil {
			t.Error(err)
		}
	}()
	return asked
}

func TestAskReachesSocketsInDeepFolders(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("d", 100), strings.Repeat("e", 100))
	c := newCluster(t, deep, "a")
	create(t, c)
	want := Status{Name: "a", State: Running, Server: "https://127.0.0.1:1", Nodes: 2, Pid: 3,
		Parts: []Process{{Name: "etcd", Pid: 4, Ended: "exit status 1"}}}
	asked := answer(t, c, want)

	got, err := c.Ask(t.Context(), Report)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if request := <-asked; request != Report {
		t.Errorf("asked for %q", request)
	}
}

func TestStatusWithoutSupervisor(t *testing.T) {
	c := newCluster(t, t.TempDir(), "a")
	create(t, c)
	expect := func(want State) {
		t.Helper()
		if status, err := c.Status(t.Context()); err != nil || status.State != want {
			t.Errorf("status is %+v, %v; should be %s", status, err, want)
		}
	}
	expect(Stopped)

	alive, err := c.LockAlive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expect(Starting) // somebody lives, but does not listen yet

	leaveSocket(t, c)
	expect(Stopping) // somebody lives, but does not listen any more
	alive.Close()
	expect(Dead)
	if _, err := c.Ask(t.Context(), Report); !isAbsent(err) {
		t.Errorf("Ask without a supervisor: %v", err)
	}
}

// leaveSocket leaves the socket of a supervisor that was killed.
func leaveSocket(t *testing.T, c Cluster) {
	t.Helper()
	t.Chdir(c.Home())
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: Socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	listener.Close()
	if _, err := os.Lstat(filepath.Join(c.Home(), Socket)); errors.Is(err, fs.ErrNotExist) {
		t.Fatal("the socket is gone")
	}
}
