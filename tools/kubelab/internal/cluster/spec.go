package cluster

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
)

const specFile = "cluster.json"

// A Spec is what stays of a cluster while it is stopped, besides its data.
type Spec struct {
	Nodes    int    `json:"nodes"`
	HasNodes bool   `json:"hasNodes"` // whether they have been created
	Token    string `json:"token"`    // of the one user, an administrator

	// RealNode is whether the one node has a real kubelet. The control plane is
	// in the node's network then.
	RealNode bool `json:"realNode,omitempty"`

	// Address is where the parts listen, Ports on which ports. They are zero until
	// the first start has chosen them.
	Address netip.Addr `json:"address,omitzero"`
	Ports   Ports      `json:"ports"`
}

// Ports are the TCP ports of a cluster. etcd has none: it listens on a unix
// socket in the cluster's home, which only its owner can enter.
type Ports struct {
	APIServer         int `json:"apiServer"`
	ControllerManager int `json:"controllerManager"`
	Scheduler         int `json:"scheduler"`
}

// URL is where the API server listens; empty when that has not been chosen yet.
func (s Spec) URL() string {
	if !s.Address.IsValid() {
		return ""
	}
	return "https://" + netip.AddrPortFrom(s.Address, uint16(s.Ports.APIServer)).String()
}

// ReadSpec returns the cluster's spec.
func (c Cluster) ReadSpec() (Spec, error) {
	var spec Spec
	data, err := os.ReadFile(c.file(specFile))
	if err != nil {
		return Spec{}, err
	}
	if err := json.Unmarshal(data, &spec); err != nil {
		return Spec{}, fmt.Errorf("%s: %w", c.file(specFile), err)
	}
	return spec, nil
}

// WriteSpec replaces the cluster's spec as a whole: a reader sees the old one
// or the new one.
func (c Cluster) WriteSpec(spec Spec) error {
	data, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return err
	}
	next := c.file(specFile + ".next")
	if err := os.WriteFile(next, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the spec: %w", err)
	}
	if err := os.Rename(next, c.file(specFile)); err != nil {
		return fmt.Errorf("writing the spec: %w", err)
	}
	return nil
}
