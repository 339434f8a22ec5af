//go:build node

package node

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/internal/kubelabtest"
	"github.com/rak-n-rok/krake/internal/witness"
)

// TestWalkThrough is what the README shows, with an answer of the application at each station.
func TestWalkThrough(t *testing.T) {
	k := newKrake(t)
	berlin, bratislava := nodeAddress(t, "berlin"), nodeAddress(t, "bratislava")

	k.rok("kube", "app", "create", "-f", "examples/echo-demo.yaml", "-L", "location is DE", "echo-demo")
	first := k.awaitRunning("echo-demo", "berlin")
	if host, _, _ := net.SplitHostPort(first); host != berlin {
		t.Errorf("on berlin the service is at %s, not on %s", first, berlin)
	}
	if table := k.rok("kube", "app", "get", "echo-demo"); !strings.Contains(table, first) {
		t.Errorf("rok does not show %s:\n%s", first, table)
	}
	answer := k.curl(first)
	t.Logf("curl http://%s%s", first, answer)
	for _, want := range []string{"\nHostname: echo-demo-", "\tclient_address=", "\tmethod=GET\n", "\trequest_uri=http://" + first + "/\n", "\thost=" + first + "\n"} {
		if !strings.Contains(answer, want) {
			t.Errorf("the answer lacks %q", want)
		}
	}

	k.rok("kube", "app", "update", "-L", "location is SK", "echo-demo")
	second := k.awaitRunning("echo-demo", "bratislava")
	if host, _, _ := net.SplitHostPort(second); host != bratislava {
		t.Errorf("on bratislava the service is at %s, not on %s", second, bratislava)
	}
	before, _ := witness.EchoHost(answer)
	after, _ := witness.EchoHost(k.curl(second))
	if before == after {
		t.Errorf("%s answers on both clusters", after)
	}
	k.awaitSilence(first)

	// The other version of the image, and two copies of it.
	k.rok("kube", "app", "update", "-f", "examples/echo-demo-update.yaml", "echo-demo")
	answered := map[string]bool{}
	k.await("answers of both new copies", func() error {
		host, _ := witness.EchoHost(k.curl(second))
		if answered[host] = true; len(answered) < 2 || len(answered) == 2 && answered[after] {
			return fmt.Errorf("so far %v have answered", answered)
		}
		return nil
	})

	k.remove("echo-demo")
	k.awaitSilence(second)
}

// nodeAddress is where a cluster's only node is, by its kubeconfig.
func nodeAddress(t *testing.T, cluster string) string {
	t.Helper()
	content, err := os.ReadFile(kubelabtest.RealClusters(t, cluster)[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Clusters []struct{ Cluster struct{ Server string } }
	}
	if err := yaml.Unmarshal(content, &config); err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(config.Clusters[0].Cluster.Server)
	if err != nil {
		t.Fatal(err)
	}
	return server.Hostname()
}

// awaitSilence waits until nobody listens at an address any more.
func (k *krake) awaitSilence(address string) {
	k.Helper()
	k.await("nobody being at "+address, func() error {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return nil
		}
		_ = conn.Close()
		return fmt.Errorf("somebody is")
	})
}
