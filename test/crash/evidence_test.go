//go:build crash

package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

// collect writes down, beside the data directory and the server's log, what the API, the clusters and the witness say
// at the moment of a failure. No server with controllers may run, so that nothing changes any more.
func (x *experiment) collect(failure error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	x.keep("failure.txt", func() (any, error) { return failure.Error(), nil })
	for _, c := range x.clusters {
		x.keep("cluster-"+c.site+".json", func() (any, error) { return c.ours(ctx) })
	}
	x.keep("witness.json", func() (any, error) {
		var out []string
		x.witness.mu.Lock()
		defer x.witness.mu.Unlock()
		for s, uid := range x.witness.seen {
			_, alive := x.witness.live[uid]
			out = append(out, fmt.Sprintf("%s, UID %s, alive %t", s, uid, alive))
		}
		return out, nil
	})
	x.keep("copies.json", func() (any, error) {
		out := map[string][]string{}
		x.witness.mu.Lock()
		defer x.witness.mu.Unlock()
		for name, s := range x.witness.stories {
			out[name] = s.order
		}
		return out, nil
	})
	x.keep("promises.txt", func() (any, error) {
		var out []string
		for _, a := range x.load.all() {
			out = append(out, fmt.Sprintf("%s %+v of %+v", a.name, a.promise(), a.life))
		}
		return out, nil
	})
	p, err := x.server.start(startOptions{binary: x.binaries.plain, frozen: true})
	if err != nil {
		x.t.Log("the API cannot be asked any more: ", err)
		return
	}
	defer p.kill()
	if ready, err := p.await(ctx); err != nil || !ready {
		x.t.Log("the API cannot be asked any more, see the server's log: ", err)
		return
	}
	x.keep("applications.json", func() (any, error) { return x.everything(ctx) })
	x.keep("clusters.json", func() (any, error) {
		records, _, err := x.load.records.List(ctx, krakeNamespace)
		return records, err
	})
	x.keep("leftovers.json", func() (any, error) {
		leftovers, _, err := client.Of[api.Leftover](x.load.client).List(ctx, krakeNamespace)
		return leftovers, err
	})
}

// everything reads all applications with all their parts.
func (x *experiment) everything(ctx context.Context) (map[string]any, error) {
	apps, _, err := x.load.apps.List(ctx, krakeNamespace)
	out := map[string]any{}
	for _, app := range apps {
		parts := map[string]any{"application": app}
		for _, part := range api.ApplicationKind.Parts {
			content := part.New()
			if _, err := x.load.apps.GetPart(ctx, app, part.Name, content); err != nil {
				content = err.Error()
			}
			parts[part.Name] = content
		}
		out[app.Metadata.Name] = parts
	}
	return out, err
}

// keep writes a file into the directory of the run.
func (x *experiment) keep(name string, content func() (any, error)) {
	value, err := content()
	if err != nil {
		value = err.Error()
	}
	data, err := json.MarshalIndent(value, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(x.dir, name), data, 0o600)
	}
	if err != nil {
		x.t.Logf("writing %s: %v", name, err)
	}
}
