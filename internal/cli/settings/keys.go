package settings

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/rak-n-rok/krake/internal/suggest"
)

// section is the keys that a part of the file may have, and where their values go: *string, *bool, or a section again.
type section map[string]any

// keys reads a file by its keys. What is not known is an error: a key that is written wrongly would leave its default in
// force, and rok would talk to another API than the one that is meant.
type keys struct {
	file string
	seen map[string]bool // those that have a value, by their whole names
}

func (k *keys) readAll(root *yaml.Node, known section) error {
	if root == nil {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		return k.at(root, "the file is to consist of keys with their values")
	}
	return k.read("", root, known)
}

func (k *keys) read(prefix string, mapping *yaml.Node, known section) error {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		name := prefix + key.Value
		into, ok := known[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			return k.at(key, "a key is to be a text")
		case !ok:
			return k.at(key, "unknown key '%s'%s", name, meant(prefix, key.Value, known))
		case k.seen[name]:
			return k.at(key, "the key '%s' is there twice", name)
		}
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if value.ShortTag() == "!!null" {
			continue
		}
		k.seen[name] = true
		if err := k.set(name, value, into); err != nil {
			return err
		}
	}
	return nil
}

func (k *keys) set(name string, value *yaml.Node, into any) error {
	if inner, ok := into.(section); ok {
		if value.Kind != yaml.MappingNode {
			return k.at(value, "the key '%s' is to be a section with keys of its own", name)
		}
		return k.read(name+".", value, inner)
	}
	if value.Decode(into) == nil {
		return nil
	}
	if _, ok := into.(*bool); ok {
		return k.at(value, "the key '%s' is to be true or false", name)
	}
	return k.at(value, "the key '%s' is to be a text", name)
}

func (k *keys) at(node *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", k.file, node.Line, fmt.Sprintf(format, args...))
}

// meant names the key that is most like an unknown one, or all that would be known.
func meant(prefix, key string, known section) string {
	names := slices.Sorted(maps.Keys(known))
	if nearest := suggest.Nearest(key, names); nearest != "" {
		return fmt.Sprintf("; did you mean '%s%s'?", prefix, nearest)
	}
	return fmt.Sprintf(" (known are %s)", strings.Join(names, ", "))
}
