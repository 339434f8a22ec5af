package command

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

func TestNamesAndFlagsComeInAnyOrder(t *testing.T) {
	in, err := parse(subcommands["up"], []string{"a", "--nodes", "3", "b", "--dir=clusters", "--timeout=5s"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range in.clusters {
		names = append(names, c.Name)
		if !filepath.IsAbs(c.Dir) || filepath.Base(c.Dir) != "clusters" {
			t.Errorf("the folder of %s is %s", c.Name, c.Dir)
		}
	}
	if !reflect.DeepEqual(names, []string{"a", "b"}) || in.nodes != 3 || !in.nodesSet || in.timeout != 5*time.Second {
		t.Errorf("got %+v", in)
	}
}

func TestBadCommandLines(t *testing.T) {
	for line, want := range map[string]string{
		"fly a --dir d":            `there is no command "fly"; kubelab --help lists them`,
		"up --dir d":               "up: name a cluster",
		"up a":                     "up: --dir is missing: the folder of the clusters",
		"up a b a --dir d":         `up: "a" is named twice`,
		"up Krake --dir d":         `up: "Krake" cannot be the name of a cluster`,
		"up a --dir d --nodes 0":   "up: --nodes 0 is not from 1 to 100",
		"up a --dir d --nodes 101": "up: --nodes 101 is not from 1 to 100",
		"up a --dir d --nodes two": "up: invalid argument",
		"up a --dir d --timeout 0": "up: --timeout 0s is not above 0",
		"stop --dir d":             "stop: name a cluster",
		"stop a --dir d --nodes 1": "stop: unknown flag: --nodes",
		"stop a --dir d":           "a: no such cluster in ",
		"start a --dir d":          "a: no such cluster in ",
		"down a --dir d":           "a: no such cluster in ",
		"status a --dir d":         "a: no such cluster in ",

		"up a --dir d --real-node --nodes 1": "up: --nodes is for simulated nodes; with --real-node there is one",
		"image --dir d":                      "image: name an image and its program: NAME=BINARY",
		"image web --dir d":                  `image: "web" is not NAME=BINARY`,
		"image =file --dir d":                `image: "=file" is not NAME=BINARY`,
		"image web=missing --dir d":          "image: open missing: no such file or directory",
		"image web=/etc/passwd --dir d":      "image: /etc/passwd: it is not a program for Linux",
	} {
		t.Run(line, func(t *testing.T) {
			t.Chdir(t.TempDir())
			args := strings.Fields(line)
			failures := runSubcommand(t.Context(), args[0], args[1:])
			if len(failures) != 1 || !strings.Contains(failures[0].Error(), want) {
				t.Errorf("got %v, want %s", failures, want)
			}
			if entries, _ := os.ReadDir("."); len(entries) != 0 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

func TestErrorsAreOneLineAndTheLogFollows(t *testing.T) {
	var out bytes.Buffer
	printError(&out, errors.Join(errors.New("one"), errors.New("two")))
	printError(&out, fmt.Errorf("a: %w", &startFailure{errors.New("etcd ended"), "etcd", []string{"x", "y"}}))
	want := `kubelab: one; two
kubelab: a: etcd ended
the last lines of the log of etcd:
  x
  y
`
	if out.String() != want {
		t.Errorf("printed %s", out.String())
	}
}

func TestLogTailIsTheEnd(t *testing.T) {
	c, err := cluster.New(t.TempDir(), "a")
	if err != nil {
		t.Fatal(err)
	}
	log, err := c.OpenLog("etcd")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for i := range 100 {
		fmt.Fprintln(log, i)
	}
	if tail := logTail(c, "etcd"); len(tail) != tailLines || tail[tailLines-1] != "99" {
		t.Errorf("got %q", tail)
	}
	if tail := logTail(c, "kwok"); tail != nil {
		t.Errorf("a missing log has the tail %q", tail)
	}
}

func TestStatusTable(t *testing.T) {
	var out bytes.Buffer
	err := show(invocation{out: &out}, []cluster.Status{
		{Name: "a", State: cluster.Stopped, Nodes: 2, Server: "https://127.0.0.1:20001"},
		{Name: "long-name", State: cluster.Degraded, Nodes: 10, Server: "https://127.0.0.1:20002", Pid: 7,
			Parts: []cluster.Process{{Name: "etcd", Pid: 8}, {Name: "kwok", Pid: 9, Ended: "signal: killed"}}},
		{Name: "r", State: cluster.Stopped, Nodes: 1, Real: true, Server: "https://10.201.0.2:6443"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `NAME       STATE     NODES   SERVER                   PIDS
a          stopped   2       https://127.0.0.1:20001  -
long-name  degraded  10      https://127.0.0.1:20002  supervisor=7 etcd=8 kwok(signal: killed)
r          stopped   1 real  https://10.201.0.2:6443  -
`
	if out.String() != want {
		t.Errorf("printed\n%s", out.String())
	}
}

func TestStatusOfNothingIsAnEmptyList(t *testing.T) {
	var out bytes.Buffer
	in := invocation{dir: filepath.Join(t.TempDir(), "missing"), json: true, out: &out}
	if failures := status(t.Context(), in); len(failures) != 0 || out.String() != "[]\n" {
		t.Errorf("printed %q, %v", out.String(), failures)
	}
}
