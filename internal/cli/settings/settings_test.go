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
