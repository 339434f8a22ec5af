package api

import (
	"encoding/json"
	"net/http"

	"github.com/rak-n-rok/krake/api/constraint"
	"github.com/rak-n-rok/krake/api/wire"
)

// ApplicationKind is the kind of applications: manifests that Krake places on clusters.
var ApplicationKind = &Kind{
	Group: "kubernetes", Name: "Application", Plural: "applications",
	Namespaced: true, Status: true, Force: true, Deletions: []Deletion{KeepWorkloads},
	New: func() Resource { return &Application{} },
	Actions: []Action{
		{Name: "binding", New: func() any { return &ClusterBinding{} }, Apply: bindApplication},
		{Name: "complete", New: func() any { return &ApplicationComplete{} }, Apply: completeApplication},
		{Name: "shutdown", New: func() any { return &ApplicationShutdown{} }, Apply: shutdownApplication},
		{Name: "retry", Apply: retryApplication},
		{Name: "move", New: func() any { return &ApplicationMove{} }, Apply: moveApplication},
		removalApproval(func(r Resource) *Conditions { return &r.(*Application).Status.Conditions }),
	},
	Parts: []Part{
		{Name: InventoryPart, New: func() any { return &Inventory{} }},
		{Name: MigrationPart, New: func() any { return &Migration{} }},
		{Name: PlacementPart, New: func() any { return &Placement{} }, Question: PlacementsQuestion, Ask: askForPlacement},
		{Name: RemovalPart, New: func() any { return &Removal{} }},
		{Name: ResourcesPart, New: func() any { return &Resources{} }},
	},
	Passages:  applicationPassages,
	Questions: applicationQuestions,
	Fields: []string{"status.state", "status.scheduled_to.namespace", "status.scheduled_to.name",
		"status.running_on.namespace", "status.running_on.name"},
	Secrets: []string{"status.complete_token", "status.complete_key", "status.shutdown_token", "status.shutdown_key"},
}

// The hooks that mean something; other names are accepted and have no effect.
const (
	HookComplete = "complete"
	HookShutdown = "shutdown"
)

// Application is a set of Kubernetes objects that run together on one cluster.
type Application struct {
	Envelope
	Spec   ApplicationSpec   `json:"spec" wire:"required"`
	Status ApplicationStatus `json:"status" wire:"sub"`
}

// ApplicationSpec is what the user asks for.
type ApplicationSpec struct {
	Manifest                Manifest               `json:"manifest" wire:"required"`
	Tosca                   ToscaSource            `json:"tosca"`
	Csar                    *string                `json:"csar"`
	ObserverSchema          []map[string]any       `json:"observer_schema"`
	Constraints             ApplicationConstraints `json:"constraints" wire:"required"`
	Hooks                   []string               `json:"hooks"`
	ShutdownGraceTime       *int64                 `json:"shutdown_grace_time"` // seconds
	ShutdownFailureStrategy *string                `json:"shutdown_failure_strategy"`
	ShutdownRetryCount      *int64                 `json:"shutdown_retry_count"`
	// Backoff multiplies BackoffDelay, in seconds, with every failed attempt to find a place; BackoffLimit is how many
	// attempts may fail, -1 for any number.
	Backoff           int64  `json:"backoff" wire:"default=1"`
	BackoffDelay      int64  `json:"backoff_delay" wire:"default=1"`
	BackoffLimit      int64  `json:"backoff_limit" wire:"default=-1"`
	StorageMigration  string `json:"storage_migration" wire:"default=none"`
	AutoClusterCreate bool   `json:"auto_cluster_create"`
	// MigrationStrategy says what comes first in a move: by default what the manifest can bear.
	MigrationStrategy MigrationStrategy `json:"migration_strategy" wire:"added,default=AUTO"`
	// Paused has Krake leave the application where it is, whatever happens; what is asked for is still applied there.
	Paused bool `json:"paused" wire:"added"`
	// Pin is the name of the only cluster that it may be on; empty for any.
	Pin string `json:"pin" wire:"added"`
	// MigrationData says what becomes of the files on the application's claims in a move.
	MigrationData MigrationData `json:"migration_data" wire:"added,default=NONE"`
	// Requests are what the pods of the manifest ask for, where somebody has summed it up to drop the manifest. They are no
	// part of the wire.
	Requests *Requests `json:"-"`
}

// ApplicationConstraints say where an application may run.
type ApplicationConstraints struct {
	Cluster   ClusterConstraints `json:"cluster" wire:"required"`
	Migration bool               `json:"migration" wire:"default=true"` // may it be moved once it runs
}

// ClusterConstraints must all hold for a cluster to be chosen.
type ClusterConstraints struct {
	Labels          []constraint.Label  `json:"labels" wire:"null"`
	CustomResources []string            `json:"custom_resources"`
	Metrics         []constraint.Metric `json:"metrics" wire:"null"`
}

// MigrationStrategy is the order of a move.
type MigrationStrategy string

