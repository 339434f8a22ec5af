package api

import "github.com/rak-n-rok/krake/api/wire"

// GlobalInfrastructureProviderKind is the kind of services that make infrastructure, for everybody.
var GlobalInfrastructureProviderKind = &Kind{
	Group: "infrastructure", Name: "GlobalInfrastructureProvider", Plural: "globalinfrastructureproviders",
	New:     func() Resource { return &GlobalInfrastructureProvider{} },
	Secrets: infrastructureSecrets,
}

// InfrastructureProviderKind is the kind of such services for the clouds of one namespace.
var InfrastructureProviderKind = &Kind{
	Group: "infrastructure", Name: "InfrastructureProvider", Plural: "infrastructureproviders",
	Namespaced: true,
	New:        func() Resource { return &InfrastructureProvider{} },
	Secrets:    infrastructureSecrets,
}

var infrastructureSecrets = []string{"spec.im.password", "spec.im.token"}

// GlobalInfrastructureProvider is a service that makes clusters on clouds.
type GlobalInfrastructureProvider struct {
	Envelope
	Spec InfrastructureProviderSpec `json:"spec" wire:"required"`
}

// InfrastructureProvider is a service that makes clusters on the clouds of one namespace.
type InfrastructureProvider struct {
	Envelope
	Spec InfrastructureProviderSpec `json:"spec" wire:"required"`
}

// InfrastructureProviderSpec holds the settings of the one kind of service that Type names.
type InfrastructureProviderSpec struct {
	Type string      `json:"type" wire:"discriminator"`
	IM   *IMProvider `json:"im,omitempty" wire:"variant"`
}

// IMProvider is an Infrastructure Manager. It is told who we are by a token, or by a name and a password.
type IMProvider struct {
	URL      string  `json:"url" wire:"required"`
	Username *string `json:"username"`
	Password *string `json:"password"`
	Token    *string `json:"token"`
}

// CheckWire asks for one way to authenticate. Empty texts count as given.
func (p *IMProvider) CheckWire(e *wire.Errors) {
	if p.Token == nil && (p.Username == nil || p.Password == nil) {
		e.AddSchema("At least one authentication should be defined in the IM infrastructure provider spec.")
	}
}
