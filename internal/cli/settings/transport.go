package settings

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

// Transport returns what requests are sent through: with the client's certificate when TLS is enabled, with the
// token if there is one, and with the proxies that the environment names.
func (s Settings) Transport() (http.RoundTripper, error) {
	transport, err := s.transport()
	if err != nil || s.Token == "" {
		return transport, err
	}
	return withToken{s.Token, transport}, nil
}

func (s Settings) transport() (http.RoundTripper, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = false // a connection to a container is an upgrade, which HTTP/2 does not have
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	if !s.TLS.Enabled {
		return transport, nil
	}
	pair, err := tls.LoadX509KeyPair(s.TLS.ClientCert, s.TLS.ClientKey)
	if err != nil {
		return nil, fmt.Errorf("the client certificate %s cannot be used: %w", s.TLS.ClientCert, err)
	}
	transport.TLSClientConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if s.TLS.ClientCA == "" {
		return transport, nil
	}
	authority, err := os.ReadFile(s.TLS.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("tls.client_ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("tls.client_ca: %s holds no certificate", s.TLS.ClientCA)
	}
	transport.TLSClientConfig.RootCAs = pool
	return transport, nil
}
