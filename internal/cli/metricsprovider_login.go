package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
	"github.com/rak-n-rok/krake/internal/cli/yamlfile"
)

// loginOptions are those by which a Prometheus is told who asks.
var loginOptions = []string{"username", "password", "stdin-password", "ask-password", "token", "client-certificate", "client-key", "ca-certificate"}

// login is how to log in to a Prometheus; the token is an option of others as well.
type login struct {
	p                    *program
	cmd                  *cobra.Command
	username             string
	password             *password
	certificate, key, ca option.File
}

// addLogin adds the options of a login. They are new: they come after the old ones.
func (p *program) addLogin(cmd *cobra.Command) *login {
	o := &login{p: p, cmd: cmd}
	flags := cmd.Flags()
	flags.StringVar(&o.username, "username", "", "`NAME` to log in with (prometheus)")
	o.password = p.addPassword(cmd)
	o.password.addSources(cmd)
	flags.Var(&o.certificate, "client-certificate", "`FILE` with the certificate to log in with, in PEM (prometheus)")
	flags.Var(&o.key, "client-key", "`FILE` with its key (prometheus)")
	flags.Var(&o.ca, "ca-certificate", "`FILE` with the certificate of who signs that of the server (prometheus)")
	return o
}

// put writes what was typed into the settings of a Prometheus. A token takes the place of a name and a password, and these
// that of a token.
func (o *login) put(ctx context.Context, spec *document.Object) error {
	password, err := o.password.get(ctx, o.password.wanted() || o.username != "" && spec.Get("password") == nil)
	if err != nil {
		return err
	}
	token := o.cmd.Flags().Changed("token")
	if spec.Get("token") != nil && !token && (o.username != "" || password != "") {
		spec.Set("token", nil)
	}
	if token && spec.Get("username") != nil {
		spec.Set("username", nil)
		spec.Set("password", nil)
	}
	if o.username != "" {
		spec.Set("username", o.username)
	}
	if password != "" {
		spec.Set("password", password)
	}
	for _, f := range []struct {
		key  string
		file option.File
	}{{"client_certificate", o.certificate}, {"client_key", o.key}, {"ca_certificate", o.ca}} {
		if f.file == "" {
			continue
		}
		data, err := yamlfile.Load(ctx, string(f.file), o.p.In)
		if err != nil {
			return fmt.Errorf("%s: %w", called(f.file), err)
		}
		spec.Set(f.key, string(data))
	}
	return nil
}

// loginRows are shown of a Prometheus that has them, and so of none that scripts of the Python client have made.
func loginRows(doc *document.Object) []view.Column {
	var rows []view.Column
	for _, row := range []view.Column{
		{Label: "username", Path: "username"},
		{Label: "password", Path: "password", Render: view.Secret},
		{Label: "token", Path: "token", Render: view.Secret},
		{Label: "client_certificate", Path: "client_certificate", Render: view.Secret},
		{Label: "client_key", Path: "client_key", Render: view.Secret},
		{Label: "ca_certificate", Path: "ca_certificate", Render: view.Secret},
	} {
		if document.At(doc, "spec", "prometheus", row.Path) != nil {
			row.Path = "spec.prometheus." + row.Path
			rows = append(rows, row)
		}
	}
	return rows
}
