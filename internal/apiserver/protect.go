package apiserver

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// protected keeps web pages away: a browser on this machine would carry their requests to the loopback interface.
// Writes from another origin are refused, and so are WebSockets, which no browser asks about, and requests to a name that is
// not this machine's (a page can make its own name point to 127.0.0.1).
func (s *Server) protected(anyHost bool, next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	foreign := func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, api.NewProblem(http.StatusForbidden, "",
			"403: Forbidden: this request was made by a web page of another origin (%s)", r.Header.Get("Origin")))
	}
	crossOrigin.SetDenyHandler(http.HandlerFunc(foreign))
	if s.origin != "" && s.origin != "*" {
		if err := crossOrigin.AddTrustedOrigin(s.origin); err != nil {
			s.log.Warn("the allowed origin cannot be used", "origin", s.origin, "error", err)
		}
	}
	guarded := crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !anyHost && !localName(r.Host) {
			s.fail(w, r, api.NewProblem(http.StatusForbidden, "",
				"403: Forbidden: this API answers to loopback names only, not to %q", r.Host))
			return
		}
		if r.Header.Get("Upgrade") != "" {
			write := &http.Request{Method: http.MethodPost, URL: r.URL, Host: r.Host, Header: r.Header}
			if crossOrigin.Check(write) != nil {
				foreign(w, r)
				return
			}
		}
		guarded.ServeHTTP(w, r)
	})
}

func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// corsHeaders lets pages of the allowed origin read the answer.
func (s *Server) corsHeaders(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	if origin == "" || s.origin == "" || s.origin != "*" && s.origin != origin {
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Add("Vary", "Origin")
	if s.origin != "*" {
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
}

// preflightMethods are those that any path may be asked about.
var preflightMethods = []string{http.MethodDelete, http.MethodGet, http.MethodOptions, http.MethodPost, http.MethodPut}

// preflight answers a browser's question whether it may send a request. It promises nothing: the request itself is
// judged when it comes.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request) {
	origin, method := r.Header.Get("Origin"), r.Header.Get("Access-Control-Request-Method")
	refuse := func(format string, args ...any) {
		s.fail(w, r, api.NewProblem(http.StatusForbidden, "", "CORS preflight request failed: "+format, args...))
	}
	switch {
	case origin == "":
		refuse("origin header is not specified in the request")
	case method == "":
		refuse("'Access-Control-Request-Method' header is not specified")
	case s.origin != "" && s.origin != "*" && s.origin != origin:
		refuse("origin '%s' is not allowed", origin)
	case !slices.Contains(preflightMethods, method):
		refuse("request method '%s' is not allowed for '%s' origin", method, origin)
	default:
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Methods", method)
		if names := r.Header.Get("Access-Control-Request-Headers"); names != "" {
			h.Set("Access-Control-Allow-Headers", strings.ToUpper(strings.ReplaceAll(names, " ", "")))
		}
		w.WriteHeader(http.StatusOK)
	}
}
