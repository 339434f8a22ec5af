package api

import (
	"crypto/tls"
	"crypto/x509"
	"strings"

	"github.com/rak-n-rok/krake/api/wire"
)

// PrometheusProvider reads from a Prometheus server. It is told who we are by a name and a password, or by a token, or by a
// certificate, which may come with one of the others.
type PrometheusProvider struct {
	URL      string  `json:"url" wire:"required"`
	Username *string `json:"username" wire:"added"`
	Password *string `json:"password" wire:"added"`
	Token    *string `json:"token" wire:"added"` // sent as a bearer token
	// ClientCertificate and ClientKey are in PEM, and so is CACertificate: who signs the server's certificate, if it is
	// none of those that this machine trusts.
	ClientCertificate *string `json:"client_certificate" wire:"added"`
	ClientKey         *string `json:"client_key" wire:"added"`
	CACertificate     *string `json:"ca_certificate" wire:"added"`
}

// CheckWire asks for what belongs together, and for certificates that can be used.
func (p *PrometheusProvider) CheckWire(e *wire.Errors) {
	together := func(a, b *string, nameA, nameB string) {
		switch {
		case a != nil && b == nil:
			e.At(nameB).Add("Must be given with " + nameA + ".")
		case a == nil && b != nil:
			e.At(nameA).Add("Must be given with " + nameB + ".")
		}
	}
	together(p.Username, p.Password, "username", "password")
	together(p.ClientCertificate, p.ClientKey, "client_certificate", "client_key")
	if p.Token != nil && (p.Username != nil || p.Password != nil) {
		e.At("token").Add("Cannot be given with username and password.")
	}
	if p.Token != nil && strings.ContainsFunc(*p.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		e.At("token").Add("Must be ASCII without blanks.")
	}
	if p.Username != nil && strings.Contains(*p.Username, ":") {
		e.At("username").Add("Cannot have a colon.") // it ends the name on the way to the server
	}
	if p.ClientCertificate != nil && p.ClientKey != nil {
		if _, err := tls.X509KeyPair([]byte(*p.ClientCertificate), []byte(*p.ClientKey)); err != nil {
			e.At("client_certificate").Add("Must be a certificate in PEM that belongs to client_key.")
		}
	}
	if p.CACertificate != nil && !x509.NewCertPool().AppendCertsFromPEM([]byte(*p.CACertificate)) {
		e.At("ca_certificate").Add("Must have a certificate in PEM.")
	}
}
