package conformance

import (
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/internal/apiserver"
)

const ui = "http://ui.test"

func from(origin string) func(*apiserver.Options) {
	return func(o *apiserver.Options) { o.Origin = origin }
}

func TestPreflightRequests(t *testing.T) { // vector 37
	const refused = "CORS preflight request failed: "
	for name, c := range map[string]struct {
		allowed string
		headers []string
		detail  string // empty when it is granted
	}{
		"any origin":         {"*", []string{"Origin", ui, "Access-Control-Request-Method", "PUT"}, ""},
		"the allowed origin": {ui, []string{"Origin", ui, "Access-Control-Request-Method", "DELETE"}, ""},
		"with headers":       {"*", []string{"Origin", ui, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "content-type, x-a"}, ""},
		"another method":     {"*", []string{"Origin", ui, "Access-Control-Request-Method", "PATCH"}, refused + "request method 'PATCH' is not allowed for 'http://ui.test' origin"},
		"no origin":          {"*", []string{"Access-Control-Request-Method", "PUT"}, refused + "origin header is not specified in the request"},
		"no method":          {"*", []string{"Origin", ui}, refused + "'Access-Control-Request-Method' header is not specified"},
		"another origin":     {"http://other.test", []string{"Origin", ui, "Access-Control-Request-Method", "PUT"}, refused + "origin 'http://ui.test' is not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, from(c.allowed))
			for _, path := range []string{"/", "/me", apps, apps + "/x", apps + "/x/status", apps + "/x/binding"} {
				got := s.ask(t, "OPTIONS", path, nil, c.headers...)
				if c.detail != "" {
					got.problem(t, 403, "", c.detail)
					continue
				}
				got.want(t, 200)
				if len(got.body) != 0 || got.header.Get("Access-Control-Allow-Origin") != ui || got.header.Get("Access-Control-Allow-Methods") != c.headers[3] {
					t.Errorf("%s: %v %s", path, got.header, got.body)
				}
				if len(c.headers) > 4 && got.header.Get("Access-Control-Allow-Headers") != "CONTENT-TYPE,X-A" {
					t.Errorf("%s: %v", path, got.header)
				}
			}
			s.ask(t, "OPTIONS", "/nope", nil, c.headers...).problem(t, 404, "", "404: Not Found")
		})
	}
}

func TestPagesOfTheAllowedOriginMayReadAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		allowed, origin string
		want            bool
	}{
		"any origin":         {"*", ui, true},
		"the allowed origin": {ui, ui, true},
		"another origin":     {"http://other.test", ui, false},
		"none is allowed":    {"", ui, false},
		"no page asks":       {"*", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, from(c.allowed))
			for path, status := range map[string]int{"/me": 200, apps: 200, apps + "/nothing": 404} {
				got := s.ask(t, "GET", path, nil, "Origin", c.origin).want(t, status)
				want := ""
				if c.want {
					want = c.origin
				}
				if got.header.Get("Access-Control-Allow-Origin") != want {
					t.Errorf("%s: %v", path, got.header)
				}
				// Credentials of whoever sits at the browser are not lent to just any page.
				if credentials := got.header.Get("Access-Control-Allow-Credentials"); credentials != "" && c.allowed == "*" {
					t.Errorf("%s: any page may send credentials", path)
				}
			}
			if got := s.ask(t, "GET", "/nope", nil, "Origin", c.origin).want(t, 404); got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("an unknown path is readable")
			}
		})
	}
}

func TestWebPagesMayNotWrite(t *testing.T) {
	s := start(t, from("*"))
	for _, headers := range [][]string{{"Origin", "http://evil.test"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
		got := s.ask(t, "POST", apps, app("x"), headers...).want(t, 403)
		if !strings.Contains(string(got.body), "403: Forbidden") {
			t.Errorf("%s", got.body)
		}
	}
	trusted := start(t, from(ui))
	trusted.ask(t, "POST", apps, app("x"), "Origin", ui).want(t, 200)
	trusted.ask(t, "POST", apps, app("y"), "Origin", "http://evil.test").want(t, 403)
	trusted.ask(t, "POST", apps, app("z")).want(t, 200) // no browser
}

func TestOnlyLoopbackNamesAreServed(t *testing.T) {
	for name, c := range map[string]struct {
		host   string
		any    bool
		status int
	}{
		"an address":                        {"127.0.0.1:8080", false, 200},
		"an IPv6 address":                   {"[::1]:8080", false, 200},
		"the local name":                    {"localhost", false, 200},
		"a name below it":                   {"krake.localhost:8080", false, 200},
		"a name that was pointed here":      {"evil.test", false, 403},
		"a name that looks like an address": {"127.0.0.1.evil.test", false, 403},
		"an address of the network":         {"10.0.0.1:8080", false, 403},
		"a name where all are served":       {"krake.example", true, 200},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(o *apiserver.Options) { o.AnyHost = c.any })
			if got := s.status(t, "/me", c.host); got != c.status {
				t.Errorf("answered %d, want %d", got, c.status)
			}
		})
	}
}
