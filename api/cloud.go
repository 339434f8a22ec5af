package api

import (
	"slices"

	"github.com/rak-n-rok/krake/api/wire"
)

// GlobalCloudKind is the kind of clouds that everybody may use.
var GlobalCloudKind = &Kind{
	Group: "infrastructure", Name: "GlobalCloud", Plural: "globalclouds",
	Status:  true,
	New:     func() Resource { return &GlobalCloud{} },
	Fields:  []string{"status.state"},
	Secrets: cloudSecrets,
}

// CloudKind is the kind of clouds for the clusters of one namespace.
var CloudKind = &Kind{
	Group: "infrastructure", Name: "Cloud", Plural: "clouds",
	Namespaced: true, Status: true,
	New:     func() Resource { return &Cloud{} },
	Fields:  []string{"status.state"},
	Secrets: cloudSecrets,
}

var cloudSecrets = []string{"spec.openstack.auth.password.user.password"}

// GlobalCloud is a cloud on which clusters can be made.
type GlobalCloud struct {
	Envelope
	Spec   CloudSpec     `json:"spec" wire:"required"`
	Status MetricsStatus `json:"status" wire:"sub"`
}

// Cloud is a cloud on which the clusters of one namespace can be made.
type Cloud struct {
	Envelope
	Spec   CloudSpec     `json:"spec" wire:"required"`
	Status MetricsStatus `json:"status" wire:"sub"`
}

// CheckWire refuses what a cloud for everybody cannot refer to: objects of one namespace.
func (c *GlobalCloud) CheckWire(e *wire.Errors) {
	cloud := c.Spec.OpenStack
	switch {
	case cloud == nil:
	case cloud.InfrastructureProvider.Namespaced:
		e.AddSchema("A non-namespaced global cloud resource cannot reference the namespaced infrastructure provider resource.")
	case slices.ContainsFunc(cloud.Metrics, func(m MetricRef) bool { return m.Namespaced }):
		e.AddSchema("A non-namespaced global cloud resource cannot reference the namespaced metric resource.")
	}
}

// CloudSpec holds the settings of the one kind of cloud that Type names.
type CloudSpec struct {
	Type      string          `json:"type" wire:"discriminator"`
	OpenStack *OpenStackCloud `json:"openstack,omitempty" wire:"variant"`
}

// Metrics are what the cloud is judged by.
func (s *CloudSpec) Metrics() []MetricRef {
	if s.OpenStack == nil {
		return nil
	}
	return s.OpenStack.Metrics
}

// OpenStackCloud is a project in an OpenStack cloud.
type OpenStackCloud struct {
	URL                    string                    `json:"url" wire:"required"` // of Keystone
	Auth                   CloudAuth                 `json:"auth" wire:"required"`
	Metrics                []MetricRef               `json:"metrics"`
	InfrastructureProvider InfrastructureProviderRef `json:"infrastructure_provider" wire:"required"`
}

// InfrastructureProviderRef names the service that makes clusters on a cloud.
type InfrastructureProviderRef struct {
	Name       string `json:"name" wire:"required"`
	Namespaced bool   `json:"namespaced"` // an InfrastructureProvider of the cloud's namespace
}

// CloudAuth is how to log in, in the one way that Type names.
type CloudAuth struct {
	Type     string         `json:"type" wire:"discriminator"`
	Password *CloudPassword `json:"password,omitempty" wire:"variant"`
}

// CloudPassword logs in by a user's name and password.
type CloudPassword struct {
	Version string       `json:"version" wire:"default=3"` // of Keystone's interface
	User    CloudUser    `json:"user" wire:"required"`
	Project CloudProject `json:"project" wire:"required"`
}

// CloudUser is who logs in.
type CloudUser struct {
	Username   string  `json:"username" wire:"required"`
	Password   string  `json:"password" wire:"required"`
	DomainName string  `json:"domain_name" wire:"default=Default"`
	Comment    *string `json:"comment"`
}

// CloudProject is what is logged in to.
type CloudProject struct {
	Name     string  `json:"name" wire:"required"`
	DomainID string  `json:"domain_id" wire:"default=default"`
	Comment  *string `json:"comment"`
}

// Settle recomputes the state when a condition has changed.
func (c *GlobalCloud) Settle(before Resource) {
	old, _ := before.(*GlobalCloud)
	if old == nil {
		old = &GlobalCloud{}
	}
	c.Status.settle(old.Status)
}

// Settle recomputes the state when a condition has changed.
func (c *Cloud) Settle(before Resource) {
	old, _ := before.(*Cloud)
	if old == nil {
		old = &Cloud{}
	}
	c.Status.settle(old.Status)
}
