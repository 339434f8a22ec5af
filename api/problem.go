package api

import (
	"fmt"
	"net/http"
	"strings"
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
}

// NewProblem returns a problem; title is one of the Title constants or empty.
func NewProblem(status int, title, format string, args ...any) *Problem {
	return &Problem{Status: status, Title: title, Detail: fmt.Sprintf(format, args...)}
}

// HTTPProblem returns the problem of a bare status code, for example "404: Not Found".
func HTTPProblem(status int) *Problem {
	return NewProblem(status, "", "%d: %s", status, http.StatusText(status))
}

// Error gives the detail, for people.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return fmt.Sprintf("%d: %s", p.Status, http.StatusText(p.Status))
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
