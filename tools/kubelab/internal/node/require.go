package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Programs are where the programs of a real node are.
type Programs struct {
	Containerd string
	Ctr        string // containerd's client
	Plugins    string // the folder of the network plugins
}

// searchPath is where programs are looked for besides PATH: users who become
// root often keep the PATH of before.
const searchPath = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

// pluginFolders are where distributions have the network plugins, Debian first.
var pluginFolders = []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}

// packages are those that a real node needs from Debian, with the programs that
// it uses of them.
var packages = []struct {
	name     string
	programs []string
	plugins  []string
}{
	{"containerd", []string{"containerd", "containerd-shim-runc-v2", "ctr"}, nil},
	{"runc", []string{"runc"}, nil},
	{"iptables", []string{"iptables", "iptables-save", "iptables-restore", "ip6tables"}, nil},
	{"containernetworking-plugins", nil, []string{"bridge", "host-local", "loopback", "portmap"}},
}

// Path is the PATH for programs of a node.
func Path() string { return os.Getenv("PATH") + ":" + searchPath }

// Find looks for what a real node needs. Its error names what is missing, in
// the words of Debian's packages.
func Find() (Programs, error) {
	if os.Geteuid() != 0 {
		return Programs{}, errors.New("a real node needs root: it makes namespaces and runs containers; clusters without --real-node do not")
	}
	return find(filepath.SplitList(Path()), pluginFolders)
}

func find(path, pluginFolders []string) (Programs, error) {
	plugins := folderWith(pluginFolders, packages[len(packages)-1].plugins)
	var missing []string
	for _, p := range packages {
		found := len(p.plugins) == 0 || plugins != ""
		for _, program := range p.programs {
			found = found && locate(path, program) != ""
		}
		if !found {
			missing = append(missing, p.name)
		}
	}
	if len(missing) > 0 {
		return Programs{}, fmt.Errorf("a real node needs programs that are not installed; Debian has them: apt-get install %s", strings.Join(missing, " "))
	}
	return Programs{Containerd: locate(path, "containerd"), Ctr: locate(path, "ctr"), Plugins: plugins}, nil
}

// folderWith returns the first folder that has all of the files.
func folderWith(folders, files []string) string {
	for _, folder := range folders {
		lacks := func(file string) bool { return locate([]string{folder}, file) == "" }
		if !slices.ContainsFunc(files, lacks) {
			return folder
		}
	}
	return ""
}

// locate returns the path of a program, empty if there is none.
func locate(path []string, program string) string {
	for _, folder := range path {
		file := filepath.Join(folder, program)
		info, err := os.Stat(file)
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file
		}
	}
	return ""
}
