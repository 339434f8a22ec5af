package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// resourceColumns are those of the objects of an application.
var resourceColumns = []view.Column{
	{Label: "kind", Path: "kind"},
	{Label: "namespace", Path: "namespace", Render: view.OrNone},
	{Label: "name", Path: "name"},
	{Label: "cluster", Path: "cluster"},
	{Label: "health", Path: "health"},
	{Label: "in sync", Path: "in_sync"},
	{Label: "since", Path: "since", Render: view.Time},
	{Label: "what is wrong", Path: "wrong", Render: view.OrNone},
}

// applicationResources makes the command that shows the objects of an application.
func (p *program) applicationResources(k *presentation) *cobra.Command {
	cmd, o := p.command(k, "resources NAME", "Show how each object of an application is doing, the worst first", "NAME", "NAME -o yaml")
	form := cmd.Flags().Lookup("output")
	*form.Value.(*option.Choice) = option.Choice{Value: asTable, Words: []string{asTable, asWide, asJSON, asYAML}}
	cmd.Long = "Show of each object that an application has on clusters how healthy it is, whether it is as it was asked for, and if\n" +
		"not, what differs, since when, and who has changed it. Of many objects the last ones are only counted."
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		content, err := c.part(cmd.Context(), path(k.kind, c.namespace(*o.namespace), args[0]), api.ResourcesPart)
		if err != nil {
			return err
		}
		if n := number(document.At(content, "omitted")); n > 0 {
			p.hint("%.0f more objects are only counted", n)
		}
		return p.write(content, func() string { return view.List(resourceColumns, explained(content), p.lineWidth()) })
	})
	return cmd
}

// explained are the objects of an application with what is wrong with them in words.
func explained(content any) []any {
	out := []any{}
	for _, item := range document.List(content, "objects") {
		row := document.New()
		if o, ok := item.(*document.Object); ok {
			for _, key := range o.Keys() {
				row.Set(key, o.Get(key))
			}
		}
		row.Set("wrong", strings.Join(whatIsWrong(item), "\n"))
		out = append(out, row)
	}
	return out
}

func whatIsWrong(object any) []string {
	var lines []string
	say := func(said bool, format string, args ...any) {
		if said {
			lines = append(lines, fmt.Sprintf(format, args...))
		}
	}
	text := func(key string) string { return document.Text(object, key) }
	list := func(key string) string {
		var words []string
		for _, word := range document.List(object, key) {
			words = append(words, view.Plain(word))
		}
		return strings.Join(words, ", ")
	}
	say(text("message") != "", "%s", text("message"))
	say(text("reason") != "", "%s", text("reason"))
	say(list("fields") != "", "differs: %s", list("fields"))
	say(list("managers") != "", "changed by: %s", list("managers"))
	repairs := number(document.At(object, "repairs"))
	say(repairs > 0, "put right: %.0f times, last %s", repairs, view.Time(document.At(object, "repaired")))
	say(text("failure") != "", "cannot be put right: %s", text("failure"))
	return lines
}
