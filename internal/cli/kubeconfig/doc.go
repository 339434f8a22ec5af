// Package kubeconfig turns a user's kubeconfig file into what Krake stores of it: one context with its cluster and its
// user, and everything inline that the file only points to.
package kubeconfig
