package kubernetes

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/rak-n-rok/krake/client"
)

// installation is the name of the Krake that objects are marked with. It never changes, and is asked for once.
type installation struct {
	mu   sync.Mutex
	name string // empty until it was asked for
}

func (i *installation) of(ctx context.Context, c *client.Client) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.name != "" {
		return i.name, nil
	}
	data, err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/installation"})
	if err != nil {
		return "", err
	}
	var answer struct {
		Installation string `json:"installation"`
	}
	err = json.Unmarshal(data, &answer)
	i.name = answer.Installation
	return answer.Installation, err
}
