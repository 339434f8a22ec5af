package prometheus_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/metrics/prometheus"
	"github.com/rak-n-rok/krake/internal/metrics/providertest"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// issue returns a certificate for a name and for 127.0.0.1, and its key, in PEM.
func (a authority) issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &own.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// A server that asks for a certificate, and has one itself that this machine does not trust.
func TestAuthenticationByCertificate(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	serverCert, serverKey := ours.issue(t, "prometheus")
	pair, err := tls.X509KeyPair([]byte(serverCert), []byte(serverKey))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(ours.cert)
	h := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := r.TLS.PeerCertificates[0].Subject.CommonName; name != "krake" {
			t.Errorf("%s has asked", name)
		}
		providertest.Answer{Type: jsonType, Body: vector(heat(`"0.42"`))}.ServeHTTP(w, r)
	}))
	h.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.StartTLS()
	defer h.Close()

	cert, key := ours.issue(t, "krake")
	good := api.PrometheusProvider{URL: h.URL, ClientCertificate: &cert, ClientKey: &key, CACertificate: &ours.pem}
	if got, err := open(t, good).Read(t.Context(), "heat"); got != 0.42 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	strangeCert, strangeKey := others.issue(t, "krake")
	for name, settings := range map[string]api.PrometheusProvider{
		"without a certificate":           {URL: h.URL, CACertificate: &ours.pem},
		"with one that others signed":     {URL: h.URL, CACertificate: &ours.pem, ClientCertificate: &strangeCert, ClientKey: &strangeKey},
		"of a server that is not trusted": {URL: h.URL, ClientCertificate: &cert, ClientKey: &key},
		"of one that others signed":       {URL: h.URL, ClientCertificate: &cert, ClientKey: &key, CACertificate: &others.pem},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, settings).Read(t.Context(), "heat")
			providertest.Unreachable(t, err, "")
		})
	}
	// What another program has stored, past the checks of the API.
	none := "none"
	for _, settings := range []api.PrometheusProvider{{ClientCertificate: &cert, ClientKey: &none}, {CACertificate: &none}} {
		_, err := prometheus.Open(api.MetricsProviderSpec{Prometheus: &settings})
		providertest.Invalid(t, err, "cannot be used")
	}
}
