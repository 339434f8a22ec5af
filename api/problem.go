package api

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// DefaultProblemBase is where the titles of problem documents are explained.
const DefaultProblemBase = "https://rak-n-rok.readthedocs.io/projects/krake/en/latest/user/problem.html"

// Titles of problem documents. The wire knows no others.
const (
	TitleNotFound       = "NOT_FOUND_ERROR"
	TitleTransaction    = "TRANSACTION_ERROR"
	TitleUpdate         = "UPDATE_ERROR"
	TitleKeystoneToken  = "INVALID_KEYSTONE_TOKEN"
	TitleKeycloakToken  = "INVALID_KEYCLOAK_TOKEN"
	TitleAlreadyExists  = "RESOURCE_ALREADY_EXISTS"
	problemTypeUntitled = "about:blank"
)

// Problem is an error as the API tells it (RFC 7807).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title,omitempty"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// RequestID is by which name the server's log knows the request. It stands in the header of the answer.
	RequestID string `json:"-"`
	// RetryAfter is how long the server asks to be left alone. It stands in the header of the answer.
	RetryAfter time.Duration `json:"-"`
}

// RequestIDHeader is the header by which one request can be followed through logs and programs.
const RequestIDHeader = "X-Request-ID"

// NewProblem returns a problem; title is one of the Title constants or empty.
func NewProblem(status int, title, format string, args ...any) *Problem {
	return &Problem{Status: status, Title: title, Detail: fmt.Sprintf(format, args...)}
}

// HTTPProblem returns the problem of a bare status code, for example "404: Not Found".
func HTTPProblem(status int) *Problem {
	return NewProblem(status, "", "%d: %s", status, http.StatusText(status))
}

// Error gives the detail, for people. If the server is to blame, it says where in its log to look.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = fmt.Sprintf("%d: %s", p.Status, http.StatusText(p.Status))
	}
	if p.Status == http.StatusInternalServerError && p.RequestID != "" {
		text += " (request " + p.RequestID + ")"
	}
	return text
}

// WithType returns a copy whose type points to the explanation of its title below base.
func (p *Problem) WithType(base string) *Problem {
	out := *p
	out.Type = problemTypeUntitled
	if p.Title != "" && base != "" {
		out.Type = base + "#" + strings.ToLower(strings.ReplaceAll(p.Title, "_", "-"))
	}
	return &out
}
