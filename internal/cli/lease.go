package cli

import (
	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// leases say which process does the work of a component.
func leases() presentation {
	return presentation{
		kind: api.LeaseKind,
		list: []view.Column{
			{Label: "name", Path: "metadata.name"},
			{Label: "holder", Path: "spec.holder"},
			{Label: "acquired", Path: "spec.acquired", Render: view.Time},
			{Label: "renewed", Path: "spec.renewed", Render: view.Time},
			{Label: "duration", Path: "spec.duration"},
			{Label: "transitions", Path: "spec.transitions"},
		},
	}
}
