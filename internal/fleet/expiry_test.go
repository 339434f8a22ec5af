package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

func certificate(t *testing.T, end time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.Add(-time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestWhenCredentialsEnd(t *testing.T) {
	never := time.Time{}
	soon, later := time.Unix(2_000_000_000, 0), time.Unix(2_100_000_000, 0)
	token := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x"
	}
	for name, c := range map[string]struct {
		config rest.Config
		want   time.Time
	}{
		"none":                          {rest.Config{}, never},
		"a password":                    {rest.Config{Username: "u", Password: "p"}, never},
		"a certificate":                 {rest.Config{TLSClientConfig: rest.TLSClientConfig{CertData: certificate(t, soon)}}, soon},
		"a token":                       {rest.Config{BearerToken: token(`{"exp": 2000000000}`)}, soon},
		"a token in parts of seconds":   {rest.Config{BearerToken: token(`{"exp": 2000000000.5}`)}, soon},
		"a token without an end":        {rest.Config{BearerToken: token(`{"sub": "x"}`)}, never},
		"a token that is no such thing": {rest.Config{BearerToken: "a.b.c"}, never},
		"a token of another kind":       {rest.Config{BearerToken: "secret"}, never},
		"a certificate that is none":    {rest.Config{TLSClientConfig: rest.TLSClientConfig{CertData: []byte("x")}}, never},
		"both, the certificate first": {rest.Config{BearerToken: token(`{"exp": 2100000000}`),
			TLSClientConfig: rest.TLSClientConfig{CertData: certificate(t, soon)}}, soon},
		"both, the token first": {rest.Config{BearerToken: token(`{"exp": 2000000000}`),
			TLSClientConfig: rest.TLSClientConfig{CertData: certificate(t, later)}}, soon},
	} {
		t.Run(name, func(t *testing.T) {
			if got := expiry(&c.config); !got.Equal(c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