// The strategies.
const (
	// MigrateAuto creates first, unless two copies at once would harm.
	MigrateAuto        MigrationStrategy = "AUTO"
	MigrateCreateFirst MigrationStrategy = "CREATE_FIRST"
	MigrateDeleteFirst MigrationStrategy = "DELETE_FIRST"
)

// Members lists the strategies.
func (MigrationStrategy) Members() []string { return []string{"AUTO", "CREATE_FIRST", "DELETE_FIRST"} }

// MigrationData is what becomes of the files of an application when it moves.
type MigrationData string

// What may become of files.
const (
	// DataNone leaves it open, so that Krake moves nothing that has files unless it must; then it does what LEAVE does.
	DataNone MigrationData = "NONE"
	// DataCopy copies them while the application is stopped.
	DataCopy MigrationData = "COPY"
	// DataLeave leaves them behind: the application begins anew, and its claims are kept for a while.
	DataLeave MigrationData = "LEAVE"
)

// Members lists them.
func (MigrationData) Members() []string { return []string{"NONE", "COPY", "LEAVE"} }

// ApplicationStatus is what Krake knows of an application.
type ApplicationStatus struct {
	Reason                   *Reason          `json:"reason"`
	State                    ApplicationState `json:"state" wire:"default=PENDING"`
	ContainerHealth          ContainerHealth  `json:"container_health"`
	KubeControllerTriggered  *Time            `json:"kube_controller_triggered"`
	Scheduled                *Time            `json:"scheduled"`
	ScheduledTo              *ResourceRef     `json:"scheduled_to"`
	RunningOn                *ResourceRef     `json:"running_on"`
	Retries                  *int64           `json:"retries"`
	ScheduledRetry           *Time            `json:"scheduled_retry"`
	Services                 Services         `json:"services"`
	MangledObserverSchema    []map[string]any `json:"mangled_observer_schema"`
	LastObservedManifest     []map[string]any `json:"last_observed_manifest"`
	LastAppliedManifest      []map[string]any `json:"last_applied_manifest"`
	CompleteToken            *string          `json:"complete_token"`
	CompleteCert             *string          `json:"complete_cert"`
	CompleteKey              *string          `json:"complete_key"`
	ShutdownToken            *string          `json:"shutdown_token"`
	ShutdownCert             *string          `json:"shutdown_cert"`
	ShutdownKey              *string          `json:"shutdown_key"`
	ShutdownGracePeriod      *Time            `json:"shutdown_grace_period"`
	AutoClusterCreateStarted *string          `json:"auto_cluster_create_started"`
	MigrationRetries         int64            `json:"migration_retries"`
	MigrationTimeout         int64            `json:"migration_timeout"` // Unix seconds
	Conditions               Conditions       `json:"conditions" wire:"added"`
	// MoveRequest is a move that somebody has asked for and that was not made yet, or was refused; null otherwise.
	MoveRequest *MoveRequest `json:"move_request" wire:"added"`
	// ScheduledGeneration is the newest generation that the scheduler has decided on; 0 before the first decision.
	ScheduledGeneration int64 `json:"scheduled_generation" wire:"server"`
	// Cascaded says that its deletion was asked for because its owners go, and by nobody who named it.
	Cascaded bool `json:"cascaded" wire:"server"`
}

// Services says by their names where the services of an application can be reached. Our controllers write texts such as
// 10.0.0.1:30001; others may write what they like.
type Services map[string]any

// Text returns where a service can be reached, empty if that is not known or no text.
func (s Services) Text(name string) string {
	text, _ := s[name].(string)
	return text
}

// Are says whether the services are exactly these.
func (s Services) Are(addresses map[string]string) bool {
	for name, address := range addresses {
		if s.Text(name) != address {
			return false
		}
	}
	return len(s) == len(addresses)
}

// ContainerHealth counts pods.
type ContainerHealth struct {
	DesiredPods   int64 `json:"desired_pods"`
	RunningPods   int64 `json:"running_pods"`
	CompletedPods int64 `json:"completed_pods"`
	FailedPods    int64 `json:"failed_pods"`
}

// ApplicationState sums up an application in one word.
type ApplicationState string

// The states of an application.
const (
	AppPending            ApplicationState = "PENDING"
	AppCreating           ApplicationState = "CREATING"
	AppRunning            ApplicationState = "RUNNING"
	AppReconciling        ApplicationState = "RECONCILING"
	AppTranslating        ApplicationState = "TRANSLATING"
	AppRetrying           ApplicationState = "RETRYING"
	AppRestarting         ApplicationState = "RESTARTING"
	AppWaitingForCleaning ApplicationState = "WAITING_FOR_CLEANING"
	AppReadyForAction     ApplicationState = "READY_FOR_ACTION"
	AppMigrating          ApplicationState = "MIGRATING"
	AppWaitingForCluster  ApplicationState = "WAITING_FOR_CLUSTER_CREATION"
	AppDeleting           ApplicationState = "DELETING"
	AppDeleted            ApplicationState = "DELETED"
	AppDegraded           ApplicationState = "DEGRADED"
	AppFailed             ApplicationState = "FAILED"
	AppCompleted          ApplicationState = "COMPLETED"
)

