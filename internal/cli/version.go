package cli

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/document"
)

// version is what the build says, or else that of the module that go install has taken.
func (p *program) version() string {
	if p.Version != "" {
		return p.Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func (p *program) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the versions of rok and of the API",
		Long: "Show the version of rok, and that of the API if it answers.\n" +
			"The exit code is 0 even if it does not.",
		Example: "  " + p.Name + " version",
		Args:    exactly(nil),
	}
	config := addConfig(cmd)
	addOutput(cmd, asTable, asJSON, asYAML)
	p.addTimeout(cmd)
	p.completeOptions(cmd, nil)
	cmd.RunE = p.run(func(cmd *cobra.Command, _ []string) error {
		versions := document.New("client", p.version(), "server", nil)
		why := ""
		c, err := p.connect(*config)
		if err != nil {
			return err
		}
		if server, err := c.version(cmd.Context()); err == nil {
			versions.Set("server", server)
		} else {
			why = err.Error()
		}
		return p.write(versions, func() string {
			server := why
			if why == "" {
				server = fmt.Sprintf("%v at %s", versions.Get("server"), c.client.URL())
			}
			return fmt.Sprintf("%s: %s\nAPI: %s\n", p.Name, p.version(), server)
		})
	})
	return cmd
}

// version asks the API for its version.
func (c *connection) version(ctx context.Context) (string, error) {
	doc, err := c.do(ctx, client.Request{Method: http.MethodGet, Path: "/"})
	if err != nil {
		return "", err
	}
	version := document.Text(doc, "version")
	if version == "" {
		return "", c.foreign()
	}
	return version, nil
}
