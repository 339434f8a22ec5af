package api

import "github.com/rak-n-rok/krake/api/wire"

// A Passage is a sub-resource that is not stored: a request to it goes on to where the object runs. What answers it is
// mounted into the server. Its permission is PLURAL/NAME, as that of every sub-resource.
type Passage struct {
	Name    string
	Summary string
	Query   []Parameter
	// Upgrade says that a WebSocket comes of the request.
	Upgrade bool
	// Body makes what a POST takes; there is no POST without.
	Body func() any
	// Answer makes the document of the answer; nil for a stream.
	Answer func() any
}

// A Parameter is one of a query. Its type is one of OpenAPI's, "array" for texts that may be given several times.
type Parameter struct{ Name, Type, Text string }

// The names of the passages of an application.
const (
	LogPassage         = "log"
	ExecPassage        = "exec"
	PortForwardPassage = "portforward"
	DiffPassage        = "diff"
)

// Permission is what roles call the sub-resource of a kind.
func (k *Kind) Permission(sub string) string {
	if sub == "" {
		return k.Plural
	}
	return k.Plural + "/" + sub
}

// Passage returns the passage of this name, nil when there is none.
func (k *Kind) Passage(name string) *Passage {
	for i := range k.Passages {
		if k.Passages[i].Name == name {
			return &k.Passages[i]
		}
	}
	return nil
}

var (
	podParameter       = Parameter{"pod", "string", "One of the application's pods."}
	containerParameter = Parameter{"container", "string", "One of the pod's containers."}
)

// applicationPassages lead to the cluster that an application runs on.
var applicationPassages = []Passage{
	{
		Name: LogPassage, Summary: "Read what the containers of an application have written, as lines of text.",
		Query: []Parameter{
			{"pod", "string", "Only this pod. Without it every line begins with the pod and the container that wrote it."},
			{"container", "string", "Only containers of this name."},
			{"follow", "boolean", "Go on with what they write from now on, in pods that come later, too."},
			{"tail", "integer", "At most so many of the last lines of each container."},
			{"since", "integer", "Only what was written in so many seconds before now."},
			{"timestamps", "boolean", "Begin every line with the time when it was written."},
		},
	},
	{
		Name: ExecPassage, Summary: "Run a command in a container, over a WebSocket with Kubernetes' protocol v5.channel.k8s.io.",
		Upgrade: true,
		Query: []Parameter{
			podParameter, containerParameter,
			{"command", "array", "The command and its arguments, one by one."},
			{"stdin", "boolean", "The command reads what the client sends."},
			{"stdout", "boolean", "The client gets what the command writes. This and stderr are true if neither is given."},
			{"stderr", "boolean", "The client gets what the command writes as errors. A terminal has none."},
			{"tty", "boolean", "The command has a terminal."},
		},
	},
	{
		Name: PortForwardPassage, Summary: "A connection to a port of a pod, over a WebSocket with Kubernetes' protocol v4.channel.k8s.io.",
		Upgrade: true,
		Query:   []Parameter{podParameter, {"ports", "integer", "The port of the pod."}},
	},
	{
		Name: DiffPassage, Summary: "Tell what Krake would change on the application's cluster now. Nothing is written.",
		Body:   func() any { return &ApplicationDraft{} },
		Answer: func() any { return &ApplicationDiff{} },
	},
}

// ApplicationDraft is the body of POST …/diff: what an application would be made of.
type ApplicationDraft struct {
	Manifest Manifest `json:"manifest" wire:"required"`
	// ObserverSchema is the stored one if it is left out.
	ObserverSchema []map[string]any `json:"observer_schema" wire:"null"`
}

// ApplicationDiff is what Krake would change on a cluster.
type ApplicationDiff struct {
	Cluster ResourceRef  `json:"cluster"` // on which the application is to run
	Objects []ObjectDiff `json:"objects"`
}

// ObjectDiff is what would become of one object.
type ObjectDiff struct {
	APIVersion string     `json:"api_version"`
	Kind       string     `json:"kind"`
	Namespace  string     `json:"namespace"` // empty for cluster-wide objects
	Name       string     `json:"name"`
	Action     DiffAction `json:"action"`
	// Reason says why the object is refused, or what could not be found out about it; empty otherwise.
	Reason string `json:"reason"`
	// Changes are the fields that would change, sorted by their paths.
	Changes []FieldDiff `json:"changes"`
}

// FieldDiff is one field that would change. Values of Secrets are not told: they are replaced by a text that is the same
// for equal values of one answer.
type FieldDiff struct {
	Path   string `json:"path"`   // such as spec.replicas
	Before any    `json:"before"` // null if it is not there
	After  any    `json:"after"`  // null if it goes
}

// DiffAction is what would be done with an object.
type DiffAction string

// The actions.
const (
	DiffCreate  DiffAction = "create"
	DiffUpdate  DiffAction = "update"
	DiffRemove  DiffAction = "remove"
	DiffNothing DiffAction = "nothing"
	DiffRefuse  DiffAction = "refuse" // the application cannot be brought to the cluster like this
)

// Members lists the actions.
func (DiffAction) Members() []string {
	return []string{"create", "update", "remove", "nothing", "refuse"}
}

// CheckWire holds the rules about the whole draft.
func (d *ApplicationDraft) CheckWire(e *wire.Errors) {
	if len(d.Manifest) == 0 {
		e.At("manifest").Add("The draft has no objects.")
	}
	for _, problem := range checkObserverSchema(d.ObserverSchema, d.Manifest) {
		e.At("observer_schema").Add(problem)
	}
}
