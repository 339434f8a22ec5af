//go:build chaos

package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/rak-n-rok/krake/internal/server"
	"github.com/rak-n-rok/krake/internal/store"
)

// patience is how long anything may take on a machine that is busy with other things.
const patience = time.Minute

// The roles of this binary beside that of the test, by these variables; their values are configurations in JSON.
const (
	asMember = "KRAKE_CHAOS_MEMBER"
	asServer = "KRAKE_CHAOS_SERVER"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asMember) != "":
		end(beMember(os.Getenv(asMember)))
	case os.Getenv(asServer) != "":
		end(beServer(os.Getenv(asServer)))
	case os.Getenv(enclosed) == "" && os.Geteuid() == 0:
		os.Exit(enclose())
	}
	os.Exit(m.Run())
}

// enclosed is set in the process that runs the tests, in namespaces of its own for network, mounts and processes.
const enclosed = "KRAKE_CHAOS_ENCLOSED"

// enclose runs this binary again in namespaces of its own.
func enclose() int {
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), enclosed+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "namespaces for the tests:", err)
	return 1
}

// needRoot skips a test where no namespaces can be made.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Getenv(enclosed) != "" {
		return
	}
	const how = "network namespaces need root: run make test-chaos as root"
	if os.Getenv("CI") != "" {
		t.Fatal(how)
	}
	t.Skip(how)
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A member is one of the etcd cluster.
type member struct{ Name, Dir, Peer, Client, Cluster string }

func beMember(text string) error {
	var m member
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return err
	}
	cfg := embed.NewConfig()
	cfg.Name, cfg.Dir, cfg.LogLevel = m.Name, m.Dir, "error"
	peer, client := url.URL{Scheme: "http", Host: m.Peer}, url.URL{Scheme: "http", Host: m.Client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.InitialCluster, cfg.MaxRequestBytes = m.Cluster, 12<<20
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return err
	}
	return <-e.Err()
}

// An apiServer is a Krake without controllers.
type apiServer struct {
	Listen    string
	Endpoints []string
}

func beServer(text string) error {
	var s apiServer
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	for { // as whoever looks after processes does
		err := server.Run(ctx, server.Config{Listen: s.Listen, Insecure: true, Etcd: store.Etcd{Endpoints: s.Endpoints}, Log: log}, nil)
		if ctx.Err() != nil {
			return err
		}
		log.Warn("starting again", "error", err)
		time.Sleep(100 * time.Millisecond)
	}
}

// A process is one that can be killed, stopped and continued, on a node that can be cut off.
type process struct {
	*node
	t      *testing.T
	env    string
	log    *os.File
	cmd    *exec.Cmd
	exited chan struct{}
}

func newProcess(t *testing.T, n *node, role string, config any) *process {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &process{node: n, t: t, env: role + "=" + string(text), log: log}
	p.start()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			said, _ := os.ReadFile(log.Name())
			t.Logf("%s said:\n%s", n.name, said[max(0, len(said)-3000):])
		}
		_ = log.Close()
	})
	return p
}

func (p *process) start() {
	cmd := exec.Command("ip", "netns", "exec", p.name, os.Args[0]) // which becomes this binary
	cmd.Env = append(os.Environ(), p.env)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		p.t.Errorf("%s: %v", p.name, err)
		return
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	p.cmd, p.exited = cmd, exited
}

// kill ends the process without a word, and waits for the end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// world is three members and three servers.
type world struct {
	members, servers []*process
	urls             []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	memberNodes, serverNodes := network(t)
	var cluster, endpoints []string
	for _, n := range memberNodes {
		cluster = append(cluster, n.name+"=http://"+n.address+":2380")
		endpoints = append(endpoints, "http://"+n.address+":2379")
	}
	w := &world{}
	for _, n := range memberNodes {
		w.members = append(w.members, newProcess(t, n, asMember, member{
			Name: n.name, Dir: filepath.Join(t.TempDir(), "data"), Peer: n.address + ":2380", Client: n.address + ":2379", Cluster: strings.Join(cluster, ","),
		}))
	}
	for i, n := range serverNodes {
		own := turned(endpoints, i) // each begins with another member
		w.servers = append(w.servers, newProcess(t, n, asServer, apiServer{Listen: n.address + ":8080", Endpoints: own}))
		w.urls = append(w.urls, "http://"+n.address+":8080")
	}
	for _, u := range w.urls {
		for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			resp, err := http.Get(u + "/readyz")
			if err == nil {
				_ = resp.Body.Close()
			}
			if err == nil && resp.StatusCode == http.StatusOK {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s does not become ready", u)
			}
		}
	}
	return w
}
