package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAnswer(t *testing.T) {
	server := httptest.NewServer(echo("pod-1"))
	defer server.Close()
	for name, test := range map[string]struct {
		method, path, body string
		want               []string
	}{
		"a plain request": {"GET", "/", "", []string{
			"\nHostname: pod-1\n", "\tclient_address=127.0.0.1\n", "\tmethod=GET\n", "\treal path=/\n", "\tquery=\n",
			"\trequest_version=1.1\n", "\trequest_uri=http://127.0.0.1:", "\thost=127.0.0.1:", "\tx-who=me\n", "\t-no body in request-\n"}},
		"a request with a query and a body": {"POST", "/a/b?c=d", "some text", []string{
			"\tmethod=POST\n", "\treal path=/a/b\n", "\tquery=c=d\n", "/a/b?c=d\n", "\nRequest Body:\n\tsome text\n"}},
	} {
		request, err := http.NewRequest(test.method, server.URL+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Who", "me")
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s, %v", name, response.Status, err)
		}
		for _, want := range test.want {
			if !strings.Contains(string(got), want) {
				t.Errorf("%s: %q is missing in\n%s", name, want, got)
			}
		}
	}
}
