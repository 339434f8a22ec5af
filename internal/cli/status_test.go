package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestStatus asks a server for which three processes have worked.
func TestStatus(t *testing.T) {
	s := serve(t)
	for name, spec := range map[string]string{
		"gc":                 `{"holder": "host-1", "duration": 15, "acquired": "2022-03-30T16:00:00Z", "renewed": "2022-03-30T16:00:10Z"}`,
		"kubernetes-cluster": `{"holder": "", "duration": 15, "renewed": "2022-03-30T16:00:10Z"}`,
		"scheduler":          `{"holder": "host-2", "duration": 15, "acquired": "2022-03-30T16:00:00Z", "renewed": "2999-01-01T00:00:00Z"}`,
	} {
		s.send(t, http.MethodPost, "/core/leases", fmt.Sprintf(`{"metadata": {"name": %q}, "spec": %s}`, name, spec))
	}
	out, errs, _, ended := s.start(t, "status", 0)
	exit(t, ended, 0, errs)
	const want = `+---------+-----------------------+
| api     | http://127.0.0.1:8080 |
| alive   | ok                    |
| ready   | ready                 |
| version | dev                   |
| wire    | 1.0.1                 |
+---------+-----------------------+
+--------------------+---------+--------+---------------------+---------------------+
|     component      |  state  | holder |        since        |       renewed       |
+====================+=========+========+=====================+=====================+
| gc                 | late    | host-1 | 2022-03-30 16:00:00 | 2022-03-30 16:00:10 |
| kubernetes-cluster | idle    |        | None                | 2022-03-30 16:00:10 |
| scheduler          | working | host-2 | 2022-03-30 16:00:00 | 2999-01-01 00:00:00 |
+--------------------+---------+--------+---------------------+---------------------+
`
	got := strings.ReplaceAll(masked(out.String()), s.url, "http://127.0.0.1:8080")
	if diff := cmp.Diff(table(want), table(got)); diff != "" || errs.String() != "" {
		t.Errorf("-want +got:\n%s%s", diff, errs)
	}
}

// table is a table without what depends on the length of an address.
func table(text string) string { return strings.NewReplacer("-", "", " ", "").Replace(text) }

