// Package kubelabtest gives tests real Kubernetes clusters. It is imported by tests only.
//
// A test binary that uses it calls Run in TestMain, and Clusters in the tests that need clusters. The clusters are
// started when they are first asked for, are shared by all tests of the binary, and end with it, however it ends. Where
// kubelab has not been built, such tests are skipped; with CI=true they fail instead.
package kubelabtest
