package image

import (
	"embed"
	"fmt"

	"github.com/rak-n-rok/krake/tools/kubelab/internal/node"
)

// The folder has programs only once kubelab's own build has put them there.
//
//go:embed all:shipped
var programs embed.FS

// echoNames are those of the server that examples of Kubernetes, and Krake's,
// use.
var echoNames = []string{"registry.k8s.io/echoserver:1.10", "registry.k8s.io/echoserver:1.9"}

// Shipped returns the images that every real node has.
func Shipped() ([]Image, error) {
	images := []Image{
		{Names: []string{node.PauseImage}},
		{Names: echoNames},
	}
	for i, name := range []string{"pause", "echo"} {
		binary, err := programs.ReadFile("shipped/" + name)
		if err != nil {
			return nil, fmt.Errorf("this kubelab was built without images; make kubelab builds it with them: %w", err)
		}
		images[i].Binary = binary
	}
	return images, nil
}
