package command

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// inside are the modules whose versions matter to users, by the name to print.
var inside = []struct{ name, module string }{
	{"Kubernetes", "k8s.io/kubernetes"},
	{"etcd", "go.etcd.io/etcd/server/v3"},
	{"kwok", "sigs.k8s.io/kwok"},
}

// version tells what was linked in, from the record that Go keeps of it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown\n"
	}
	versions := map[string]string{}
	for _, module := range info.Deps {
		versions[module.Path] = module.Version
	}
	var lines strings.Builder
	for _, part := range inside {
		fmt.Fprintf(&lines, "%s %s\n", part.name, versions[part.module])
	}
	return lines.String()
}
