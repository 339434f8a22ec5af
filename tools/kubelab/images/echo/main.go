// Command echo answers each HTTP request with what it knows of it, on port 8080.
// It is what kubelab has under the names of registry.k8s.io/echoserver, which
// many first applications use, and answers in the same form.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// grace is how long requests may take when the server is told to end.
const grace = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	host, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: ":8080", Handler: echo(host), ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err := <-ended:
		log.Fatal(err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		log.Fatal(err)
	}
}

// echo answers as the server called host.
func echo(host string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, answer(host, r, body))
	}
}

func answer(host string, r *http.Request, body []byte) string {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	text := &strings.Builder{}
	fmt.Fprintf(text, "\n\nHostname: %s\n", host)
	fmt.Fprintf(text, "\nPod Information:\n\t-no pod information available-\n")
	fmt.Fprintf(text, "\nServer values:\n\tserver_version=kubelab echo\n")
	fmt.Fprintf(text, "\nRequest Information:\n\tclient_address=%s\n\tmethod=%s\n\treal path=%s\n\tquery=%s\n\trequest_version=%d.%d\n\trequest_scheme=http\n\trequest_uri=http://%s%s\n",
		client, r.Method, r.URL.Path, r.URL.RawQuery, r.ProtoMajor, r.ProtoMinor, r.Host, r.URL.RequestURI())
	fmt.Fprintf(text, "\nRequest Headers:\n")
	lines := []string{"host=" + r.Host} // Go keeps it apart from the others
	for name, values := range r.Header {
		lines = append(lines, strings.ToLower(name)+"="+strings.Join(values, ", "))
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintf(text, "\t%s\n", line)
	}
	shown := string(body)
	if shown == "" {
		shown = "-no body in request-"
	}
	fmt.Fprintf(text, "\nRequest Body:\n\t%s\n\n", shown)
	return text.String()
}
