package supervisor

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"os"
	"testing"
)

func TestPKIServesItsAddressesAndStays(t *testing.T) {
	t.Chdir(t.TempDir())
	node := netip.MustParseAddr("10.201.0.2")
	if err := ensurePKI("a", "secret", node); err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(caCert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("no certificate in " + caCert)
	}
	pair, err := tls.LoadX509KeyPair(servingCert, servingKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", node.String(), "localhost", "kubernetes.default.svc"} {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if users, _ := os.ReadFile(tokenFile); string(users) != "secret,admin,admin,system:masters\n" {
		t.Errorf("users: %q", users)
	}

	if err := ensurePKI("a", "secret", node); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(caCert); string(again) != string(ca) {
		t.Error("the second start made another identity")
	}
}
