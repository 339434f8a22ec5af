package api

import (
	"fmt"
	"strings"

	"github.com/rak-n-rok/krake/api/wire"
)

// Manifest is a list of Kubernetes objects.
type Manifest []map[string]any

// DecodeWire checks what Krake itself relies on; the rest is the cluster's business.
func (m *Manifest) DecodeWire(v any) error {
	items, ok := v.([]any)
	if !ok {
		return fmt.Errorf("Not a valid list.") //nolint:staticcheck // the wire's text
	}
	errs := &wire.Errors{}
	out := make(Manifest, 0, len(items))
	for i, item := range items {
		object, ok := item.(map[string]any)
		if !ok {
			errs.Index(i).Add("Not a valid mapping type.")
			continue
		}
		out = append(out, object)
	}
	if !errs.Empty() {
		return errs
	}
	for i, object := range out {
		checkManifestObject(errs, i, object)
	}
	*m = out
	return errs.Err()
}

func checkManifestObject(errs *wire.Errors, i int, object map[string]any) {
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	suffix := ""
	if name == "" {
		errs.Add(fmt.Sprintf("Field 'metadata.name' not found in resource at index %d", i))
	} else {
		suffix = fmt.Sprintf(" (metadata.name: '%s')", name)
	}
	for _, key := range []string{"apiVersion", "kind", "metadata"} {
		if object[key] == nil {
			errs.Add(fmt.Sprintf("Field '%s' not found in resource at index %d%s", key, i, suffix))
		}
	}
}

// ToscaSource is a TOSCA template: the template itself, or the URL of one.
type ToscaSource struct {
	URL      string
	Template map[string]any
}

// Empty says whether there is no template.
func (t ToscaSource) Empty() bool { return t.URL == "" && len(t.Template) == 0 }

// MarshalJSON writes the URL or the template.
func (t ToscaSource) MarshalJSON() ([]byte, error) {
	if t.URL != "" {
		return jsonText(t.URL)
	}
	if t.Template == nil {
		return []byte("{}"), nil
	}
	return jsonText(t.Template)
}

// Equal compares two sources.
func (t ToscaSource) Equal(o ToscaSource) bool {
	return t.URL == o.URL && len(t.Template) == len(o.Template) && (len(t.Template) == 0 || wire.Equal(t.Template, o.Template))
}

// DecodeWire accepts an object or a text. Templates are checked for their outer form only and nothing is fetched: the
// controller that translates them knows more.
func (t *ToscaSource) DecodeWire(v any) error {
	switch v := v.(type) {
	case string:
		if v != "" && !hasSuffix(v, ".yaml", ".yml") {
			return fmt.Errorf("Invalid TOSCA template URL.") //nolint:staticcheck // the wire's text
		}
		*t = ToscaSource{URL: v}
	case map[string]any:
		if len(v) > 0 && !toscaForm(v) {
			return fmt.Errorf("Invalid TOSCA template content.") //nolint:staticcheck // the wire's text
		}
		*t = ToscaSource{Template: v}
	default:
		return fmt.Errorf("Not a valid mapping type. Not a valid string.") //nolint:staticcheck // the wire's text
	}
	return nil
}

func toscaForm(template map[string]any) bool {
	switch template["tosca_definitions_version"] {
	case "tosca_simple_yaml_1_0", "tosca_simple_yaml_1_2", "tosca_simple_profile_for_nfv_1_0_0":
	default:
		return false
	}
	topology, present := template["topology_template"]
	if !present {
		return true
	}
	sections, ok := topology.(map[string]any)
	if !ok {
		return false
	}
	nodes, present := sections["node_templates"]
	if !present {
		return true
	}
	templates, ok := nodes.(map[string]any)
	for _, node := range templates {
		n, isMap := node.(map[string]any)
		if !isMap || n["type"] == nil {
			return false
		}
	}
	return ok
}

func hasSuffix(s string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}
