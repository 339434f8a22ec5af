package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rak-n-rok/krake/api"
)

// Report is the state of a cluster.
type Report struct {
	Identity string
	// Version is that of the API server, such as v1.36.4.
	Version string
	Nodes   []api.ClusterNode
	// NodesHidden says why nothing is known of the nodes: the user may not list them. It is empty where that is allowed.
	NodesHidden string
	// Allocatable sums what the nodes offer to new pods, by resource name, as Kubernetes quantities. Nodes that take
	// none, because they are not ready or cordoned off, do not count.
	Allocatable map[string]string
	// Offering are the nodes that count in Allocatable.
	Offering []string
	// Usage is what the pods ask for, nil if nobody looked; UsageHidden says why that cannot be known: the user may not
	// list what it takes. Neither is part of a probe.
	Usage       *Usage
	UsageHidden string
	// Expires is when the credentials end, zero if that is not known.
	Expires time.Time
	// Findings are what is wrong with nodes, in the order of nodes and of their conditions.
	Findings []Finding
}

// Finding is something wrong with a node.
type Finding struct {
	Node string
	// Pressure tells a lack of some resource from a node that is not ready.
	Pressure bool
	Message  string
}

// node is what is read of a node: the rest, such as the list of its images, is large.
type node struct {
	Metadata api.ClusterNodeName `json:"metadata"`
	Spec     struct {
		Unschedulable bool `json:"unschedulable"`
	} `json:"spec"`
	Status struct {
		Allocatable map[string]string          `json:"allocatable"`
		Conditions  []api.ClusterNodeCondition `json:"conditions"`
	} `json:"status"`
}

// Probe looks at the cluster: whether it answers, whether it is still the same, and how its nodes are, if the user may
// list them. Identity, version and nodes are read every time.
func (m *Member) Probe(ctx context.Context) (Report, error) {
	if err := m.reidentify(ctx); err != nil {
		return Report{}, err
	}
	r := Report{Identity: m.Identity(), Expires: expiry(m.config)}
	var version struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := m.read(ctx, "its version", &version, "/version"); err != nil {
		return Report{}, err
	}
	r.Version = version.GitVersion
	var list struct {
		Items []node `json:"items"`
	}
	path := pathOf(schema.GroupVersionResource{Version: "v1", Resource: "nodes"}, "", "")
	err := m.read(ctx, "its nodes", &list, path...)
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Code == http.StatusForbidden {
		r.NodesHidden = refused.Message
		return r, nil
	}
	if err != nil {
		return Report{}, err
	}
	r.look(list.Items)
	return r, nil
}

// read reads JSON that is not one object. Lists come from the API server's cache: that is enough, and costs etcd
// nothing.
func (m *Member) read(ctx context.Context, what string, into any, path ...string) error {
	body, _, err := m.send(ctx, m.rest.Get().AbsPath(path...).Param("resourceVersion", "0"))
	if err != nil {
		return answer(Key{Kind: what}, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &TransientError{Message: fmt.Sprintf("what the cluster says of %s cannot be read", what), cause: err}
	}
	return nil
}

func (r *Report) look(nodes []node) {
	sums := map[string]resource.Quantity{}
	for _, n := range nodes {
		findings := findingsOf(n)
		r.Findings = append(r.Findings, findings...)
		r.Nodes = append(r.Nodes, api.ClusterNode{
			API: api.ClusterKind.Group, Kind: "ClusterNode", Metadata: n.Metadata,
			Status: &api.ClusterNodeStatus{Conditions: n.Status.Conditions},
		})
		if !n.Spec.Unschedulable && isReady(findings) {
			add(sums, n.Status.Allocatable)
			r.Offering = append(r.Offering, n.Metadata.Name)
		}
	}
	r.Allocatable = make(map[string]string, len(sums))
	for name, sum := range sums {
		r.Allocatable[name] = sum.String()
	}
}

// findingsOf walks a node's conditions. A condition that ends in "pressure" should not hold, "ready" should.
func findingsOf(n node) []Finding {
	var out []Finding
	for _, c := range n.Status.Conditions {
		kind := strings.ToLower(c.Type)
		pressure := strings.HasSuffix(kind, "pressure") && c.Status == "True"
		if pressure || kind == "ready" && c.Status != "True" {
			message := strings.TrimSuffix(fmt.Sprintf("node %s: %s is %s: %s", n.Metadata.Name, c.Type, c.Status, c.Message), ": ")
			out = append(out, Finding{Node: n.Metadata.Name, Pressure: pressure, Message: message})
		}
	}
	return out
}

func isReady(findings []Finding) bool {
	for _, f := range findings {
		if !f.Pressure {
			return false
		}
	}
	return true
}

func add(sums map[string]resource.Quantity, more map[string]string) {
	for name, text := range more {
		q, err := resource.ParseQuantity(text)
		if err != nil {
			continue
		}
		sum := sums[name]
		sum.Add(q)
		sums[name] = sum
	}
}
