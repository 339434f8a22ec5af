package fleet

import (
	"net/http"
	"testing"
)

// What is sent over a tunnel leaves over the connection of which the identity of the cluster was read.
func TestATunnelIsOneConnection(t *testing.T) {
	b := newBench(t)
	for name, upgrade := range map[string]string{"nothing else": "", "a WebSocket": "websocket", "SPDY": "SPDY/3.1"} {
		t.Run(name, func(t *testing.T) {
			tunnel, err := b.tunnel(b.ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer tunnel.close()
			request, err := http.NewRequestWithContext(b.ctx, http.MethodGet, b.rest.Get().AbsPath("/version").URL().String(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if upgrade != "" {
				request.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {upgrade}}
			}
			response, err := tunnel.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
		})
	}
}
