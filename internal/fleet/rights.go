package fleet

import (
	"fmt"
	"regexp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// denial is how an API server says that a user lacks a right.
var denial = regexp.MustCompile(`cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?`)

// denied gives the words of an API server that name the missing right, empty for other errors.
func denied(err error) string {
	if !apierrors.IsForbidden(err) {
		return ""
	}
	return denial.FindString(err.Error())
}

// remedy is what to add to an error that comes from a missing right: the rule that gives it.
func remedy(err error) string {
	parts := denial.FindStringSubmatch(denied(err))
	if parts == nil {
		return ""
	}
	verb, resource, group, namespace := parts[1], parts[2], parts[3], parts[4]
	role := "a ClusterRole"
	switch {
	case namespace != "":
		role = "a Role in the namespace " + namespace
	case resource == "namespaces":
		role = "a Role in that namespace"
	}
	return fmt.Sprintf(" (the right comes with the rule {apiGroups: [%q], resources: [%q], verbs: [%q]} of %s)", group, resource, verb, role)
}
