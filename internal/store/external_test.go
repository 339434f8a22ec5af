package store

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"golang.org/x/sync/errgroup"
)

// A member is one of an etcd cluster.
type member struct {
	*embed.Etcd
	once sync.Once
}

func (m *member) stop() { m.once.Do(m.Close) }

// members runs an etcd cluster with real connections; the certificate files are empty for none.
func members(t *testing.T, n int, cert, key string) []*member {
	t.Helper()
	scheme := "http"
	if cert != "" {
		scheme = "https"
	}
	configs, cluster := make([]*embed.Config, n), []string{}
	for i := range configs {
		cfg := embed.NewConfig()
		cfg.Name, cfg.Dir, cfg.LogLevel, cfg.UnsafeNoFsync = fmt.Sprint("m", i), filepath.Join(t.TempDir(), "data"), "fatal", true
		cfg.ListenPeerUrls, cfg.ListenClientUrls = []url.URL{address(t, "http")}, []url.URL{address(t, scheme)}
		cfg.AdvertisePeerUrls, cfg.AdvertiseClientUrls = cfg.ListenPeerUrls, cfg.ListenClientUrls
		cfg.ClientTLSInfo.CertFile, cfg.ClientTLSInfo.KeyFile = cert, key
		cfg.TickMs, cfg.ElectionMs = 50, 500
		configs[i] = cfg
		cluster = append(cluster, cfg.Name+"="+cfg.ListenPeerUrls[0].String())
	}
	started := make([]*member, n)
	var starting errgroup.Group
	for i, cfg := range configs {
		cfg.InitialCluster = strings.Join(cluster, ",")
		starting.Go(func() error {
			e, err := embed.StartEtcd(cfg)
			if err != nil {
				return err
			}
			started[i] = &member{Etcd: e}
			<-e.Server.ReadyNotify()
			return nil
		})
	}
	if err := starting.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, m := range started {
			m.stop()
		}
	})
	return started
}

// address is one on loopback that nobody uses at the moment.
func address(t *testing.T, scheme string) url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return url.URL{Scheme: scheme, Host: l.Addr().String()}
}

func endpoints(members []*member) []string {
	var out []string
	for _, e := range members {
		out = append(out, e.Config().ListenClientUrls[0].String())
	}
	return out
}

func connected(t *testing.T, etcd Etcd) *Store {
	t.Helper()
	s, err := Connect(t.Context(), etcd, Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// What one server has acknowledged another one reads at once, and both tell it to their watches.
func TestServersOnOneEtcdSeeEachOther(t *testing.T) {
	t.Parallel()
	cluster := members(t, 3, "", "")
	a, b := connected(t, Etcd{Endpoints: endpoints(cluster[:1])}), connected(t, Etcd{Endpoints: endpoints(cluster[1:])})
	w := watch(t, b, "/n/", Cursor{})
	for i := range 200 {
		writer, reader := a, b
		if i%2 == 1 {
			writer, reader = b, a
		}
		value := fmt.Sprintf(`{"n":%d}`, i)
		revision := commit(t, writer, Put("/n/x", []byte(value)))
		record, err := reader.Get(t.Context(), "/n/x")
		if err != nil || string(record.Value) != value || record.Revision != revision {
			t.Fatalf("read %s at %d instead of %s at %d: %v", record.Value, record.Revision, value, revision, err)
		}
		if e := next(t, w); e.Revision != revision || string(e.Value) != value {
			t.Fatalf("the watch told %s at %d", e.Value, e.Revision)
		}
	}
}

func TestAStoreOutlivesMembers(t *testing.T) {
	t.Parallel()
	cluster := members(t, 3, "", "")
	s := connected(t, Etcd{Endpoints: endpoints(cluster)})
	w := watch(t, s, "/n/", Cursor{})
	written := map[string]bool{}
	write := func(i int) {
		t.Helper()
		key := fmt.Sprint("/n/", i)
		deadline := time.Now().Add(patience)
		for {
			_, err := s.Commit(t.Context(), Txn{If: []Condition{Absent(key)}, Do: []Op{Put(key, []byte(`{}`))}})
			if err == nil || errors.Is(err, ErrConflict) { // an attempt of unknown fate had succeeded
				written[key] = true
				return
			}
			if !errors.Is(err, ErrUncertain) || time.Now().After(deadline) {
				t.Fatalf("%s: %v", key, err)
			}
		}
	}
	for i := range 20 {
		write(i)
	}
	for i, e := range cluster { // the leader first, so that there is an election
		if e.Server.Leader() == e.Server.MemberID() {
			cluster[0], cluster[i] = cluster[i], cluster[0]
		}
	}
	cluster[0].stop()
	for i := 20; i < 40; i++ {
		write(i)
	}
	seen := map[string]bool{}
	for len(seen) < len(written) {
		e := next(t, w)
		if e.Type != Added || seen[e.Key] {
			t.Fatalf("%s of %s, told before: %t", e.Type, e.Key, seen[e.Key])
		}
		seen[e.Key] = true
	}
	if records, _, err := s.List(t.Context(), "/n/"); err != nil || len(records) != len(written) {
		t.Errorf("%d records of %d: %v", len(records), len(written), err)
	}

	cluster[1].stop() // the last one alone decides nothing
	if _, err := s.Get(t.Context(), "/n/1"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a read without a majority gave %v", err)
	}
	if record, err := s.Get(t.Context(), "/n/1", Stale); err != nil || string(record.Value) != `{}` {
		t.Errorf("a stale read gave %s, %v", record.Value, err)
	}
	if _, err := s.Commit(t.Context(), Txn{Do: []Op{Put("/n/99", []byte(`{}`))}}); !errors.Is(err, ErrUncertain) {
		t.Errorf("a write without a majority gave %v", err)
	}
}

func TestAnEtcdWithCertificatesAndUsers(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	cluster := members(t, 1, cert, key)
	root := Etcd{Endpoints: endpoints(cluster), CA: cert}
	s := connected(t, root)
	ctx := t.Context()
	for _, err := range []error{
		second(s.client.UserAdd(ctx, "root", "secret")), second(s.client.UserGrantRole(ctx, "root", "root")), second(s.client.AuthEnable(ctx)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root.User, root.Password = "root", "secret"
	commit(t, connected(t, root), Put("/n/1", []byte(`{}`)))
	for name, c := range map[string]struct {
		etcd Etcd
		part string
	}{
		"a wrong password": {Etcd{Endpoints: root.Endpoints, CA: cert, User: "root", Password: "other"}, "invalid user ID or password"},
		"no user":          {Etcd{Endpoints: root.Endpoints, CA: cert}, "user name is empty"},
		"no such file":     {Etcd{Endpoints: root.Endpoints, CA: cert + "x"}, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Connect(ctx, c.etcd, Options{Logger: quiet})
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.part) || strings.Contains(err.Error(), c.etcd.Password) && c.etcd.Password != "" {
				t.Errorf("got %v, want %s", err, c.part)
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

func TestAnEtcdThatIsNotThere(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	nowhere := address(t, "http")
	_, err := Connect(ctx, Etcd{Endpoints: []string{nowhere.String()}}, Options{Logger: quiet})
	if err == nil || !strings.Contains(err.Error(), nowhere.Host) {
		t.Error(err)
	}
}

// certificate makes one for loopback that signs itself.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "etcd"}, NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
