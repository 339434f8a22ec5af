package settings

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTokens are sent as they are, wherever they come from.
func TestTokens(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	defer server.Close()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		lines string
		env   map[string]string
		want  string
	}{
		"none":                        {"", nil, ""},
		"in the configuration":        {"token: mine\n", nil, "mine"},
		"in a file":                   {"token_file: " + secret + "\n", nil, "from-a-file"},
		"in the environment":          {"", map[string]string{"ROK_TOKEN": "yours"}, "yours"},
		"the environment comes first": {"token: mine\ntoken_file: nowhere\n", map[string]string{"ROK_TOKEN": "yours"}, "yours"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Load(configuration(t, "api_url: "+server.URL+"\nuser: u\n"+c.lines), env(c.env))
			if err != nil || len(s.Warnings) > 0 {
				t.Fatal(s.Warnings, err)
			}
			transport, err := s.Transport()
			if err != nil {
				t.Fatal(err)
			}
			resp, err := (&http.Client{Transport: transport}).Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got != c.want {
				t.Errorf("the server gets %q", got)
			}
		})
	}
}

func TestWhatIsNoToken(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for lines, want := range map[string]string{
		"token: a\ntoken_file: b\n":    "has a token and a token_file: one is enough",
		"token_file: /nowhere/token\n": "token_file: open /nowhere/token: no such file or directory",
		"token_file: " + empty + "\n":  "token_file: " + empty + " is empty",
		"token: \"a\\nb\"\n":           "has characters that no token has",
	} {
		if _, err := Load(configuration(t, "api_url: http://h\nuser: u\n"+lines), env(nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", lines, err)
		}
	}
}

// TestATokenWithoutTLS is read by others on the way, unless there is no way.
func TestATokenWithoutTLS(t *testing.T) {
	for address, warned := range map[string]bool{
		"http://localhost:8080": false, "http://127.0.0.1": false, "http://[::1]:80": false, "http://krake.example:8080": true,
	} {
		s, err := Load(configuration(t, "api_url: "+address+"\nuser: u\ntoken: x\n"), env(nil))
		if err != nil || len(s.Warnings) > 0 != warned {
			t.Errorf("%s: %q, %v", address, s.Warnings, err)
		}
	}
}

func configuration(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rok.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
