package server

import (
	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/scheduler/preview"
)

// mountPreview has the API answer where applications would be placed.
func mountPreview(to *apiserver.Server, connect func(user string) (*client.Client, error), settings Settings) (*preview.Preview, error) {
	c, err := connect("system:preview")
	if err != nil {
		return nil, err
	}
	p := preview.New(preview.Options{Client: c, Rules: settings.Rules})
	to.MountAnswers(map[string]apiserver.Answer{api.PlacementsQuestion: p.Answer})
	return p, nil
}
