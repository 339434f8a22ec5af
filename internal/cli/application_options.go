package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// applicationOptions are those that create and update share.
type applicationOptions struct {
	commonOptions
	cmd              *cobra.Command
	file             *option.File
	url              string
	observerSchema   *option.File
	labels           *option.Labels
	clusterLabels    *option.Texts
	clusterResources *option.Texts
	clusterMetrics   *option.Texts
	backoff          *backoff
	hooks            option.Hooks
	migrationData    option.Choice
	wait             option.Wait
}

func addApplicationOptions(cmd *cobra.Command, common commonOptions, states ...string) *applicationOptions {
	o := &applicationOptions{commonOptions: common, cmd: cmd, migrationData: option.Choice{Words: api.MigrationData("").Members()}}
	flags := cmd.Flags()
	o.file = addFile(cmd, "file", "f", "`FILE` with Kubernetes manifests or a TOSCA template, - for standard input")
	flags.StringVarP(&o.url, "url", "u", "", "`URL` of a TOSCA template (.yaml) or a CSAR archive (.zip, .csar)")
	o.observerSchema = addFile(cmd, "observer-schema-file", "O", "`FILE` that says which values are observed")
	flags.Bool("enable-migration", false, "let the application be moved while it runs (the default)")
	flags.Bool("disable-migration", false, "keep the application on its cluster while it runs")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if flags.Changed("enable-migration") && flags.Changed("disable-migration") {
			return errors.New("argument --disable-migration: not allowed with argument --enable-migration")
		}
		return nil
	}
	o.wait = option.Wait{States: states, Default: states[len(states)-1]}
	flags.Var(&o.wait, "wait", "wait until it is in this state, "+o.wait.Default+" if none is named")
	o.labels = addLabels(cmd)
	o.clusterLabels = addTexts(cmd, "cluster-label-constraint", "L", "EXPRESSION",
		"what the labels of the cluster must fulfil, such as 'location is DE'", "-cl", "--constraints-labels", "--constraint-label")
	o.clusterResources = addTexts(cmd, "cluster-resource-constraint", "R", "PLURAL.GROUP",
		"custom resource that the cluster must have")
	o.clusterMetrics = addTexts(cmd, "cluster-metric-constraint", "M", "EXPRESSION",
		"what the metrics of the cluster must fulfil, such as 'load < 5'")
	o.backoff = addBackoff(cmd)
	o.addHooks(cmd)
	return o
}

func (o *applicationOptions) addHooks(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(&option.Complete{Hooks: &o.hooks}, "hook-complete", "give the application a token to say that it is done")
	flags.Lookup("hook-complete").NoOptDefVal = "true"
	flags.Var(&option.Shutdown{Hooks: &o.hooks}, "hook-shutdown",
		"ask the application to shut down before it is stopped: seconds that it has (60), what happens if it does not "+
			"(give_up or delete), how often it is asked")
	flags.VarP(&option.Hook{Hooks: &o.hooks}, "hook", "H", "former spelling of --hook-complete and --hook-shutdown")
	flags.Lookup("hook").Hidden = true
}

// asOld ends the list of the options that scripts may cut short. --hook was gone before they were written.
func (o *applicationOptions) asOld() {
	argparse.Old(o.cmd.Flags())
	o.cmd.Flags().Lookup("hook").Annotations = nil
	o.cmd.Flags().Var(&o.migrationData, "migration-data", "what becomes of files on claims when the application moves: it stays "+
		"unless it must go, they are copied while it is stopped, or they are left behind (default NONE)")
}

// putMigrationData says what becomes of files; if the command line does not, the specification stays as it is.
func (o *applicationOptions) putMigrationData(spec *document.Object) {
	if o.migrationData.Value != "" {
		spec.Set("migration_data", o.migrationData.Value)
	}
}

// migration says what the command line says of it.
func (o *applicationOptions) migration() (allowed, said bool) {
	enable, _ := o.cmd.Flags().GetBool("enable-migration")
	disable, _ := o.cmd.Flags().GetBool("disable-migration")
	return !disable, enable || disable
}

// putHooks adds the hooks to those of a specification; without any it stays as it is.
func (o *applicationOptions) putHooks(spec *document.Object) {
	names := o.hooks.Names()
	if len(names) == 0 {
		return
	}
	hooks := document.List(spec, "hooks")
	for _, name := range names {
		if !slices.Contains(hooks, any(name)) {
			hooks = append(hooks, name)
		}
	}
	spec.Set("hooks", hooks)
	if !o.hooks.Shutdown {
		return
	}
	for _, v := range []struct{ key, value string }{
		{"shutdown_grace_time", o.hooks.Grace}, {"shutdown_failure_strategy", o.hooks.Strategy},
		{"shutdown_retry_count", o.hooks.Retries},
	} {
		if v.value != "" {
			spec.Set(v.key, v.value)
		}
	}
}

// warnOfMigration tells of applications that lose work when they are moved without notice.
func (p *program) warnOfMigration(spec any) {
	if document.At(spec, "constraints", "migration") == false || slices.Contains(document.List(spec, "hooks"), any(api.HookShutdown)) {
		return
	}
	for _, object := range document.List(spec, "manifest") {
		switch kind := document.Text(object, "kind"); kind {
		case "Job", "CronJob", "StatefulSet":
			p.warn("the application contains a %s and may be moved while it runs; --hook-shutdown lets it prepare for that, "+
				"--disable-migration keeps it where it is", kind)
			return
		}
	}
}
