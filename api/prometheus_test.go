package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
)

// pemPair is a certificate and its key.
func pemPair(t *testing.T) (cert, key string) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &own.PublicKey, own)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

func TestLoginsOfPrometheus(t *testing.T) {
	cert, key := pemPair(t)
	_, otherKey := pemPair(t)
	for name, c := range map[string]struct {
		login map[string]any
		want  string // empty if it is good
	}{
		"none":                       {nil, ""},
		"none, said so":              {map[string]any{"username": nil, "password": nil, "token": nil, "client_certificate": nil, "client_key": nil, "ca_certificate": nil}, ""},
		"a name and a password":      {map[string]any{"username": "u", "password": "p:q"}, ""},
		"empty ones":                 {map[string]any{"username": "", "password": ""}, ""},
		"a name alone":               {map[string]any{"username": "u"}, `{'password': ['Must be given with username.']}`},
		"a password alone":           {map[string]any{"password": "p"}, `{'username': ['Must be given with password.']}`},
		"a name with a colon":        {map[string]any{"username": "u:v", "password": "p"}, `{'username': ['Cannot have a colon.']}`},
		"a token":                    {map[string]any{"token": "a.b-c_d=="}, ""},
		"a token of two lines":       {map[string]any{"token": "a\nb"}, `{'token': ['Must be ASCII without blanks.']}`},
		"a token and a name":         {map[string]any{"token": "t", "username": "u", "password": "p"}, `{'token': ['Cannot be given with username and password.']}`},
		"a certificate":              {map[string]any{"client_certificate": cert, "client_key": key}, ""},
		"a certificate and a token":  {map[string]any{"client_certificate": cert, "client_key": key, "token": "t", "ca_certificate": cert + cert}, ""},
		"a certificate without key":  {map[string]any{"client_certificate": cert}, `{'client_key': ['Must be given with client_certificate.']}`},
		"a key without certificate":  {map[string]any{"client_key": key}, `{'client_certificate': ['Must be given with client_key.']}`},
		"the key of another":         {map[string]any{"client_certificate": cert, "client_key": otherKey}, `{'client_certificate': ['Must be a certificate in PEM that belongs to client_key.']}`},
		"a file name":                {map[string]any{"client_certificate": "/a.pem", "client_key": "/b.pem"}, `{'client_certificate': ['Must be a certificate in PEM that belongs to client_key.']}`},
		"an authority":               {map[string]any{"ca_certificate": cert}, ""},
		"an authority that is a key": {map[string]any{"ca_certificate": key}, `{'ca_certificate': ['Must have a certificate in PEM.']}`},
		"an authority of nothing":    {map[string]any{"ca_certificate": ""}, `{'ca_certificate': ['Must have a certificate in PEM.']}`},
		"another type":               {map[string]any{"password": 5, "username": "u"}, `{'password': ['Not a valid string.']}`},
		"several mistakes":           {map[string]any{"token": "ü", "username": "u"}, `{'password': ['Must be given with username.'], 'token': ['Cannot be given with username and password.', 'Must be ASCII without blanks.']}`},
	} {
		t.Run(name, func(t *testing.T) {
			settings := map[string]any{"url": "https://p"}
			for k, v := range c.login {
				settings[k] = v
			}
			data, err := json.Marshal(settings)
			if err != nil {
				t.Fatal(err)
			}
			_, err = decodeProvider(t, `{"type": "prometheus", "prometheus": `+string(data)+`}`)
			got := ""
			if err != nil {
				got = strings.TrimSuffix(strings.TrimPrefix(err.Error(), "{'spec': "), "}")
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			for _, secret := range []string{"BEGIN", "p:q", "a.b-c_d"} {
				if strings.Contains(got, secret) {
					t.Errorf("the error shows a secret: %s", got)
				}
			}
		})
	}
}
