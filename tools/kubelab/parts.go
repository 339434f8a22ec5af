package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	_ "time/tzdata" // time zones of CronJobs

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // version metric
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/machine"
)

// parts are the programs of Kubernetes that this binary contains, by the name
// of their own binary. A process runs exactly one of them: feature gates,
// metrics and logging are global in all of them, and two would share one set.
//
// kubelet and kube-proxy are for real nodes only, as are the two parts that are
// kubelab's own: node-init and node-sweeper.
var parts = map[string]func() int{
	"etcd":                    runEtcd,
	"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) },
	"kube-proxy":              func() int { return cli.Run(proxy.NewProxyCommand()) },
	"kube-scheduler":          func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
	"kubelet":                 func() int { return cli.Run(kubelet.NewKubeletCommand(context.Background())) },
	"kwok":                    runKwok,
	machine.Part:              runNodeInit,
	"node-sweeper":            runNodeSweeper,
}

// runPart becomes the part called name and returns its exit code. The part sees
// its arguments as its own binary would.
func runPart(name string, args []string) int {
	run, ok := parts[name]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(parts)), ", ")
		fmt.Fprintf(os.Stderr, "kubelab: no part is called %q (there are %s)\n", name, known)
		return 1
	}
	os.Args = append([]string{name}, args...)
	return run()
}

func runEtcd() int {
	etcdmain.Main(os.Args) // ends the process itself when it fails
	return 0
}
