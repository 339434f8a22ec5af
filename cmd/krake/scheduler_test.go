package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What cannot be meant is told before anything runs.
func TestASchedulerThatCannotBeMeantDoesNotStart(t *testing.T) {
	file := func(content string) string {
		path := filepath.Join(t.TempDir(), "cluster.yaml")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for want, args := range map[string][]string{
		"compat move-margin":                 {"--compat", "--move-margin", "0.1"},
		"no such file":                       {"--cluster-template", filepath.Join(t.TempDir(), "none.yaml")},
		"it is empty":                        {"--cluster-template", file("")},
		"The output `kubeconfig` is missing": {"--cluster-template", file("tosca_definitions_version: tosca_simple_yaml_1_0\n")},
		"error converting YAML":              {"--cluster-template", file("a: [\n")},
		"from 0 to 1":                        {"--create-margin", "2"},
		"must be above zero":                 {"--create-timeout", "0"},
		"must not be below zero":             {"--create-limit", "-1"},
	} {
		t.Run(want, func(t *testing.T) {
			_, stderr, code := run(t, append([]string{"scheduler", "--api-endpoint", "http://127.0.0.1:1"}, args...)...)
			if code == 0 || !strings.Contains(stderr, want) {
				t.Errorf("exit %d: %s", code, stderr)
			}
		})
	}
}
