package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// names returns count package names.
func names(count int) []string {
	var all []string
	for i := range count {
		all = append(all, fmt.Sprintf("p%d", i))
	}
	return all
}

func TestLongBuildPrintsEveryFifthPercentAndTheEnd(t *testing.T) {
	var out strings.Builder
	p := newProgress(&out, false)
	all := names(1000)
	for _, name := range all[:7] { // before the total is known
		p.compiling(name)
	}
	p.expect(all[3:]) // Go leaves out what it has finished meanwhile
	for _, name := range all[7:] {
		p.compiling(name)
	}
	p.finish("kubelab: built bin/kubelab")

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{
		"kubelab: compiling Kubernetes takes 5 to 15 minutes on two cores; this happens once",
		"kubelab: compiling Kubernetes 0 % (7 of 1000 packages)",
		"kubelab: compiling Kubernetes 5 % (50 of 1000 packages)",
		"kubelab: compiling Kubernetes 10 % (100 of 1000 packages)",
	}
	if len(lines) != 1+21+2 {
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	for i, line := range want {
		if lines[i] != line {
			t.Errorf("line %d is %q, want %q", i, lines[i], line)
		}
	}
	end := strings.Join(lines[len(lines)-3:], "\n")
	if end != "kubelab: compiling Kubernetes 100 % (1000 of 1000 packages)\nkubelab: linking\nkubelab: built bin/kubelab" {
		t.Errorf("the end is %q", end)
	}
}

func TestShortBuildIsQuiet(t *testing.T) {
	var out strings.Builder
	p := newProgress(&out, true)
	p.compiling("main")
	p.expect([]string{"main"})
	p.finish("kubelab: built bin/kubelab")
	if out.String() != "kubelab: built bin/kubelab\n" {
		t.Errorf("printed %q", out.String())
	}
}

func TestTerminalLineIsRewrittenAndEndsBeforeMessages(t *testing.T) {
	var out strings.Builder
	p := newProgress(&out, true)
	p.downloading()
	p.downloading()
	p.message(&out, "go: something else")
	if want := "\r\x1b[Kkubelab: downloading Go modules (1)\r\x1b[Kkubelab: downloading Go modules (2)\ngo: something else\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

func TestTotalIsNeverLessThanWhatIsDone(t *testing.T) {
	var out strings.Builder
	p := newProgress(&out, false)
	p.expect(names(longBuild))
	for i := range 2 * longBuild {
		p.compiling(fmt.Sprintf("other%d", i))
	}
	if strings.Contains(out.String(), "101 %") {
		t.Error(out.String())
	}
	p.message(io.Discard, "")
}

func TestPackagesAreToldFromMessages(t *testing.T) {
	for line, want := range map[string]bool{
		"k8s.io/kubernetes/pkg/apis/core":         true,
		"internal/cpu":                            true,
		"# k8s.io/kubernetes/pkg/apis/core":       false,
		"./main.go:3:2: undefined: x":             false,
		"go: downloading k8s.io/api v0.36.4":      false,
		"vendor/golang.org/x/net/http/httpguts":   true,
		"main.go:9: missing go.sum entry for x/y": false,
		"": false,
	} {
		if isPackage(line) != want {
			t.Errorf("%q: package is %v", line, !want)
		}
	}
}
