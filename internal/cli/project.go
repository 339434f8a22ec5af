package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

func projects() presentation {
	return presentation{
		kind: api.ProjectKind,
		list: view.Base,
		detail: with(view.Base,
			view.Column{Label: "url", Path: "spec.url"},
			view.Column{Label: "template", Path: "spec.template"},
			view.Column{Label: "auth type", Path: "spec.auth.type"},
		),
		more: []func(*program, *presentation) *cobra.Command{(*program).createProject, (*program).updateProject},
	}
}

// The two ways to log in to a project.
const (
	byPassword   = "password"
	byCredential = "application_credential"
)

// projectOptions say where a project is and how to log in there.
type projectOptions struct {
	cmd           *cobra.Command
	url, template string
	user, project string
	password      option.Password
	credential    option.Pair
	labels        *option.Labels
	metrics       *[]option.Metric
}

func addProjectOptions(cmd *cobra.Command) *projectOptions {
	o := &projectOptions{cmd: cmd, credential: option.Pair{Names: "ID SECRET"}}
	flags := cmd.Flags()
	flags.StringVar(&o.url, "auth-url", "", "`URL` of Keystone (default $OS_AUTH_URL)")
	flags.StringVar(&o.template, "template", "", "`UUID` of the template from which clusters are made")
	flags.Var(&o.credential, "application-credential", "application credential to log in with")
	flags.StringVar(&o.user, "user-id", "", "`ID` of the user to log in with (default $OS_USER_ID)")
	flags.Var(&o.password, "password", "password of the user (default $OS_PASSWORD)")
	flags.StringVar(&o.project, "project-id", "", "`ID` of the project in OpenStack (default $OS_PROJECT_ID)")
	o.labels = addLabels(cmd)
	o.metrics = addMetrics(cmd)
	argparse.Old(flags)
	addOldFormat(cmd)
	cmd.PreRunE = func(*cobra.Command, []string) error {
		for _, name := range []string{"user-id", "password", "project-id"} {
			if flags.Changed("application-credential") && flags.Changed(name) {
				return fmt.Errorf("argument --%s: not allowed with argument --application-credential", name)
			}
		}
		return nil
	}
	return o
}

func (p *program) createProject(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "create NAME", "Make an OpenStack project known, in which clusters can be made",
		"my-project --template 728f024e-8a88-4971-b79f-151d9123f363",
		"my-project --template 728f024e-8a88-4971-b79f-151d9123f363 --auth-url https://keystone:5000/v3 --application-credential ID SECRET")
	cmd.Use = "create NAME --template UUID"
	cmd.Long = "Make an OpenStack project known, in which clusters can be made. What the command line does not say of how to log in\n" +
		"is taken from the environment, as OpenStack's own tools do."
	o := addProjectOptions(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		if err := require(cmd, "template"); err != nil {
			return err
		}
		auth, err := p.login(o, nil)
		if err != nil {
			return err
		}
		if o.url == "" {
			if o.url = p.Env("OS_AUTH_URL"); o.url == "" {
				return errors.New("where is Keystone? give --auth-url or set OS_AUTH_URL")
			}
		}
		doc := newObject(k.kind, args[0])
		document.Put(doc, labelsObject(*o.labels), "metadata", "labels")
		doc.Set("spec", document.New("url", o.url, "template", o.template, "metrics", metricList(*o.metrics), "auth", auth))
		return p.create(cmd.Context(), k, common, doc)
	})
	return cmd
}

func (p *program) updateProject(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "update NAME", "Change an OpenStack project", "my-project -l location=DE",
		"my-project --application-credential ID SECRET")
	cmd.Long = "Change an OpenStack project. What is not named stays as it is; labels and metrics replace those that it has.\n" +
		"The environment counts only where the way to log in changes from an application credential to a password."
	o := addProjectOptions(cmd)
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		return p.update(cmd.Context(), k, common, args[0], func(doc *document.Object) error {
			if err := anyOf(cmd, "auth-url", "template", "application-credential", "user-id", "password", "project-id", "label",
				"metric", "global-metric"); err != nil {
				return err
			}
			return p.changeProject(doc, o)
		})
	})
	return cmd
}

func (p *program) changeProject(doc *document.Object, o *projectOptions) error {
	if o.url != "" {
		document.Put(doc, o.url, "spec", "url")
	}
	if o.template != "" {
		document.Put(doc, o.template, "spec", "template")
	}
	if len(*o.labels) > 0 {
		document.Put(doc, labelsObject(*o.labels), "metadata", "labels")
	}
	if len(*o.metrics) > 0 {
		document.Put(doc, metricList(*o.metrics), "spec", "metrics")
	}
	if o.credential.First == "" && o.user == "" && o.password == "" && o.project == "" {
		return nil
	}
	auth, err := p.login(o, document.At(doc, "spec", "auth"))
	if err != nil {
		return err
	}
	document.Put(doc, auth, "spec", "auth")
	return nil
}

// login says how to log in to a project: as the command line says, or as before, or as the environment says.
func (p *program) login(o *projectOptions, before any) (*document.Object, error) {
	if o.credential.First != "" {
		return document.New("type", byCredential, byCredential,
			document.New("id", o.credential.First, "secret", o.credential.Second)), nil
	}
	var missing []string
	value := func(typed, variable, option string, path ...string) string {
		if typed != "" {
			return typed
		}
		if old := document.Text(before, append([]string{byPassword}, path...)...); old != "" {
			return old
		}
		if p.Env(variable) == "" {
			missing = append(missing, fmt.Sprintf("--%s (or %s)", option, variable))
		}
		return p.Env(variable)
	}
	user := value(o.user, "OS_USER_ID", "user-id", "user", "id")
	password := value(string(o.password), "OS_PASSWORD", "password", "user", "password")
	project := value(o.project, "OS_PROJECT_ID", "project-id", "project", "id")
	if len(missing) > 0 {
		return nil, fmt.Errorf("how to log in there is not known: give %s, or --application-credential", strings.Join(missing, ", "))
	}
	return document.New("type", byPassword, byPassword, document.New(
		"user", document.New("id", user, "password", password), "project", document.New("id", project))), nil
}
