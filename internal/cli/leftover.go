package cli

import (
	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

func leftovers() presentation {
	list := with(view.Base, view.Column{Label: "cause", Path: "spec.cause"})
	return presentation{
		kind: api.LeftoverKind,
		list: list,
		detail: with(list,
			view.Column{Label: "application", Path: "spec.application", Render: view.Ref},
			view.Column{Label: "cluster", Path: "spec.cluster", Render: view.Ref},
			view.Column{Label: "identity", Path: "spec.identity"},
			view.Column{Label: "kept until", Path: "spec.keep_until"},
			view.Column{Label: "attempts", Path: "status.attempts"},
			view.Column{Label: "message", Path: "status.message"},
		),
		more: []func(*program, *presentation) *cobra.Command{(*program).approveCommand},
	}
}
