package kubeconfig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/internal/cli/document"
)

// files are the keys that name a file, by the list that their entries are in. Krake stores their content under the same
// key with -data at its end.
var files = map[string][]string{
	"clusters": {"certificate-authority"},
	"users":    {"client-certificate", "client-key"},
}

// Single returns the kubeconfig with nothing but the context of this name, the current one when it is empty, and the
// name of its cluster. Relative paths in it are relative to folder, the file's own. The document is not changed.
func Single(doc any, folder, context string) (config *document.Object, cluster string, err error) {
	whole, ok := doc.(*document.Object)
	if !ok {
		return nil, "", errors.New("it is not a kubeconfig: no mapping at its top")
	}
	if context == "" {
		if context = document.Text(whole, "current-context"); context == "" {
			return nil, "", errors.New("it has no current-context: name one with --context")
		}
	}
	entry := find(whole, "contexts", context)
	if entry == nil {
		return nil, "", fmt.Errorf("it has no context '%s'%s", context, known(whole, "contexts"))
	}
	cluster = document.Text(entry, "context", "cluster")
	clusterEntry := find(whole, "clusters", cluster)
	if clusterEntry == nil {
		return nil, "", fmt.Errorf("it has no cluster '%s', which the context '%s' names", cluster, context)
	}
	user := document.Text(entry, "context", "user")
	userEntry := find(whole, "users", user)
	if userEntry == nil {
		return nil, "", fmt.Errorf("it has no user '%s', which the context '%s' names", user, context)
	}

	config = copyOf(whole)
	config.Set("contexts", []any{entry})
	config.Set("current-context", context)
	if clusterEntry, err = inline("clusters", clusterEntry, folder); err != nil {
		return nil, "", err
	}
	if userEntry, err = inline("users", userEntry, folder); err != nil {
		return nil, "", err
	}
	config.Set("clusters", []any{clusterEntry})
	config.Set("users", []any{userEntry})
	return config, cluster, nil
}

// Is says whether a document looks like a kubeconfig.
func Is(doc any) bool {
	o, ok := doc.(*document.Object)
	return ok && (o.Has("current-context") || o.Has("clusters"))
}

func find(config *document.Object, list, name string) *document.Object {
	for _, item := range document.List(config, list) {
		if entry, ok := item.(*document.Object); ok && name != "" && entry.Get("name") == name {
			return entry
		}
	}
	return nil
}

// known lists the names that would have been right.
func known(config *document.Object, list string) string {
	var names []string
	for _, item := range document.List(config, list) {
		if name := document.Text(item, "name"); name != "" {
			names = append(names, "'"+name+"'")
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ", only " + strings.Join(names, ", ")
}

// inline replaces the names of files in an entry of a list by what they hold.
func inline(list string, entry *document.Object, folder string) (*document.Object, error) {
	key := strings.TrimSuffix(list, "s")
	content, ok := entry.Get(key).(*document.Object)
	if !ok {
		return entry, nil // the server says what is wrong with it
	}
	out := document.New()
	for _, name := range content.Keys() {
		file, isText := content.Get(name).(string)
		if !isText || file == "" || !slices.Contains(files[list], name) {
			out.Set(name, content.Get(name))
			continue
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(folder, file)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s of '%s' cannot be read: %w", name, document.Text(entry, "name"), err)
		}
		// As for kubectl, what is inline already comes before a file.
		if document.Text(content, name+"-data") == "" {
			out.Set(name+"-data", base64.StdEncoding.EncodeToString(data))
		}
	}
	result := copyOf(entry)
	result.Set(key, out)
	return result, nil
}

func copyOf(o *document.Object) *document.Object {
	out := document.New()
	for _, key := range o.Keys() {
		out.Set(key, o.Get(key))
	}
	return out
}
