package settings

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// loadToken finds the token to send: that of the environment, of the file, or of the file that this one names.
func (s *Settings) loadToken(env func(string) string) error {
	from := "ROK_TOKEN"
	if token := env(from); token != "" {
		s.Token, s.TokenFile = token, ""
	} else if from = s.Source; s.TokenFile != "" {
		from = s.TokenFile
		if s.Token != "" {
			return fmt.Errorf("the configuration %s has a token and a token_file: one is enough", s.Source)
		}
		data, err := os.ReadFile(s.TokenFile)
		if err != nil {
			return fmt.Errorf("token_file: %w", err)
		}
		if s.Token = strings.TrimSpace(string(data)); s.Token == "" {
			return fmt.Errorf("token_file: %s is empty", s.TokenFile)
		}
	}
	if strings.ContainsFunc(s.Token, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("the token of %s has characters that no token has", from)
	}
	s.warnOfClearToken()
	return nil
}

// warnOfClearToken tells of a token that others on the way can read.
func (s *Settings) warnOfClearToken() {
	if s.Token == "" || s.TLS.Enabled {
		return
	}
	for address := range strings.SplitSeq(s.APIURL, ",") {
		if u, err := url.Parse(address); err == nil && !isLoopback(u.Hostname()) {
			s.Warnings = append(s.Warnings, fmt.Sprintf("the token is sent to %s without TLS: others on the way can read it", u.Host))
		}
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// withToken sends a token with every request. It stands in the header alone, without a scheme, as the API expects it.
type withToken struct {
	token string
	next  http.RoundTripper
}

func (t withToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", t.token)
	return t.next.RoundTrip(r)
}
