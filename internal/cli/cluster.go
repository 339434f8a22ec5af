package cli

import (
	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

func clusters() presentation {
	list := with(view.Base, view.State)
	detail := with(list,
		view.Column{Label: "reason", Path: "status.reason", Render: view.Dict},
		view.Column{Label: "custom_resources", Path: "spec.custom_resources"},
		view.Column{Label: "metrics", Path: "spec.metrics", Render: view.Metrics},
		view.Column{Label: "failing_metrics", Path: "status.metrics_reasons", Render: view.Dict},
		view.Column{Label: "label constraints", Path: "spec.constraints.cloud.labels"},
		view.Column{Label: "metric constraints", Path: "spec.constraints.cloud.metrics"},
		view.Column{Label: "scheduled_to", Path: "status.scheduled_to", Render: view.Ref},
		view.Column{Label: "scheduled", Path: "status.scheduled", Render: view.Time},
		view.Column{Label: "running_on", Path: "status.running_on", Render: view.Ref},
	)
	return presentation{
		kind:   api.ClusterKind,
		list:   list,
		detail: detail,
		full: with(detail,
			view.Column{Label: "nodes", Path: "status.nodes", Render: view.Nodes("Ready")},
			view.Column{Label: "nodes_pid_pressure", Path: "status.nodes", Render: view.Nodes("PIDPressure")},
			view.Column{Label: "nodes_memory_pressure", Path: "status.nodes", Render: view.Nodes("MemoryPressure")},
			view.Column{Label: "nodes_disk_pressure", Path: "status.nodes", Render: view.Nodes("DiskPressure")},
			view.Column{Label: "backoff", Path: "spec.backoff"},
			view.Column{Label: "backoff_delay", Path: "spec.backoff_delay"},
			view.Column{Label: "backoff_limit", Path: "spec.backoff_limit"},
		),
		unusual: extras,
		get:     (*program).getCluster,
		del:     deletion{option: addCascade},
		more: []func(*program, *presentation) *cobra.Command{
			(*program).registerCluster, (*program).createCluster, (*program).updateCluster,
			(*program).clusterKubeconfig, (*program).cordonCluster, (*program).uncordonCluster, (*program).drainCluster,
		},
	}
}

// addCascade accepts a switch of the first versions; today what depends on a cluster is always deleted with it.
func addCascade(cmd *cobra.Command) {
	cmd.Flags().Bool("cascade", false, "")
	cmd.Flags().Lookup("cascade").Hidden = true
}
