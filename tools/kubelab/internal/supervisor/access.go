package supervisor

import (
	"fmt"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/cluster"
)

// writeKubeconfig writes the file that users, and the parts, reach the cluster
// with. Cluster, context and user all bear the cluster's name, and nothing in it
// refers to another file, so it can be handed on.
func writeKubeconfig(c cluster.Cluster, spec cluster.Spec) error {
	ca, err := os.ReadFile(caCert)
	if err != nil {
		return err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[c.Name] = &clientcmdapi.Cluster{Server: spec.URL(), CertificateAuthorityData: ca}
	config.AuthInfos[c.Name] = &clientcmdapi.AuthInfo{Token: spec.Token}
	config.Contexts[c.Name] = &clientcmdapi.Context{Cluster: c.Name, AuthInfo: c.Name}
	config.CurrentContext = c.Name
	content, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	// Written aside first: a reader sees all of it or nothing.
	const next = "kubeconfig.next"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	return os.Rename(next, c.Kubeconfig())
}

// restConfig is the administrator's access, without a limit on requests.
func restConfig(c cluster.Cluster) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	config.UserAgent = "kubelab"
	return config, nil
}
