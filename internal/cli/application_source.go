package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/yamlfile"
)

// readYAML returns the documents of a file that the command line names. One that cannot be opened is an error in the
// command line; one that is no YAML is not.
func (p *program) readYAML(ctx context.Context, file option.File) ([]any, error) {
	data, err := yamlfile.Load(ctx, string(file), p.In)
	if err != nil {
		return nil, usageError{err}
	}
	return yamlfile.Parse(called(file), data)
}

// called is what messages call a file.
func called(file option.File) string {
	if file == "-" {
		return "standard input"
	}
	return string(file)
}

// applicationFiles is what the files of a command line say. They are read once, before any request: standard input has
// nothing to say a second time, and what is wrong in a file is known before anything has happened.
type applicationFiles struct {
	source   *source // nil when none is named
	observed []any   // the observer schema, nil when none is named
}

func (p *program) readApplication(ctx context.Context, o *applicationOptions) (f applicationFiles, err error) {
	if f.source, err = p.source(ctx, o); err != nil || *o.observerSchema == "" {
		return f, err
	}
	f.observed, err = p.readYAML(ctx, *o.observerSchema)
	return f, err
}

// put writes what the files say into a specification.
func (f applicationFiles) put(spec *document.Object) {
	if f.source != nil {
		f.source.put(spec)
	}
	if f.observed != nil {
		spec.Set("observer_schema", f.observed)
	}
}

// source is what an application is made of: exactly one of manifests, a TOSCA template or its URL, and a CSAR archive.
type source struct {
	manifest []any
	tosca    any // an object or a text
	csar     string
}

// put writes the source into a specification. Krake takes a manifest before a template and a template before an archive,
// so what would come before the new source is removed. What comes after it is left as it is and does not count.
func (s *source) put(spec *document.Object) {
	switch {
	case s.csar != "":
		spec.Set("manifest", []any{})
		spec.Set("tosca", document.New())
		spec.Set("csar", s.csar)
	case s.tosca != nil:
		spec.Set("manifest", []any{})
		spec.Set("tosca", s.tosca)
	default:
		spec.Set("manifest", s.manifest)
	}
}

// source reads what the options name; nil when they name nothing. A file comes before a URL.
func (p *program) source(ctx context.Context, o *applicationOptions) (*source, error) {
	switch url := o.url; {
	case *o.file != "":
		return p.fileSource(ctx, *o.file)
	case url == "":
		return nil, nil
	case hasSuffix(url, "yaml", "yml"):
		return &source{tosca: url}, nil
	case hasSuffix(url, "zip", "csar"):
		return &source{csar: url}, nil
	default:
		return nil, fmt.Errorf("the URL %s leads neither to a TOSCA template (.yaml, .yml) nor to a CSAR archive (.zip, .csar)", url)
	}
}

func (p *program) fileSource(ctx context.Context, file option.File) (*source, error) {
	docs, err := p.readYAML(ctx, file)
	if err != nil {
		return nil, err
	}
	if len(docs) > 0 && isTosca(docs[0]) {
		return &source{tosca: docs[0]}, nil
	}
	return &source{manifest: docs}, nil
}

func isTosca(doc any) bool {
	o, ok := doc.(*document.Object)
	return ok && o.Has("tosca_definitions_version")
}

var errNoSource = errors.New("an application is made of a file or of what a URL leads to: give --file or --url")

// inject gives every environment variable whose value is one of the keys the value of that key.
func (s *source) inject(values option.Inject) {
	for _, doc := range append(s.manifest[:len(s.manifest):len(s.manifest)], s.tosca) {
		injectInto(doc, values)
	}
}

func injectInto(v any, values option.Inject) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			injectInto(item, values)
		}
	case *document.Object:
		for _, key := range v.Keys() {
			if key == "env" {
				injectIntoEnv(document.List(v, key), values)
			}
			injectInto(v.Get(key), values)
		}
	}
}

func injectIntoEnv(env []any, values option.Inject) {
	for _, item := range env {
		entry, ok := item.(*document.Object)
		if !ok {
			continue
		}
		key, ok := entry.Get("value").(string)
		if value, found := values[key]; ok && found {
			entry.Set("value", value)
		}
	}
}

func hasSuffix(s string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}
