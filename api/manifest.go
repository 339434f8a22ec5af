package api

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rak-n-rok/krake/api/wire"
)

// Manifest is a list of Kubernetes objects.
type Manifest []map[string]any

// CheckWire checks what Krake itself relies on; the rest is the cluster's business.
func (m Manifest) CheckWire(e *wire.Errors) {
	for i, object := range m {
		checkManifestObject(e, i, object)
	}
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
		return json.Marshal(t.URL)
	}
	if t.Template == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(t.Template)
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
			return wire.Message("Invalid TOSCA template URL.")
		}
	case map[string]any:
		if len(v) > 0 && !toscaForm(v) || !wire.Finite(v) {
			return wire.Message("Invalid TOSCA template content.")
		}
	}
	return t.DecodeStored(v)
}

// DecodeStored accepts an object or a text, whatever it says.
func (t *ToscaSource) DecodeStored(v any) error {
	switch v := v.(type) {
	case string:
		*t = ToscaSource{URL: v}
	case map[string]any:
		*t = ToscaSource{Template: v}
	default:
		errs := &wire.Errors{}
		errs.AddAlternatives("Not a valid mapping type.", "Not a valid string.")
		return errs
	}
	return nil
}

func toscaForm(template map[string]any) bool {
	switch template["tosca_definitions_version"] {
	case "tosca_simple_yaml_1_0", "tosca_simple_yaml_1_2", "tosca_simple_profile_for_nfv_1_0_0",
		"tosca_simple_profile_for_mec_1_0_0":
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
