package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

// YAML writes a value in block style with sorted keys. Texts that another type would be read from, such as '3', no, or
// a date, are quoted with single quotes, which neither yaml package does by itself; long texts stay on one line.
func YAML(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	if err := enc.Encode(node(v)); err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	return b.Bytes(), enc.Close()
}

func node(v any) *yaml.Node {
	switch v := v.(type) {
	case *Object:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, key := range v.Sorted() {
			n.Content = append(n.Content, node(key), node(v.Get(key)))
		}
		n.Style = flowIfEmpty(v.Len())
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Style: flowIfEmpty(len(v))}
		for _, item := range v {
			n.Content = append(n.Content, node(item))
		}
		return n
	case string:
		return textNode(clean(v))
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(v)}
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: yamlNumber(string(v))}
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(v)}
	}
}

// yamlNumber writes 1e-07 as 1.0e-07: readers of YAML 1.1 want a point in a number with an exponent.
func yamlNumber(n string) string {
	if i := strings.IndexAny(n, "eE"); i > 0 && !strings.Contains(n, ".") {
		return n[:i] + ".0" + n[i:]
	}
	return n
}

func textNode(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case strings.Contains(s, "\n"):
		n.Style = yaml.LiteralStyle // the encoder falls back to quotes where this cannot hold the text
	case !plain(s):
		n.Style = yaml.SingleQuotedStyle
	}
	return n
}

// sexagesimal are the numbers to the base of 60 that YAML 1.1 has, and that no Go package knows: 12:30 is 750.
var sexagesimal = regexp.MustCompile(`\A[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?\z`)

// plain says whether a text is read back as itself when it stands unquoted, by YAML 1.1 (yes is true) as well.
func plain(s string) bool {
	if s == "=" || sexagesimal.MatchString(s) {
		return false
	}
	var old any
	if err := sigs.Unmarshal([]byte(s), &old); err != nil || old != s {
		return false
	}
	var current yaml.Node
	if err := yaml.Unmarshal([]byte(s), &current); err != nil || len(current.Content) != 1 {
		return false
	}
	return current.Content[0].Kind == yaml.ScalarNode && current.Content[0].ShortTag() == "!!str"
}

func flowIfEmpty(n int) yaml.Style {
	if n == 0 {
		return yaml.FlowStyle
	}
	return 0
}
