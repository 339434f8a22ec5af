package api

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Kubeconfig is the content of a kubeconfig file with exactly one context, cluster and user, everything inline.
type Kubeconfig map[string]any

// DecodeWire checks a kubeconfig; the first thing that is wrong is reported.
func (k *Kubeconfig) DecodeWire(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return errors.New("Not a valid mapping type.") //nolint:staticcheck // the wire's text
	}
	if len(m) > 0 {
		if err := checkKubeconfig(m); err != nil {
			return err
		}
	}
	*k = m
	return nil
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
			return fmt.Errorf("Only one %s is allowed", list.one) //nolint:staticcheck // the wire's text
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
					return fmt.Errorf("Invalid kube-config file. Key %s in kube-config/%s[name=%v]/%s is not accepted: "+ //nolint:staticcheck // the wire's text
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
		return errors.New("Invalid kube-config file. Expected kube-config/users to be a list") //nolint:staticcheck // the wire's text
	}
	for _, item := range items {
		if entry, ok := item.(map[string]any); ok && entry["name"] == name && empty(entry["user"]) {
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
		return nil, "", fmt.Errorf("Invalid kube-config file. Expected kube-config/%s to be a list", list) //nolint:staticcheck // the wire's text
	}
	var found []map[string]any
	for _, item := range items {
		entry, _ := item.(map[string]any)
		if _, ok := entry["name"]; !ok {
			return nil, "", fmt.Errorf("Invalid kube-config file. Expected all values in kube-config/%s list to have 'name' key", list) //nolint:staticcheck // the wire's text
		}
		if entry["name"] == name {
			found = append(found, entry)
		}
	}
	switch len(found) {
	case 0:
		return nil, "", fmt.Errorf("Invalid kube-config file. Expected object with name %v in kube-config/%s list", name, list) //nolint:staticcheck // the wire's text
	case 1:
	default:
		return nil, "", fmt.Errorf("Invalid kube-config file. Expected only one object with name %v in kube-config/%s list", name, list) //nolint:staticcheck // the wire's text
	}
	path := fmt.Sprintf("kube-config/%s[name=%v]", list, name)
	content, _ := found[0][key].(map[string]any)
	if len(content) == 0 {
		return nil, "", missing(key, path)
	}
	return content, path, nil
}

func missing(key, path string) error {
	return fmt.Errorf("Invalid kube-config file. Expected key %s in %s", key, path) //nolint:staticcheck // the wire's text
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

func jsonText(v any) ([]byte, error) { return json.Marshal(v) }
