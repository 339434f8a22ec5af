package cli

import (
	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// capacitySwitch says whether the capacity of a cluster counts; it may leave that as it is.
type capacitySwitch struct{ check, ignore *bool }

func addCapacity(cmd *cobra.Command) capacitySwitch {
	flags := cmd.Flags()
	s := capacitySwitch{
		check:  flags.Bool("check-capacity", false, "let applications come only as long as the cluster has room for what their pods ask for"),
		ignore: flags.Bool("ignore-capacity", false, "let applications come whatever they ask for (the default)"),
	}
	cmd.MarkFlagsMutuallyExclusive("check-capacity", "ignore-capacity")
	return s
}

// put writes what was said into a specification.
func (s capacitySwitch) put(spec *document.Object) {
	if *s.check || *s.ignore {
		spec.Set("check_capacity", *s.check)
	}
}

// room are the rows of a cluster whose capacity counts. Others have none.
func room(cluster *document.Object) []view.Column {
	if document.At(cluster, "spec", "check_capacity") != true {
		return nil
	}
	return []view.Column{
		{Label: "check_capacity", Path: "spec.check_capacity"},
		{Label: "allocatable", Path: "status.allocatable", Render: view.Dict},
		{Label: "used", Path: "status.used", Render: view.Dict},
		{Label: "used_by_others", Path: "status.used_by_others", Render: view.Dict},
	}
}

// extras are the rows that only some clusters have.
func extras(cluster *document.Object) []view.Column {
	return append(departure(cluster), room(cluster)...)
}
