package cli

import (
	"net/http"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

func applications() presentation {
	list := with(view.Base, view.State)
	return presentation{
		kind:    api.ApplicationKind,
		aliases: []string{"app"},
		list:    list,
		detail: with(list,
			view.Column{Label: "reason", Path: "status.reason", Render: view.Dict},
			view.Column{Label: "container_health", Path: "status.container_health", Render: view.Pods},
			view.Column{Label: "services", Path: "status.services", Render: view.Dict},
			view.Column{Label: "allow migration", Path: "spec.constraints.migration"},
			view.Column{Label: "label constraints", Path: "spec.constraints.cluster.labels"},
			view.Column{Label: "resources constraints", Path: "spec.constraints.cluster.custom_resources"},
			view.Column{Label: "metric constraints", Path: "spec.constraints.cluster.metrics"},
			view.Column{Label: "hooks", Path: "spec.hooks"},
			view.Column{Label: "scheduled_to", Path: "status.scheduled_to", Render: view.Ref},
			view.Column{Label: "scheduled", Path: "status.scheduled", Render: view.Time},
			view.Column{Label: "running_on", Path: "status.running_on", Render: view.Ref},
			view.Column{Label: "backoff", Path: "spec.backoff"},
			view.Column{Label: "backoff_delay", Path: "spec.backoff_delay"},
			view.Column{Label: "backoff_limit", Path: "spec.backoff_limit"},
		),
		answers: []view.Column{
			{Label: "placed", Path: "status.conditions", Render: view.Answer(string(api.Scheduled))},
			{Label: "in sync", Path: "status.conditions", Render: view.Answer(string(api.InSync))},
			{Label: "healthy", Path: "status.conditions", Render: view.Answer(string(api.Healthy))},
		},
		unusual: byHand,
		del:     deletion{wait: []string{"deleting", "deleted"}},
		more: []func(*program, *presentation) *cobra.Command{
			(*program).createApplication, (*program).updateApplication, (*program).retryApplication, (*program).approveCommand,
			(*program).applicationResources, (*program).explainApplication, (*program).moveApplication, (*program).pinApplication, (*program).unpinApplication,
			(*program).pauseApplication, (*program).resumeApplication,
		},
		ways: []func(*program, *presentation) *cobra.Command{
			(*program).logOfApplication, (*program).execInApplication, (*program).forwardToApplication, (*program).diffOfApplication,
		},
	}
}

func (p *program) retryApplication(k *presentation) *cobra.Command {
	cmd, o := p.command(k, "retry NAME", "Try again to move or to delete an application that is degraded", "NAME")
	argparse.Old(cmd.Flags())
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		doc, err := c.object(cmd.Context(), client.Request{Method: http.MethodPut,
			Path: path(k.kind, c.namespace(*o.namespace), args[0]) + "/retry"})
		if err != nil {
			return err
		}
		return p.show(doc, k.detailOf(doc))
	})
	return cmd
}
