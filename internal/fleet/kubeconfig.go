package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"k8s.io/client-go/rest"
	clientcmd "k8s.io/client-go/tools/clientcmd/api/v1"

	"github.com/rak-n-rok/krake/api"
)

// access is what a kubeconfig says about the way to a cluster.
type access struct {
	config    *rest.Config
	host      string // of the server's URL, without the port
	namespace string
}

// hashKubeconfig tells kubeconfigs apart. It says nothing about what is in them.
func hashKubeconfig(k api.Kubeconfig) (string, error) {
	content, err := json.Marshal(k)
	if err != nil {
		return "", &KubeconfigError{"it cannot be written as JSON"}
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}

// readKubeconfig takes from a kubeconfig what is known to be harmless, and refuses one that would make this process
// run a program or open a file: whoever may register a cluster wrote it. No error repeats a value.
func readKubeconfig(k api.Kubeconfig) (*access, error) {
	content, err := json.Marshal(k)
	if err != nil {
		return nil, &KubeconfigError{"it cannot be written as JSON"}
	}
	var file clientcmd.Config
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, unreadable(err)
	}
	context, cluster, user, err := current(&file)
	if err != nil {
		return nil, err
	}
	if err := inline(cluster, user); err != nil {
		return nil, err
	}
	server, err := url.Parse(cluster.Server)
	if err != nil || server.Scheme != "https" && server.Scheme != "http" || server.Hostname() == "" {
		return nil, &KubeconfigError{"the server is not an http or https URL"}
	}
	proxy, err := proxyOf(cluster)
	if err != nil {
		return nil, err
	}
	config := &rest.Config{
		Host:        cluster.Server,
		BearerToken: user.Token,
		Username:    user.Username,
		Password:    user.Password,
		Impersonate: rest.ImpersonationConfig{
			UserName: user.Impersonate, UID: user.ImpersonateUID,
			Groups: user.ImpersonateGroups, Extra: user.ImpersonateUserExtra,
		},
		TLSClientConfig: rest.TLSClientConfig{
			Insecure:   cluster.InsecureSkipTLSVerify,
			ServerName: cluster.TLSServerName,
			CAData:     cluster.CertificateAuthorityData,
			CertData:   user.ClientCertificateData,
			KeyData:    user.ClientKeyData,
		},
		DisableCompression: cluster.DisableCompression,
		Proxy:              proxy,
		QPS:                -1, // client-go's own limit would be 5 requests per second; see gate
		UserAgent:          FieldManager,
		WarningHandler:     rest.NoWarnings{},
	}
	if cluster.InsecureSkipTLSVerify {
		config.CAData = nil // client-go refuses both at once
	}
	return &access{config: config, host: server.Hostname(), namespace: namespaceOrDefault(context.Namespace)}, nil
}

func namespaceOrDefault(namespace string) string {
	if namespace == "" {
		return "default"
	}
	return namespace
}

// current returns what the current context names. A user that does not exist is one without credentials.
func current(file *clientcmd.Config) (c clientcmd.Context, cluster clientcmd.Cluster, user clientcmd.AuthInfo, err error) {
	found := false
	for _, context := range file.Contexts {
		if context.Name == file.CurrentContext {
			c, found = context.Context, true
		}
	}
	if !found {
		return c, cluster, user, &KubeconfigError{"the current context is missing"}
	}
	found = false
	for _, named := range file.Clusters {
		if named.Name == c.Cluster {
			cluster, found = named.Cluster, true
		}
	}
	if !found {
		return c, cluster, user, &KubeconfigError{"the cluster of the current context is missing"}
	}
	for _, named := range file.AuthInfos {
		if named.Name == c.AuthInfo {
			user = named.AuthInfo
		}
	}
	return c, cluster, user, nil
}

func inline(cluster clientcmd.Cluster, user clientcmd.AuthInfo) error {
	for _, refused := range []struct {
		key   string
		given bool
	}{
		{"exec", user.Exec != nil},
		{"auth-provider", user.AuthProvider != nil},
		{"client-certificate", user.ClientCertificate != ""},
		{"client-key", user.ClientKey != ""},
		{"tokenFile", user.TokenFile != ""},
		{"certificate-authority", cluster.CertificateAuthority != ""},
	} {
		if refused.given {
			return &KubeconfigError{fmt.Sprintf("%s is not accepted: give certificates and tokens inline", refused.key)}
		}
	}
	return nil
}

func proxyOf(cluster clientcmd.Cluster) (func(*http.Request) (*url.URL, error), error) {
	if cluster.ProxyURL == "" {
		return http.ProxyFromEnvironment, nil
	}
	proxy, err := url.Parse(cluster.ProxyURL)
	if err != nil || proxy.Host == "" {
		return nil, &KubeconfigError{"proxy-url is not a URL"}
	}
	return http.ProxyURL(proxy), nil
}

// unreadable names the field that could not be read, and never its value.
func unreadable(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return &KubeconfigError{fmt.Sprintf("%s has the wrong type", wrong.Field)}
	}
	return &KubeconfigError{"certificates or keys are not base64, or the form is wrong"}
}
