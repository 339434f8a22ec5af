package settings

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/rak-n-rok/krake/internal/cli/yamlfile"
)

// Settings is the content of a configuration file.
type Settings struct {
	// APIURL is where the API is; several addresses, separated by commas, are servers of the same one. A path in it does
	// not count.
	APIURL string
	// User is the namespace that is used when none is named. It is sent to nobody.
	User string
	TLS  TLS
	// Token says who one is, beside or in place of a certificate; empty for none. TokenFile is where it was found.
	Token, TokenFile string

	// Source is the file that this was read from, empty for the built-in settings.
	Source string
	// Warnings are sentences for the user about what was repaired.
	Warnings []string
}

// TLS says how to prove who one is.
type TLS struct {
	Enabled    bool
	ClientCert string
	ClientKey  string
	ClientCA   string // who may vouch for the server; the system's authorities when empty
}

// Default is what holds without a file.
var Default = Settings{APIURL: "http://localhost:8080", User: "system:admin"}

// Load reads the file that --config names; or else the one of $ROK_CONFIG; or else the first that exists of the usual
// ones. Without any, the built-in settings hold. A token in $ROK_TOKEN comes before one in the file.
func Load(named string, env func(string) string) (Settings, error) {
	s, err := find(named, env)
	if err != nil {
		return Settings{}, err
	}
	if err := s.loadToken(env); err != nil {
		return Settings{}, err
	}
	return s, nil
}

func find(named string, env func(string) string) (Settings, error) {
	for _, file := range []string{named, env("ROK_CONFIG")} {
		if file != "" {
			return read(file)
		}
	}
	for _, file := range usual(env) {
		if _, err := os.Stat(file); err == nil {
			return read(file)
		} else if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission) {
			return Settings{}, fmt.Errorf("cannot read the configuration: %w", err)
		}
	}
	return Default, nil
}

// usual lists the places where a configuration is looked for. The name krakectl.yaml is that of the Python client, the
// last entry where older guides copy the file to.
func usual(env func(string) string) []string {
	personal := env("XDG_CONFIG_HOME")
	if personal == "" && env("HOME") != "" {
		personal = filepath.Join(env("HOME"), ".config")
	}
	const current, former = "rok.yaml", "krakectl.yaml"
	files := []string{current, former}
	if personal != "" {
		files = append(files, filepath.Join(personal, current), filepath.Join(personal, former))
	}
	return append(files, "/etc/rok/"+current, "/etc/rok/"+former, "/etc/krakectl/"+current, "/etc/krakectl/"+former,
		"/etc/krake/"+current)
}

func read(file string) (Settings, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return Settings{}, fmt.Errorf("cannot read the configuration: %w", err)
	}
	root, err := yamlfile.Node(file, data)
	if err != nil {
		return Settings{}, err
	}
	s, k := Settings{Source: file}, keys{file: file, seen: map[string]bool{}}
	if err := k.readAll(root, s.keys()); err != nil {
		return Settings{}, err
	}
	if s.User == "" {
		return Settings{}, fmt.Errorf("the configuration %s lacks the key user", file)
	}
	if err := s.checkTLS(k.seen); err != nil {
		return Settings{}, fmt.Errorf("the configuration %s: %w", file, err)
	}
	if s.APIURL == "" { // no default: who has a file means the API that it names
		return Settings{}, fmt.Errorf("the configuration %s lacks the key api_url", file)
	}
	if err := s.repairURL(); err != nil {
		return Settings{}, fmt.Errorf("the configuration %s: %w", file, err)
	}
	return s, nil
}

// keys are those of a file.
func (s *Settings) keys() section {
	return section{
		"api_url":    &s.APIURL,
		"user":       &s.User,
		"token":      &s.Token,
		"token_file": &s.TokenFile,
		"tls": section{
			"enabled":     &s.TLS.Enabled,
			"client_cert": &s.TLS.ClientCert,
			"client_key":  &s.TLS.ClientKey,
			"client_ca":   &s.TLS.ClientCA,
		},
	}
}

func (s *Settings) checkTLS(seen map[string]bool) error {
	if seen["tls"] && !seen["tls.enabled"] {
		return errors.New("the section tls lacks the key enabled")
	}
	if !s.TLS.Enabled {
		return nil
	}
	for _, f := range []struct {
		key, path string
		optional  bool
	}{
		{"client_cert", s.TLS.ClientCert, false}, {"client_key", s.TLS.ClientKey, false}, {"client_ca", s.TLS.ClientCA, true},
	} {
		if f.path == "" && f.optional {
			continue
		}
		if f.path == "" {
			return fmt.Errorf("tls.%s is needed when TLS is enabled", f.key)
		}
		if _, err := os.Stat(f.path); err != nil {
			return fmt.Errorf("tls.%s: %w", f.key, err)
		}
	}
	return nil
}

// repairURL makes the schemes of the addresses agree with the section tls and drops everything after their hosts.
func (s *Settings) repairURL() error {
	addresses := strings.Split(s.APIURL, ",")
	for i, address := range addresses {
		repaired, err := s.repaired(strings.TrimSpace(address))
		if err != nil {
			return err
		}
		addresses[i] = repaired
	}
	s.APIURL = strings.Join(addresses, ",")
	return nil
}

func (s *Settings) repaired(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%q in api_url is not the URL of an API, such as %s", address, Default.APIURL)
	}
	scheme, because := "http", "disabled"
	if s.TLS.Enabled {
		scheme, because = "https", "enabled"
	}
	if !strings.EqualFold(u.Scheme, scheme) {
		s.Warnings = append(s.Warnings, fmt.Sprintf("TLS is %s in %s, so %s is used instead of %s to reach %s",
			because, s.Source, scheme, u.Scheme, u.Host))
	}
	return (&url.URL{Scheme: scheme, User: u.User, Host: u.Host}).String(), nil
}
