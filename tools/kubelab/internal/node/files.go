package node

import (
	"bytes"
	"embed"
	"fmt"
	"net/netip"
	"path/filepath"
	"text/template"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/machine"
)

// The ports of a node's programs. Each machine has a network of its own, so
// they need not differ.
const (
	kubeletHealthPort = 10248
	proxyHealthPort   = 10256
)

// The networks of a node. They exist inside of its machine only.
var (
	PodRange     = netip.MustParsePrefix("10.244.1.0/24")
	ServiceRange = netip.MustParsePrefix("10.96.0.0/16")
)

// dnsAddress is where pods look up names, although nothing answers there:
// without any, each pod gets a warning.
var dnsAddress = netip.MustParseAddr("10.96.0.10")

// Socket is where containerd listens.
const Socket = "/run/containerd/containerd.sock"

// PauseImage is the image of the container that holds the namespaces of a pod.
const PauseImage = "registry.k8s.io/pause:3.10"

// A Config is what the configuration of one node depends on.
type Config struct {
	Name        string // of the node
	Address     netip.Addr
	Group       string // the control group above those of the pods
	Plugins     string // the folder of the network plugins
	Kubeconfig  []byte
	CA          []byte // of the API server, whose requests the kubelet answers
	ServingCert []byte // for the kubelet
	ServingKey  []byte
}

// values are what the templates may name.
type values struct {
	Config
	Folder, Socket, Pause              string
	PodRange                           netip.Prefix
	DNSAddress                         netip.Addr
	KubeletHealthPort, ProxyHealthPort int
}

//go:embed files
var files embed.FS

var templates = template.Must(template.ParseFS(files, "files/*"))

// Files returns the content of each file, by its name in the node's folder.
func (c Config) Files() (map[string][]byte, error) {
	made := map[string][]byte{
		"kubeconfig":      c.Kubeconfig,
		"pki/ca.crt":      c.CA,
		"pki/kubelet.crt": c.ServingCert,
		"pki/kubelet.key": c.ServingKey,
	}
	values := values{
		Config: c, Folder: machine.Folder, Socket: Socket, Pause: PauseImage, PodRange: PodRange, DNSAddress: dnsAddress,
		KubeletHealthPort: kubeletHealthPort, ProxyHealthPort: proxyHealthPort,
	}
	for _, t := range []struct{ file, template string }{
		{"containerd.toml", "containerd.toml"},
		{"cni/kubelab.conflist", "kubelab.conflist"},
		{"kubelet.yaml", "kubelet.yaml"},
		{"kube-proxy.yaml", "kube-proxy.yaml"},
	} {
		var content bytes.Buffer
		if err := templates.ExecuteTemplate(&content, t.template, values); err != nil {
			return nil, fmt.Errorf("writing %s: %w", t.file, err)
		}
		made[t.file] = content.Bytes()
	}
	return made, nil
}

// inside is the path of a file of the node's folder.
func inside(file string) string { return filepath.Join(machine.Folder, file) }

// ContainerdArgs are the arguments of containerd.
func (c Config) ContainerdArgs() []string { return []string{"--config", inside("containerd.toml")} }

// KubeletArgs are the arguments of the kubelet.
func (c Config) KubeletArgs() []string {
	return []string{
		"--config=" + inside("kubelet.yaml"),
		"--kubeconfig=" + inside("kubeconfig"),
		"--hostname-override=" + c.Name,
		"--node-ip=" + c.Address.String(),
	}
}

// ProxyArgs are the arguments of kube-proxy.
func (c Config) ProxyArgs() []string {
	return []string{"--config=" + inside("kube-proxy.yaml")}
}

// KubeletHealth is where the kubelet tells how it is.
func (c Config) KubeletHealth() string {
	return fmt.Sprintf("http://%s/healthz", netip.AddrPortFrom(c.Address, kubeletHealthPort))
}

// ProxyHealth is where kube-proxy tells whether its rules are those that the API
// server wants.
func (c Config) ProxyHealth() string {
	return fmt.Sprintf("http://%s/healthz", netip.AddrPortFrom(c.Address, proxyHealthPort))
}
