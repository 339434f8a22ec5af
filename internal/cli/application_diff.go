package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// The exit codes of diff, which are those of other programs of this name.
const (
	exitDifferent   = 1
	exitDiffFailure = 2
)

func (p *program) diffOfApplication(k *presentation) *cobra.Command {
	cmd, o := p.through(k, "diff NAME", "Show what Krake would change on the application's cluster now", exactly([]string{"NAME"}),
		"echo-demo", "-f echo-demo-update.yaml echo-demo")
	addOutput(cmd, asTable, asJSON, asYAML)
	file := addFile(cmd, "file", "f", "`FILE` with the manifests that it would have, - for standard input")
	observed := addFile(cmd, "observer-schema-file", "O", "`FILE` that says which values would be observed")
	cmd.Long = cmd.Short + ". Nothing is written. The exit code is 0 if there is no difference, 1 if there is one, more if that is not known."
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		request, err := p.diffRequest(cmd, *file, *observed)
		if err != nil {
			return &exitError{exitDiffFailure, err}
		}
		c, err := p.connect(*o.config)
		if err != nil {
			return &exitError{exitDiffFailure, err}
		}
		request.Path = path(k.kind, c.namespace(*o.namespace), args[0]) + "/" + api.DiffPassage
		doc, err := c.do(cmd.Context(), request)
		if err == nil && !isDiff(doc) {
			err = c.foreign()
		}
		if err != nil {
			return &exitError{exitDiffFailure, err}
		}
		objects := document.List(doc, "objects")
		if err := p.write(doc, func() string { return drawDiff(objects) }); err != nil {
			return &exitError{exitDiffFailure, err}
		}
		for _, object := range objects {
			if document.Text(object, "action") != string(api.DiffNothing) {
				return &exitError{code: exitDifferent}
			}
		}
		return nil
	})
	return cmd
}

// diffRequest asks about what is stored, or about what a file says.
func (p *program) diffRequest(cmd *cobra.Command, file, observed option.File) (client.Request, error) {
	if file == "" {
		if observed != "" {
			return client.Request{}, usagef("argument -O/--observer-schema-file: needs -f/--file")
		}
		return client.Request{Method: http.MethodGet}, nil
	}
	source, err := p.fileSource(cmd.Context(), file)
	if err != nil {
		return client.Request{}, err
	}
	if source.tosca != nil {
		return client.Request{}, errors.New("a TOSCA template cannot be compared before it is stored; give manifests")
	}
	draft := map[string]any{"manifest": source.manifest}
	if observed != "" {
		if draft["observer_schema"], err = p.readYAML(cmd.Context(), observed); err != nil {
			return client.Request{}, err
		}
	}
	return client.Request{Method: http.MethodPost, Body: draft}, nil
}

// isDiff says whether a document is one of differences.
func isDiff(doc any) bool {
	_, ok := document.At(doc, "objects").([]any)
	return ok
}

// drawDiff shows differences to people: a line for every object that would change, and one for each of its fields.
func drawDiff(objects []any) string {
	var out strings.Builder
	for _, object := range objects {
		action := document.Text(object, "action")
		if action == string(api.DiffNothing) {
			continue
		}
		fmt.Fprintf(&out, "%s %s %s", action, document.Text(object, "kind"), document.Text(object, "name"))
		if namespace := document.Text(object, "namespace"); namespace != "" {
			fmt.Fprintf(&out, " in %s", namespace)
		}
		if reason := document.Text(object, "reason"); reason != "" {
			fmt.Fprintf(&out, ": %s", reason)
		}
		out.WriteString("\n")
		for _, change := range document.List(object, "changes") {
			before, after := document.At(change, "before"), document.At(change, "after")
			switch field := document.Text(change, "path"); {
			case before == nil:
				fmt.Fprintf(&out, "+ %s: %s\n", field, inJSON(after))
			case after == nil:
				fmt.Fprintf(&out, "- %s: %s\n", field, inJSON(before))
			default:
				fmt.Fprintf(&out, "~ %s: %s -> %s\n", field, inJSON(before), inJSON(after))
			}
		}
	}
	if out.Len() == 0 {
		return "nothing would change\n"
	}
	return out.String()
}

// inJSON is a value in one line.
func inJSON(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}
