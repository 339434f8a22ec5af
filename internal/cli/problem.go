package cli

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/rak-n-rok/krake/internal/cli/document"
)

// readable puts what is wrong with several fields of a document into a line each.
func readable(status int, detail string) string {
	if status != http.StatusUnprocessableEntity {
		return " " + detail
	}
	switch lines := fieldErrors(detail); len(lines) {
	case 0:
		return " " + detail
	case 1:
		return " " + lines[0]
	default:
		return "\n  " + strings.Join(lines, "\n  ")
	}
}

// fieldErrors takes the messages from a tree of errors, each with the way to its field: spec.hooks[0]: Invalid. It finds
// none in a text of another form.
func fieldErrors(detail string) (lines []string) {
	tree, err := document.FromPython(detail)
	if err != nil || !walk(tree, "", func(line string) { lines = append(lines, line) }) {
		return nil
	}
	return lines
}

// walk calls tell for every message, and says whether the tree consists of messages, lists and objects alone.
func walk(node any, path string, tell func(string)) bool {
	switch node := node.(type) {
	case string:
		if path != "" {
			node = path + ": " + node
		}
		tell(node)
		return true
	case []any:
		return all(node, func(item any) bool { return walk(item, path, tell) })
	case *document.Object:
		for _, key := range node.Keys() {
			if !walk(node.Get(key), below(path, key), tell) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// below is the path of a field or of an element. The rules of a whole object report under a key of their own.
func below(path, key string) string {
	_, err := strconv.Atoi(key)
	switch {
	case key == "_schema":
		return path
	case err == nil:
		return path + "[" + key + "]"
	case path == "":
		return key
	default:
		return path + "." + key
	}
}