// strangers are servers that are no Krake API of this version.
func stranger(t *testing.T, answer http.HandlerFunc) apiServer {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	config := filepath.Join(t.TempDir(), "rok.yaml")
	if err := os.WriteFile(config, []byte("user: u\napi_url: "+s.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	return apiServer{&recorder{url: s.URL}, config}
}

func TestStatusOfOtherServers(t *testing.T) {
	version := func(w http.ResponseWriter) { fmt.Fprint(w, `{"version": "1.0.1"}`) }
	problem := func(w http.ResponseWriter, status int, detail string) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"status": %d, "type": "about:blank", "detail": %q}`, status, detail)
	}
	for name, c := range map[string]struct {
		answer   http.HandlerFunc
		code     int
		out, err string
	}{
		"an older one": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				version(w)
				return
			}
			problem(w, 404, "404: Not Found")
		}, 0, `"ready": null`, ""},
		"one that is not ready": {func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/":
				version(w)
			case "/healthz":
				fmt.Fprint(w, `{"status": "ok"}`)
			case "/version":
				fmt.Fprint(w, `{"version": "v2", "wire": "1.0.1"}`)
			default:
				w.Header().Set("Retry-After", "0")
				problem(w, 503, "503: Service Unavailable: the database does not answer")
			}
		}, 1, `"alive": "ok"`, "Error: the API at URL is not ready: 503: Service Unavailable: the database does not answer\n"},
		"no Krake API": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, 1, "",
			"Error: the answer of URL is no Krake document (is it a Krake API? set api_url in FILE)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stranger(t, c.answer)
			out, errs, _, ended := s.start(t, "status -o json", 0)
			exit(t, ended, c.code, errs)
			got := strings.NewReplacer(s.url, "URL", s.config, "FILE").Replace(errs.String())
			if !strings.Contains(out.String(), c.out) || got != c.err {
				t.Errorf("%s%s", out, got)
			}
		})
	}
}

// TestASlowServer is waited for, and can be left.
func TestASlowServer(t *testing.T) {
	arrived := make(chan struct{}, 10)
	s := stranger(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	_, errs, stop, ended := s.start(t, "kube app list", 0)
	<-arrived
	select {
	case code := <-ended:
		t.Fatalf("it has ended with %d: %s", code, errs)
	case <-time.After(200 * time.Millisecond):
	}
	stop()
	exit(t, ended, 130, errs)

	_, errs, _, ended = s.start(t, "kube app list --timeout 100ms", 0)
	exit(t, ended, 1, errs)
	if got := errs.String(); !strings.HasPrefix(got, "Error: cannot reach http://") || !strings.Contains(got, ": no answer in time (") {
		t.Error(got)
	}
	_, errs, _, ended = s.start(t, "kube app list --timeout 0s", 0)
	exit(t, ended, 2, errs)
	_, errs, _, ended = s.start(t, "kube app list --timeout soon", 0)
	exit(t, ended, 2, errs)
}

// TestAnOlderServer knows neither versions nor selectors nor cursors of a watch, as the first Krake does not.
func TestAnOlderServer(t *testing.T) {
	object := func(name, state string) string {
		return fmt.Sprintf(`{"api": "kubernetes", "kind": "Application", "metadata": {"name": %q, "namespace": "u", "labels": null},
			"spec": {"manifest": []}, "status": {"state": %q}}`, name, state)
	}
	s := stranger(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("If-Match") != "":
			w.WriteHeader(http.StatusBadRequest)
		case r.URL.Query().Has("watch"):
			compact := strings.Join(strings.Fields(object("a", "RUNNING")), " ")
			fmt.Fprintf(w, "{\"type\": \"MODIFIED\", \"object\": %s}\n", compact)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		case strings.HasSuffix(r.URL.Path, "/applications"):
			fmt.Fprintf(w, `{"items": [%s, %s], "metadata": {}}`, object("a", "PENDING"), object("b", "PENDING"))
		default:
			fmt.Fprint(w, object("a", "PENDING"))
		}
	})
	for line, want := range map[string]string{
		"app list -o name": "a\nb\n", "app get a": "| PENDING", "app update a -l x=y": "| PENDING", "app delete a": "",
		"wait app a": "| RUNNING", "app get a -o json": `"state": "PENDING"`,
	} {
		out, errs, _, ended := s.start(t, line, 0)
		exit(t, ended, 0, errs)
		if !strings.Contains(out.String(), want) || errs.String() != "" {
			t.Errorf("rok %s:\n%s%s", line, out, errs)
		}
	}
	out, errs, stop, ended := s.start(t, "app list --watch", 0)
	shows(t, out, "| RUNNING")
	stop()
	exit(t, ended, 130, errs)
}

// TestANewerServer has states, kinds of fields and values that this version does not know. All of it is shown, and an
// update leaves all of it where it is.
func TestANewerServer(t *testing.T) {
	const object = `{"api": "kubernetes", "kind": "Application", "future": [1, {"a": null}], "metadata": {"name": "a", "namespace": "u", "labels": {}},
		"spec": {"manifest": [], "constraints": null, "mode": "FUTURE"}, "status": {"state": "FLOATING", "container_health": {"desired_pods": "many"}}}`
	written := make(chan string, 1)
	s := stranger(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			body, _ := io.ReadAll(r.Body)
			written <- string(body)
		}
		if strings.HasSuffix(r.URL.Path, "applications") {
			fmt.Fprintf(w, `{"items": [%s], "metadata": {"news": true}}`, object)
			return
		}
		fmt.Fprint(w, object)
	})
	for line, want := range map[string]string{
		"kube app list": "| FLOATING |", "kube app get a": "| state                 | FLOATING", "kube app get a -o json": `"mode": "FUTURE"`,
		"kube app update a -l x=y": "FLOATING", "kube app list -o wide": "| FLOATING |",
	} {
		out, errs, _, ended := s.start(t, line, 0)
		exit(t, ended, 0, errs)
		if !strings.Contains(out.String(), want) {
			t.Errorf("rok %s:\n%s", line, out)
		}
	}
	if got := <-written; !strings.Contains(got, `"future":[1,{"a":null}]`) || !strings.Contains(got, `"labels":{"x":"y"}`) {
		t.Errorf("the update writes %s", got)
	}
}

// TestServersThatFail answers everything with an error or with nonsense. Every command ends with one line and code 1.
func TestServersThatFail(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"an error of the server": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"a broken gateway":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) },
		"a page":                 func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"half a document":        func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"items": [`) },
		"a number":               func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `7`) },
		"a broken connection": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{`)
		},
	} {
		for _, line := range []string{
			"kube app list", "kube cluster get c -o json", "core mp update m --url u", "core role create r --rule verbs=get",
			"os cluster delete c", "infra cloud list --all -o name", "status", "wait app a", "kube app list --watch", "os cluster kubeconfig c",
		} {
			t.Run(name+"/"+line, func(t *testing.T) {
				t.Parallel()
				out, errs, _, ended := stranger(t, answer).start(t, line, 0)
				exit(t, ended, 1, errs)
				if got := errs.String(); out.String() != "" || strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "Error") {
					t.Errorf("%s%s", out, got)
				}
			})
		}
	}
}
