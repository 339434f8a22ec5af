package node

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestFiles(t *testing.T) {
	c := Config{Name: "a-node-1", Address: netip.MustParseAddr("10.201.3.6"), Group: "kubelab-0ac90306", Plugins: "/usr/lib/cni"}
	files, err := c.Files()
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]string{
		"containerd.toml":      {`sandbox_image = "registry.k8s.io/pause:3.10"`, `bin_dir = "/usr/lib/cni"`, `conf_dir = "/run/node/cni"`},
		"cni/kubelab.conflist": {`"subnet": "10.244.1.0/24"`},
		"kubelet.yaml":         {`cgroupRoot: "/kubelab-0ac90306"`, `healthzBindAddress: "10.201.3.6"`, `clientCAFile: "/run/node/pki/ca.crt"`},
		"kube-proxy.yaml":      {`hostnameOverride: "a-node-1"`, `healthzBindAddress: "10.201.3.6:10256"`, `kubeconfig: "/run/node/kubeconfig"`},
	} {
		content := string(files[file])
		for _, w := range want {
			if !strings.Contains(content, w) {
				t.Errorf("%s does not have %s:\n%s", file, w, content)
			}
		}
		var parsed any
		switch filepath.Ext(file) {
		case ".yaml":
			err = yaml.UnmarshalStrict(files[file], &parsed)
		case ".conflist":
			err = json.Unmarshal(files[file], &parsed)
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestWhatIsMissingIsNamedByPackage(t *testing.T) {
	all := map[string]bool{}
	for _, p := range packages {
		for _, program := range append(p.programs, p.plugins...) {
			all[program] = true
		}
	}
	for name, test := range map[string]struct {
		without []string
		want    string // the end of the error, empty for none
	}{
		"nothing is missing":       {nil, ""},
		"one program is missing":   {[]string{"runc"}, "apt-get install runc"},
		"a plugin is missing":      {[]string{"portmap"}, "apt-get install containernetworking-plugins"},
		"two packages are missing": {[]string{"ctr", "iptables-save", "iptables"}, "apt-get install containerd iptables"},
	} {
		folder := t.TempDir()
		for program := range all {
			write(t, filepath.Join(folder, program), 0o755)
		}
		for _, program := range test.without {
			write(t, filepath.Join(folder, program), 0o644) // a file, but no program
		}
		found, err := find([]string{"/nonexistent", folder}, []string{"/nonexistent", folder})
		switch {
		case test.want == "" && (err != nil || found.Plugins != folder || found.Ctr != filepath.Join(folder, "ctr")):
			t.Errorf("%s: %+v, %v", name, found, err)
		case test.want != "" && (err == nil || !strings.HasSuffix(err.Error(), test.want)):
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}

func write(t *testing.T, file string, mode os.FileMode) {
	t.Helper()
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, mode); err != nil {
		t.Fatal(err)
	}
}
