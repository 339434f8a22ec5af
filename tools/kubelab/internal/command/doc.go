// Package command is kubelab's command line: it parses arguments, starts and
// asks supervisors, and prints. Results go to standard output; each error is one
// line on standard error that begins with "kubelab:". The exit code is 0 or 1.
package command
