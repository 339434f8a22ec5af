package supervisor

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// The files of the cluster's identity, relative to its home.
const (
	pkiFolder         = "pki"
	caCert            = pkiFolder + "/ca.crt"
	caKey             = pkiFolder + "/ca.key"
	servingCert       = pkiFolder + "/serving.crt"
	servingKey        = pkiFolder + "/serving.key"
	serviceAccountKey = pkiFolder + "/service-accounts.key"
	tokenFile         = pkiFolder + "/tokens.csv"
)

// validity is longer than any test cluster lives.
const validity = 10 * 365 * 24 * time.Hour

// ensurePKI makes the cluster's identity at its first start: a certificate
// authority, a serving certificate for all parts, the key that signs service
// account tokens, and the administrator's token. All or nothing is there.
func ensurePKI(name, token string, addresses ...netip.Addr) error {
	if _, err := os.Stat(pkiFolder); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	files, err := newPKI(name, token, addresses...)
	if err != nil {
		return fmt.Errorf("making certificates: %w", err)
	}
	next := pkiFolder + ".next"
	if err := os.RemoveAll(next); err != nil {
		return err
	}
	if err := os.Mkdir(next, 0o700); err != nil {
		return err
	}
	for path, content := range files {
		if err := os.WriteFile(filepath.Join(next, filepath.Base(path)), content, 0o600); err != nil {
			return err
		}
	}
	return os.Rename(next, pkiFolder)
}

// newPKI returns the content of each file. The addresses are those of the API
// server.
func newPKI(name, token string, addresses ...netip.Addr) (map[string][]byte, error) {
	ca, err := newKey()
	if err != nil {
		return nil, err
	}
	serving, err := newKey()
	if err != nil {
		return nil, err
	}
	accounts, err := newKey()
	if err != nil {
		return nil, err
	}
	authority := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "kubelab " + name},
		NotBefore:             time.Now().Add(-time.Hour), // clocks may differ a little
		NotAfter:              time.Now().Add(validity),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "kube-apiserver"},
		NotBefore:    authority.NotBefore,
		NotAfter:     authority.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		// As a client, the API server shows it to the kubelet.
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames: []string{"localhost", "kubernetes", "kubernetes.default",
			"kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	for _, address := range addresses {
		server.IPAddresses = append(server.IPAddresses, address.AsSlice())
	}
	return signAll(authority, server, ca, serving, accounts, token)
}

func signAll(authority, server *x509.Certificate, ca, serving, accounts *ecdsa.PrivateKey, token string) (map[string][]byte, error) {
	caDER, err := x509.CreateCertificate(rand.Reader, authority, authority, ca.Public(), ca)
	if err != nil {
		return nil, err
	}
	serverDER, err := x509.CreateCertificate(rand.Reader, server, authority, serving.Public(), ca)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{
		caCert:      encode("CERTIFICATE", caDER),
		servingCert: bytes.Join([][]byte{encode("CERTIFICATE", serverDER), encode("CERTIFICATE", caDER)}, nil),
		tokenFile:   fmt.Appendf(nil, "%s,admin,admin,system:masters\n", token),
	}
	for path, key := range map[string]*ecdsa.PrivateKey{caKey: ca, servingKey: serving, serviceAccountKey: accounts} {
		der, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			return nil, err
		}
		files[path] = encode("EC PRIVATE KEY", der)
	}
	return files, nil
}

func newKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
