package fleet

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAProbeTellsOfTheCluster(t *testing.T) {
	b := newBench(t)
	r, err := b.Probe(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if r.Identity != b.Identity() || !strings.HasPrefix(r.Version, "v1.") {
		t.Errorf("identity %s, version %s", r.Identity, r.Version)
	}
	if len(r.Nodes) != 2 || len(r.Nodes[0].Status.Conditions) == 0 || r.Nodes[0].Metadata.Name == "" {
		t.Errorf("nodes: %+v", r.Nodes)
	}
	if r.Allocatable["cpu"] == "" || r.Allocatable["pods"] == "" || len(r.Findings) > 0 {
		t.Errorf("allocatable %v, findings %v", r.Allocatable, r.Findings)
	}
}

func TestNodesAreJudgedByTheirConditions(t *testing.T) {
	const fit = `{"type":"Ready","status":"True","message":null,"reason":null}`
	for name, c := range map[string]struct {
		nodes       string
		allocatable map[string]string
		findings    []string
	}{
		"no nodes": {`[]`, map[string]string{}, nil},
		"G1 two that are ready": {
			`[{"metadata":{"name":"a"},"status":{"allocatable":{"cpu":"1500m","memory":"1Gi"},"conditions":[` + fit + `]}},
			  {"metadata":{"name":"b"},"status":{"allocatable":{"cpu":"2","memory":"512Mi","x/gpu":"1"},"conditions":[` + fit + `]}}]`,
			map[string]string{"cpu": "3500m", "memory": "1536Mi", "x/gpu": "1"}, nil,
		},
		"G1 one that is not ready": {
			`[{"metadata":{"name":"a"},"status":{"allocatable":{"cpu":"1"},"conditions":[{"type":"Ready","status":"Unknown","message":"gone"}]}}]`,
			map[string]string{}, []string{"node a: Ready is Unknown: gone"},
		},
		"G2 one under pressure, which is not ready either": {
			`[{"metadata":{"name":"a"},"status":{"conditions":[{"type":"DiskPressure","status":"True"},{"type":"PIDPressure","status":"Unknown"},{"type":"Ready","status":"False"}]}}]`,
			map[string]string{}, []string{"! node a: DiskPressure is True", "node a: Ready is False"},
		},
		"one that is cordoned off": {
			`[{"metadata":{"name":"a"},"spec":{"unschedulable":true},"status":{"allocatable":{"cpu":"1"},"conditions":[` + fit + `]}}]`,
			map[string]string{}, nil,
		},
		"a quantity that is none": {
			`[{"metadata":{"name":"a"},"status":{"allocatable":{"cpu":"many"},"conditions":[` + fit + `]}}]`,
			map[string]string{}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var nodes []node
			if err := json.Unmarshal([]byte(c.nodes), &nodes); err != nil {
				t.Fatal(err)
			}
			var r Report
			r.look(nodes)
			if d := cmp.Diff(c.allocatable, r.Allocatable); d != "" {
				t.Error(d)
			}
			var findings []string
			for _, f := range r.Findings {
				text := f.Message
				if f.Pressure {
					text = "! " + text
				}
				findings = append(findings, text)
			}
			if !slices.Equal(findings, c.findings) {
				t.Errorf("findings: %q", findings)
			}
			if len(r.Nodes) != len(nodes) {
				t.Errorf("%d nodes", len(r.Nodes))
			}
		})
	}
}
