// Package test runs the built kubelab and real clusters. It is the only test
// that starts processes; everything that needs none is tested beside the code.
package test
