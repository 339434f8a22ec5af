package api

// RoleKind is the kind of sets of permissions.
var RoleKind = &Kind{
	Group: "core", Name: "Role", Plural: "roles",
	New: func() Resource { return &Role{} },
}

// RoleBindingKind is the kind of assignments of roles to users.
var RoleBindingKind = &Kind{
	Group: "core", Name: "RoleBinding", Plural: "rolebindings",
	New: func() Resource { return &RoleBinding{} },
}

// Role permits what any of its rules permits.
type Role struct {
	Envelope
	Rules []RoleRule `json:"rules" wire:"required"`
}

// RoleRule permits verbs on resources. The empty text as API, or in Resources or Namespaces, stands for all of them.
type RoleRule struct {
	API        string   `json:"api" wire:"required"`
	Resources  []string `json:"resources" wire:"required"` // plurals, with sub-resources as applications/status
	Namespaces []string `json:"namespaces" wire:"required"`
	Verbs      []Verb   `json:"verbs" wire:"required"`
}

// Verb is what somebody may do.
type Verb string

// The verbs. List covers watches, Update every sub-resource, ListAll lists that go over all namespaces.
const (
	VerbCreate  Verb = "create"
	VerbList    Verb = "list"
	VerbListAll Verb = "list_all"
	VerbGet     Verb = "get"
	VerbUpdate  Verb = "update"
	VerbDelete  Verb = "delete"
)

// Members lists the verbs.
func (Verb) Members() []string {
	return []string{"create", "list", "list_all", "get", "update", "delete"}
}

// RoleBinding gives every one of its users every one of its roles, by name. Neither needs to exist.
type RoleBinding struct {
	Envelope
	Users []string `json:"users" wire:"required"`
	Roles []string `json:"roles" wire:"required"`
}
