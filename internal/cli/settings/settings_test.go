package settings

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func env(pairs map[string]string) func(string) string {
	return func(key string) string { return pairs[key] }
}

func TestUsualPlaces(t *testing.T) {
	system := []string{"/etc/rok/rok.yaml", "/etc/rok/krakectl.yaml", "/etc/krakectl/rok.yaml", "/etc/krakectl/krakectl.yaml",
		"/etc/krake/rok.yaml"}
	for name, c := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"a home":  {map[string]string{"HOME": "/h"}, []string{"rok.yaml", "krakectl.yaml", "/h/.config/rok.yaml", "/h/.config/krakectl.yaml"}},
		"XDG":     {map[string]string{"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, []string{"rok.yaml", "krakectl.yaml", "/x/rok.yaml", "/x/krakectl.yaml"}},
		"neither": {nil, []string{"rok.yaml", "krakectl.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := usual(env(c.env)); !slices.Equal(got, append(c.want, system...)) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestWhatIsWrongInAFile names the file, the line and the key.
func TestWhatIsWrongInAFile(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a key that is almost right":       {"user: u\napi_ulr: http://h\n", "FILE:2: unknown key 'api_ulr'; did you mean 'api_url'?"},
		"a key that nobody knows":          {"user: u\n# why\ncolour: x\n", "FILE:3: unknown key 'colour' (known are api_url, tls, token, token_file, user)"},
		"a key in a section":               {"user: u\napi_url: http://h\ntls:\n  enabled: true\n  client_crt: x\n", "FILE:5: unknown key 'tls.client_crt'; did you mean 'tls.client_cert'?"},
		"a key out of its section":         {"user: u\nenabled: true\n", "FILE:2: unknown key 'enabled' (known are api_url, tls, token, token_file, user)"},
		"a key in a section on one line":   {"user: u\ntls: {enable: true}", "FILE:2: unknown key 'tls.enable'; did you mean 'tls.enabled'?"},
		"a key twice":                      {"user: u\napi_url: http://h\nuser: v\n", "FILE:3: the key 'user' is there twice"},
		"a list where a text should be":    {"user: [u]\n", "FILE:1: the key 'user' is to be a text"},
		"a text where a truth should be":   {"user: u\ntls:\n  enabled: perhaps\n", "FILE:3: the key 'tls.enabled' is to be true or false"},
		"a text where a section should be": {"user: u\ntls: yes\n", "FILE:2: the key 'tls' is to be a section with keys of its own"},
		"a list at the top":                {"- user: u\n", "FILE:1: the file is to consist of keys with their values"},
		"a text at the top":                {"http://h\n", "FILE:1: the file is to consist of keys with their values"},
		"a section as a key":               {"? {a: b}\n: c\n", "FILE:1: a key is to be a text"},
		"no YAML":                          {"user: u\napi_url: http: //h\n", "FILE:2: not valid YAML: mapping values are not allowed in this context"},
		"a second document":                {"user: u\napi_url: http://h\n---\nuser: v\n", "FILE:4: there is more than one document"},
		"no address":                       {"user: u\n", "the configuration FILE lacks the key api_url"},
		"an address of nothing":            {"user: u\napi_url:\n", "the configuration FILE lacks the key api_url"},
		"no user":                          {"api_url: http://h\n", "the configuration FILE lacks the key user"},
		"nothing":                          {"# nothing\n", "the configuration FILE lacks the key user"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "rok.yaml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Load(file, env(nil))
			if err == nil || strings.ReplaceAll(err.Error(), file, "FILE") != c.want {
				t.Errorf("got %+v, %v, want %s", s, err, c.want)
			}
		})
	}
}

// TestFilesOfAllYears are read: those of the Python client, with what its template fills in, and other ways to write them.
func TestFilesOfAllYears(t *testing.T) {
	for name, text := range map[string]string{
		"without certificates":        "api_url: http://h:1\nuser: system:admin\n",
		"certificates for later":      "api_url: http://h:1\nuser: system:admin\ntls:\n  enabled: false\n  client_ca: /c/ca.pem\n  client_cert: /c/system:admin.pem\n  client_key: /c/system:admin-key.pem\n",
		"the truths of YAML 1.1":      "api_url: http://h:1\nuser: system:admin\ntls:\n  enabled: no\n",
		"an empty section":            "api_url: http://h:1\nuser: system:admin\ntls:\n",
		"a value that is named":       "api_url: &a http://h:1\nuser: system:admin\n",
		"JSON":                        `{"api_url": "http://h:1", "user": "system:admin"}`,
		"markers around the document": "%YAML 1.1\n---\napi_url: http://h:1\nuser: system:admin\n...\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "rok.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err := Load(file, env(nil)); err != nil || s.APIURL != "http://h:1" || s.User != "system:admin" || s.TLS.Enabled {
				t.Errorf("got %+v, %v", s, err)
			}
		})
	}
}

// authority makes certificates for both sides of a connection.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue writes NAME.pem and NAME-key.pem.
func (a *authority) issue(name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.check(err)
	template.SerialNumber = big.NewInt(int64(len(name)))
	template.Subject = pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	a.check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	a.check(err)
	a.check(os.WriteFile(a.file(name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	a.check(os.WriteFile(a.file(name+"-key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	cert, err := x509.ParseCertificate(der)
	a.check(err)
	return cert, key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) check(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// TestClientCertificate sends a request to a server that wants to know who is calling.
func TestClientCertificate(t *testing.T) {
	a := newAuthority(t)
	a.issue("server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	a.issue("system:admin", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	pair, err := tls.LoadX509KeyPair(a.file("server.pem"), a.file("server-key.pem"))
	a.check(err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	server.StartTLS()
	defer server.Close()

	file := a.file("rok.yaml")
	a.check(os.WriteFile(file, []byte(`
api_url: http://`+server.Listener.Addr().String()+`/api
user: system:admin
tls:
  enabled: true
  client_ca: `+a.file("ca.pem")+`
  client_cert: `+a.file("system:admin.pem")+`
  client_key: `+a.file("system:admin-key.pem")+`
`), 0o600))
	s, err := Load(file, env(nil))
	a.check(err)
	if want := "https://" + server.Listener.Addr().String(); s.APIURL != want || len(s.Warnings) != 1 {
		t.Errorf("got %s with the warnings %q, want %s and one warning", s.APIURL, s.Warnings, want)
	}
	transport, err := s.Transport()
	a.check(err)
	resp, err := (&http.Client{Transport: transport}).Get(s.APIURL)
	a.check(err)
	defer resp.Body.Close()
	if who, err := io.ReadAll(resp.Body); err != nil || string(who) != "system:admin" {
		t.Errorf("the server saw %q, %v", who, err)
	}
}

func TestSeveralAddresses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rok.yaml")
	if err := os.WriteFile(file, []byte("api_url: http://a:1/x, https://b:2\nuser: u\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(file, env(nil))
	if err != nil || s.APIURL != "http://a:1,http://b:2" || len(s.Warnings) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if err := os.WriteFile(file, []byte("api_url: http://a:1,\nuser: u\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file, env(nil)); err == nil {
		t.Error("an address of nothing is accepted")
	}
}
