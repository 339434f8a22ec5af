package fleet

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// expiry is when the credentials of a connection end: the client certificate, or the token if it is one that says so. The
// zero time says that neither has an end that is known. Nothing is verified: that is the cluster's business.
func expiry(config *rest.Config) time.Time {
	end := certificateEnd(config.CertData)
	if token := tokenEnd(config.BearerToken); end.IsZero() || !token.IsZero() && token.Before(end) {
		end = token
	}
	return end
}

// certificateEnd is when the first certificate ends, which is the client's own; others are those of authorities.
func certificateEnd(data []byte) time.Time {
	block, _ := pem.Decode(data)
	if block == nil {
		return time.Time{}
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}
	}
	return certificate.NotAfter
}

// tokenEnd is what a JSON Web Token says of itself (RFC 7519, section 4.1.4).
func tokenEnd(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var said struct {
		Expires float64 `json:"exp"`
	}
	if json.Unmarshal(claims, &said) != nil || said.Expires <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(said.Expires), 0)
}
