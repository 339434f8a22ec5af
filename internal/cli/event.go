package cli

import (
	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

func events() presentation {
	list := []view.Column{
		{Label: "last", Path: "spec.last", Render: view.Time},
		{Label: "type", Path: "spec.type"},
		{Label: "reason", Path: "spec.reason"},
		{Label: "object", Path: "spec.regarding", Render: view.KindName},
		{Label: "count", Path: "spec.count"},
		{Label: "message", Path: "spec.message"},
	}
	return presentation{
		kind:   api.EventKind,
		list:   list,
		sorted: "spec.last",
		full: with(list,
			view.Column{Label: "first", Path: "spec.first", Render: view.Time},
			view.Column{Label: "component", Path: "spec.component"},
			view.Column{Label: "name", Path: "metadata.name"},
		),
	}
}
