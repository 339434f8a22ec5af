package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/kubeconfig"
	"github.com/rak-n-rok/krake/internal/cli/option"
)

// clusterOptions are those that register and create share.
type clusterOptions struct {
	commonOptions
	context         *string
	labels          *option.Labels
	metrics         *[]option.Metric
	customResources *option.Texts
	backoff         *backoff
	capacity        capacitySwitch
}

func addClusterOptions(cmd *cobra.Command, common commonOptions) *clusterOptions {
	return &clusterOptions{
		commonOptions:   common,
		context:         cmd.Flags().StringP("context", "c", "", "`CONTEXT` of the kubeconfig instead of its current one"),
		labels:          addLabels(cmd),
		metrics:         addMetrics(cmd),
		customResources: addTexts(cmd, "custom-resource", "R", "PLURAL.GROUP", "custom resource that the cluster has"),
		backoff:         addBackoff(cmd),
	}
}

func (p *program) registerCluster(k *presentation) *cobra.Command {
	cmd, common := p.command(k, "register", "Register a cluster that exists", "-k kubeconfig.yaml",
		"-k kubeconfig.yaml -c my-context -l location=DE --metric load 0.5")
	cmd.Use = "register -k KUBECONFIG"
	cmd.Long = "Register a cluster that exists. Its name in Krake is that of the cluster in the kubeconfig.\n" +
		"Certificates that the kubeconfig names by file are sent along."
	cmd.Args = registersOnly
	file := addFile(cmd, "kubeconfig", "k", "kubeconfig `FILE` that leads to the cluster, - for standard input")
	o := addClusterOptions(cmd, common)
	argparse.Old(cmd.Flags())
	o.capacity = addCapacity(cmd)
	name := cmd.Flags().String("as", "", "`NAME` of the cluster in Krake")
	wait := option.Wait{States: []string{"connecting", "online"}, Default: "online"}
	cmd.Flags().Var(&wait, "wait", "wait until it is in this state, online if none is named")
	cmd.RunE = p.run(func(cmd *cobra.Command, _ []string) error {
		if *file == "" {
			return usageError{errors.New("the following arguments are required: -k/--kubeconfig")}
		}
		return p.register(cmd.Context(), k, o, registration{file: *file, name: *name, wait: wait.Blocking()})
	})
	return cmd
}

// registersOnly refuses arguments. They are what create takes: the kubeconfig or a name.
func registersOnly(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	meant := "-k"
	if cmd.Flags().Changed("kubeconfig") {
		meant = "--as"
	}
	return fmt.Errorf("%w (did you mean %s %s?)", &argparse.UnrecognizedError{Words: strings.Join(args, " ")}, meant, args[0])
}

// registration is what a cluster is registered with, beside the options that create has, too.
type registration struct {
	file option.File
	name string // the kubeconfig's when empty
	wait string // state, or False
}

func (p *program) register(ctx context.Context, k *presentation, o *clusterOptions, r registration) error {
	config, name, err := p.readKubeconfig(ctx, r.file, *o.context)
	if err != nil {
		return err
	}
	if r.name != "" {
		name = r.name
	}
	spec := document.New("kubeconfig", config, "tosca", document.New())
	o.put(spec)
	document.Put(spec, document.New("labels", []any{}, "metrics", []any{}), "constraints", "cloud")
	query := url.Values{}
	if r.wait != (&option.Wait{}).Blocking() {
		query.Set("blocking", r.wait)
	}
	metadata := document.New("name", name, "labels", labelsObject(*o.labels))
	return p.postCluster(ctx, k, o.commonOptions, query, document.New("metadata", metadata, "spec", spec))
}

// put writes what the options say into a new specification.
func (o *clusterOptions) put(spec *document.Object) {
	spec.Set("metrics", metricList(*o.metrics))
	spec.Set("custom_resources", texts(o.customResources.Values).list())
	o.backoff.all(spec)
	o.capacity.put(spec)
}

func (p *program) postCluster(ctx context.Context, k *presentation, o commonOptions, query url.Values, body *document.Object) error {
	c, err := p.connect(*o.config)
	if err != nil {
		return err
	}
	doc, err := c.object(ctx, client.Request{Method: http.MethodPost, Body: body, Query: query,
		Path: path(k.kind, c.namespace(*o.namespace), "")})
	if err != nil {
		return err
	}
	return p.showAwaited(doc, k.detailOf(doc), query)
}

// readKubeconfig returns the one context of a file that Krake gets, and the name of its cluster.
func (p *program) readKubeconfig(ctx context.Context, file option.File, context string) (*document.Object, string, error) {
	doc, err := p.readOne(ctx, file, "a kubeconfig")
	if err != nil {
		return nil, "", err
	}
	return oneContext(file, doc, context)
}

func oneContext(file option.File, doc any, context string) (*document.Object, string, error) {
	config, name, err := kubeconfig.Single(doc, filepath.Dir(string(file)), context)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", called(file), err)
	}
	return config, name, nil
}

// isFile says whether a word on the command line is a file rather than a name.
func isFile(word string) bool {
	info, err := os.Stat(word)
	return word == "-" || err == nil && !info.IsDir()
}