// Members lists the states.
func (ApplicationState) Members() []string {
	return []string{"PENDING", "CREATING", "RUNNING", "RECONCILING", "TRANSLATING", "RETRYING", "RESTARTING",
		"WAITING_FOR_CLEANING", "READY_FOR_ACTION", "MIGRATING", "WAITING_FOR_CLUSTER_CREATION", "DELETING", "DELETED",
		"DEGRADED", "FAILED", "COMPLETED"}
}

// Deleting notes whether anybody has named the application, also later, and asks one that wants to be told before it is
// stopped to get ready.
func (a *Application) Deleting(now Time, cascade bool) (news bool) {
	if a.Metadata.Deleted != nil {
		named := a.Status.Cascaded && !cascade
		a.Status.Cascaded = a.Status.Cascaded && cascade
		return named
	}
	a.Status.Cascaded = cascade
	if a.wantsToBeTold() {
		a.askToShutDown(now)
	}
	return true
}

// CheckWire holds the rules about the whole specification.
func (s *ApplicationSpec) CheckWire(e *wire.Errors) {
	if s.Csar != nil && !hasSuffix(*s.Csar, ".csar", ".zip") {
		e.At("csar").Add("Invalid CSAR archive URL.")
	}
	if s.Pin != "" {
		checkClusterName(e.At("pin"), s.Pin)
	}
	if len(s.Manifest) == 0 && s.Tosca.Empty() && (s.Csar == nil || *s.Csar == "") {
		e.AddSchema("The application should be defined by a manifest file, a TOSCA template or a CSAR file.")
	}
	if len(s.Manifest) > 0 {
		for _, problem := range checkObserverSchema(s.ObserverSchema, s.Manifest) {
			e.At("observer_schema").Add(problem)
		}
	}
}

// ClusterBinding is the body of PUT …/binding: the scheduler's decision.
type ClusterBinding struct {
	API     string      `json:"api,omitempty" wire:"default=kubernetes"`
	Kind    string      `json:"kind,omitempty" wire:"default=ClusterBinding"`
	Cluster ResourceRef `json:"cluster" wire:"required"`
	// UID and Generation, when given, must be those of the application that was decided on.
	UID        string `json:"uid" wire:"added"`
	Generation int64  `json:"generation" wire:"added"`
	// Expected, when given, is the cluster that the application was bound to when it was decided on.
	Expected Expectation `json:"expected,omitzero" wire:"added"`
	// Placement, when given, replaces the part of that name.
	Placement *Placement `json:"placement" wire:"added"`
}

// CheckWire checks api and kind, and that it is a cluster that is bound to.
func (b *ClusterBinding) CheckWire(e *wire.Errors) {
	checkNames(e, b.API, b.Kind, "kubernetes", "ClusterBinding")
	checkTarget(e.At("cluster"), b.Cluster, ClusterKind)
}

// Expectation is a reference that may be stated, also as null, or left open.
type Expectation struct {
	Stated bool
	Ref    *ResourceRef
}

// Expect states that a reference is expected, or none when ref is nil.
func Expect(ref *ResourceRef) Expectation { return Expectation{Stated: true, Ref: ref} }

// MarshalJSON writes the reference, null for none. An expectation that is not stated must be left out.
func (x Expectation) MarshalJSON() ([]byte, error) { return json.Marshal(x.Ref) }

// DecodeNull states that nothing is expected.
func (x *Expectation) DecodeNull() { *x = Expect(nil) }

// DecodeWire states the reference.
func (x *Expectation) DecodeWire(v any) error {
	ref := &ResourceRef{}
	if err := wire.Decode(v, ref, wire.Create); err != nil {
		return err
	}
	*x = Expect(ref)
	return nil
}

func (x Expectation) holds(actual *ResourceRef) bool { return !x.Stated || SameRef(x.Ref, actual) }

// ApplicationComplete is the body of PUT …/complete, which an application sends when its work is done.
type ApplicationComplete struct {
	API   string  `json:"api,omitempty" wire:"default=kubernetes"`
	Kind  string  `json:"kind,omitempty" wire:"default=Complete"`
	Token *string `json:"token"`
}

// CheckWire checks api and kind.
func (c *ApplicationComplete) CheckWire(e *wire.Errors) {
	checkNames(e, c.API, c.Kind, "kubernetes", "Complete")
}

// ApplicationShutdown is the body of PUT …/shutdown, which an application sends when it may be stopped.
type ApplicationShutdown struct {
	API   string  `json:"api,omitempty" wire:"default=kubernetes"`
	Kind  string  `json:"kind,omitempty" wire:"default=Shutdown"`
	Token *string `json:"token"`
}

// CheckWire checks api and kind.
func (s *ApplicationShutdown) CheckWire(e *wire.Errors) {
	checkNames(e, s.API, s.Kind, "kubernetes", "Shutdown")
}

func stale(format string, args ...any) error {
	return NewProblem(http.StatusConflict, TitleTransaction, format, args...)
}
