package api

// ProjectKind is the kind of OpenStack projects that Magnum makes clusters in.
var ProjectKind = &Kind{
	Group: "openstack", Name: "Project", Plural: "projects",
	Namespaced: true, Status: true,
	New:     func() Resource { return &Project{} },
	Fields:  []string{"status.state"},
	Secrets: []string{"spec.auth.password.user.password", "spec.auth.application_credential.secret"},
}

// Project is a project in an OpenStack cloud.
type Project struct {
	Envelope
	Spec   ProjectSpec   `json:"spec" wire:"required"`
	Status MetricsStatus `json:"status" wire:"sub"`
}

// ProjectSpec says how to get into a project and what to make there.
type ProjectSpec struct {
	URL      string      `json:"url" wire:"required"` // of Keystone
	Auth     ProjectAuth `json:"auth" wire:"required"`
	Template string      `json:"template" wire:"required"` // of clusters, its UUID
	Metrics  []MetricRef `json:"metrics"`
}

// ProjectAuth is how to log in, in the one way that Type names.
type ProjectAuth struct {
	Type                  string                 `json:"type" wire:"discriminator"`
	Password              *ProjectPassword       `json:"password,omitempty" wire:"variant"`
	ApplicationCredential *ApplicationCredential `json:"application_credential,omitempty" wire:"variant"`
}

// ProjectPassword logs in by a user's UUID and password.
type ProjectPassword struct {
	User    ProjectUser `json:"user" wire:"required"`
	Project ProjectRef  `json:"project" wire:"required"`
}

// ProjectUser is who logs in.
type ProjectUser struct {
	ID       string  `json:"id" wire:"required"`
	Password string  `json:"password" wire:"required"`
	Comment  *string `json:"comment"`
}

// ProjectRef is what is logged in to, by its UUID.
type ProjectRef struct {
	ID      string  `json:"id" wire:"required"`
	Comment *string `json:"comment"`
}

// ApplicationCredential logs in by a secret that was made for one program.
type ApplicationCredential struct {
	ID     string `json:"id" wire:"required"`
	Secret string `json:"secret" wire:"required"`
}

// Settle recomputes the state when a condition has changed.
func (p *Project) Settle(before Resource) {
	old, _ := before.(*Project)
	if old == nil {
		old = &Project{}
	}
	p.Status.settle(old.Status)
}
