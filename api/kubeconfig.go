package api

import (
	"fmt"

	"github.com/rak-n-rok/krake/api/wire"
)

// Kubeconfig is the content of a kubeconfig file with exactly one context, cluster and user, everything inline.
type Kubeconfig map[string]any

// CheckWire checks a kubeconfig; the first thing that is wrong is reported.
func (k Kubeconfig) CheckWire(e *wire.Errors) {
	if len(k) == 0 {
		return
	}
	if err := checkKubeconfig(k); err != nil {
		e.Add(err.Error())
	}
}

func checkKubeconfig(m map[string]any) error {
	current := m["current-context"]
	if empty(current) {
		return missing("current-context", "kube-config")
	}
	context, path, err := kubeconfigEntry(m, "contexts", "context", current)
	if err != nil {
		return err
	}
	if user := context["user"]; !empty(user) && !empty(m["users"]) {
		if err := checkUser(m, user); err != nil {
			return err
		}
	}
	if empty(context["cluster"]) {
		return missing("cluster", path+"/context")
	}
	if _, _, err := kubeconfigEntry(m, "clusters", "cluster", context["cluster"]); err != nil {
		return err
	}
	for _, list := range []struct{ key, one string }{{"contexts", "context"}, {"users", "user"}, {"clusters", "cluster"}} {
		if items, ok := m[list.key].([]any); !ok || len(items) != 1 {
			return wire.Messagef("Only one %s is allowed", list.one)
		}
	}
	return checkInline(m)
}

// checkInline refuses what would make Krake run a program or open a file of its own machine: a kubeconfig comes from
// whoever may create a cluster.
func checkInline(m map[string]any) error {
	for _, rule := range []struct {
		list, key string
		refused   []string
	}{
		{"users", "user", []string{"exec", "auth-provider", "client-certificate", "client-key", "tokenFile"}},
		{"clusters", "cluster", []string{"certificate-authority"}},
	} {
		items, _ := m[rule.list].([]any)
		for _, item := range items {
			entry, _ := item.(map[string]any)
			content, _ := entry[rule.key].(map[string]any)
			for _, key := range rule.refused {
				if !empty(content[key]) {
					return wire.Messagef("Invalid kube-config file. Key %s in kube-config/%s[name=%v]/%s is not accepted: "+
						"give certificates and tokens inline", key, rule.list, entry["name"], rule.key)
				}
			}
		}
	}
	return nil
}

func checkUser(m map[string]any, name any) error {
	items, ok := m["users"].([]any)
	if !ok {
		return wire.Message("Invalid kube-config file. Expected kube-config/users to be a list")
	}
	for _, item := range items {
		if entry, ok := item.(map[string]any); ok && same(entry["name"], name) && empty(entry["user"]) {
			return missing("user", fmt.Sprintf("kube-config/users[name=%v]", name))
		}
	}
	return nil
}

// kubeconfigEntry finds the entry of this name in one of the lists and returns its content and its path.
func kubeconfigEntry(m map[string]any, list, key string, name any) (map[string]any, string, error) {
	if empty(m[list]) {
		return nil, "", missing(list, "kube-config")
	}
	items, ok := m[list].([]any)
	if !ok {
		return nil, "", wire.Messagef("Invalid kube-config file. Expected kube-config/%s to be a list", list)
	}
	var found []map[string]any
	for _, item := range items {
		entry, _ := item.(map[string]any)
		if _, ok := entry["name"]; !ok {
			return nil, "", wire.Messagef("Invalid kube-config file. Expected all values in kube-config/%s list to have 'name' key", list)
		}
		if same(entry["name"], name) {
			found = append(found, entry)
		}
	}
	switch len(found) {
	case 0:
		return nil, "", wire.Messagef("Invalid kube-config file. Expected object with name %v in kube-config/%s list", name, list)
	case 1:
	default:
		return nil, "", wire.Messagef("Invalid kube-config file. Expected only one object with name %v in kube-config/%s list", name, list)
	}
	path := fmt.Sprintf("kube-config/%s[name=%v]", list, name)
	content, _ := found[0][key].(map[string]any)
	if len(content) == 0 {
		return nil, "", missing(key, path)
	}
	return content, path, nil
}

func missing(key, path string) error {
	return wire.Messagef("Invalid kube-config file. Expected key %s in %s", key, path)
}

// empty says whether a value counts as not given: null, "", an empty list or object.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// same compares two names. Lists and objects are no names and the same as nothing.
func same(a, b any) bool {
	switch a.(type) {
	case []any, map[string]any:
		return false
	}
	return a == b
}
