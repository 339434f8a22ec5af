package api

import (
	"encoding/json"

	"github.com/rak-n-rok/krake/api/wire"
)

// Names of the parts of an application.
const (
	InventoryPart = "inventory"
	MigrationPart = "migration"
	PlacementPart = "placement"
	ResourcesPart = "resources"
)

// Inventory lists the objects that an application has on clusters: those that exist, and those that are about to.
type Inventory struct {
	Objects []InventoryObject `json:"objects"`
}

// InventoryObject is one Kubernetes object of an application. An object is the same when cluster, group, kind,
// namespace and name are.
type InventoryObject struct {
	// Cluster is the identity of the cluster.
	Cluster string `json:"cluster" wire:"required"`
	// Group and Version are those of the API that the object was last written with.
	Group     string `json:"group"`
	Version   string `json:"version"`
	Kind      string `json:"kind" wire:"required"`
	Namespace string `json:"namespace"` // empty for cluster-wide objects
	Name      string `json:"name" wire:"required"`
	// UID is the object's on the cluster; empty means that it was about to be created, and may exist or not.
	UID string `json:"uid"`
	// Hash is that of the manifest that was last applied.
	Hash string `json:"hash"`
	// Wave is the step of the deployment that it belongs to; removal goes through the waves in reverse.
	Wave int64 `json:"wave"`
}

// maxIdentity leaves room in the name of a leftover for the application's UID and, when that name is taken, its own.
const maxIdentity = 255 - 2*len(".00000000-0000-0000-0000-000000000000") - len(kept)

// CheckWire checks that the cluster can stand in the name of a leftover: no route would lead there otherwise.
func (o *InventoryObject) CheckWire(e *wire.Errors) {
	if !ValidName(o.Cluster) || len(o.Cluster) > maxIdentity {
		e.At("cluster").Add("Not the identity of a cluster.")
	}
}

// SameObject says whether two entries are the same object on the same cluster.
func (o InventoryObject) SameObject(p InventoryObject) bool {
	return o.Cluster == p.Cluster && o.Group == p.Group && o.Kind == p.Kind && o.Namespace == p.Namespace && o.Name == p.Name
}

// MigrationPhase is a step of a move.
type MigrationPhase string

// The phases of a move in the order in which they are gone through. A move that creates first skips the first three, one
// that deletes first all but Stopping, and one that copies files skips Draining.
const (
	PhaseNone     MigrationPhase = ""         // no move
	PhaseClaiming MigrationPhase = "Claiming" // making the claims on the target that files are to be copied to; the source runs
	PhaseStopping MigrationPhase = "Stopping" // removing from the source what runs, or everything, if no files are to be copied
	PhaseCopying  MigrationPhase = "Copying"  // copying files from claims to claims; nothing runs
	PhaseCreating MigrationPhase = "Creating" // applying on the target and waiting until it is ready, and has been for a while
	PhaseDraining MigrationPhase = "Draining" // running_on is the target; clients are leaving the source
	PhaseRemoving MigrationPhase = "Removing" // removing from the source
	PhaseUndoing  MigrationPhase = "Undoing"  // the target or the copying failed; removing from the target, the source has all it needs
)

// Members lists the phases.
func (MigrationPhase) Members() []string {
	return []string{"", "Claiming", "Stopping", "Copying", "Creating", "Draining", "Removing", "Undoing"}
}

// Migration is the state of a move, stored so that any process can go on with it.
type Migration struct {
	Phase MigrationPhase `json:"phase"`
	// Source and Target are the clusters' records; SourceID and TargetID their identities.
	Source   *ResourceRef `json:"source"`
	Target   *ResourceRef `json:"target"`
	SourceID string       `json:"source_id"`
	TargetID string       `json:"target_id"`
	// Generation is that of the application whose manifest is being moved.
	Generation int64 `json:"generation"`
	// Started is when the move began, Since when the phase did, Deadline when it is given up.
	Started  *Time `json:"started"`
	Since    *Time `json:"since"`
	Deadline *Time `json:"deadline"`
	// Ready is since when everything has been ready on the target; only in the phase Creating.
	Ready *Time `json:"ready"`
	// Failures counts moves in a row that were given up; Message says why the last one was, or why it stops first.
	Failures int64  `json:"failures"`
	Message  string `json:"message"`
	// Copies says that the files are copied, Volumes what there is to copy, null before that is known. Attempts counts how
	// often copying has failed in this move.
	Copies   bool          `json:"copies"`
	Volumes  []MovedVolume `json:"volumes" wire:"null"`
	Attempts int64         `json:"attempts"`
}

// MovedVolume is a claim whose files are copied in a move, and how far that has come.
type MovedVolume struct {
	Namespace string `json:"namespace"`
	Claim     string `json:"claim" wire:"required"`
	// SourceUID is the claim's on the source, Size what it asks for there.
	SourceUID string `json:"source_uid"`
	Size      string `json:"size"`
	// Begun is the UID of the claim on the target that was found empty before anything was copied to it.
	Begun string `json:"begun"`
	// Copied says that the copy was compared with the source. Files and Bytes are what it holds.
	Copied bool  `json:"copied"`
	Files  int64 `json:"files"`
	Bytes  int64 `json:"bytes"`
}

// Placement is the record of the scheduler's decisions, the newest first, and what it has to remember between them.
type Placement struct {
	Decisions []Decision `json:"decisions"`
	// Waiting is a move to a better cluster that does not happen yet, null if there is none.
	Waiting *WaitingMove `json:"waiting"`
	// Moves are those of the last hour, the oldest first.
	Moves []Move `json:"moves"`
	// Regret is what staying on the cluster Place has cost since the last move: differences between scores times seconds.
	Place  string  `json:"place"`
	Regret float64 `json:"regret"`
	// Avoided are the clusters that have refused the application for so long that another was tried.
	Avoided []AvoidedCluster `json:"avoided"`
}

// AvoidedCluster is one on which an application is not put for a while.
type AvoidedCluster struct {
	Cluster string `json:"cluster"`
	Reason  string `json:"reason"` // a sentence for people: what went wrong there
	Since   *Time  `json:"since"`
	Until   *Time  `json:"until"`
	// Failures counts how often it has failed the application, which makes the time longer. A change of the application's
	// generation has it forgotten.
	Failures   int64 `json:"failures"`
	Generation int64 `json:"generation"`
}

// WaitingMove is a move that would be right, but for a guard against moving too often.
type WaitingMove struct {
	To      string `json:"to"`
	Code    string `json:"code"`    // one word for the reason, see docs/scheduling.md
	Message string `json:"message"` // a sentence for people
	Since   *Time  `json:"since"`
	Until   *Time  `json:"until"` // when it is looked at again at the latest
}

// Move is one that has happened.
type Move struct {
	Time *Time  `json:"time"`
	From string `json:"from"`
	To   string `json:"to"`
}

// KeptDecisions is how many decisions are kept.
const KeptDecisions = 10

// Decision explains why an application is where it is, or why it is nowhere.
type Decision struct {
	Time       *Time  `json:"time"`
	Generation int64  `json:"generation"`
	Outcome    string `json:"outcome"` // "placed", "kept", "waiting", "moved" or "refused"
	// Chosen and Current are the clusters' names, empty for none.
	Chosen  string `json:"chosen"`
	Current string `json:"current"`
	Code    string `json:"code"`   // one word for the reason, see docs/scheduling.md
	Reason  string `json:"reason"` // a sentence for people
	// Candidates are the clusters that were looked at, the chosen one first; long lists are cut.
	Candidates []CandidateRecord `json:"candidates"`
	// Refused counts the clusters that could not be chosen, by reason.
	Refused map[string]int64 `json:"refused"`
	// RunnerUp is the cluster that would be next, empty if no other could be chosen. Margin is by how much the score of the
	// chosen one is the higher, 0 if one of them has none. It is below zero where staying is worth more than the difference.
	RunnerUp string  `json:"runner_up"`
	Margin   float64 `json:"margin"`
	// MoveAbove is the score that another cluster would have to exceed for the application to leave the chosen one; null
	// if no score would do, or the chosen one has none.
	MoveAbove *float64 `json:"move_above"`
}

// CandidateRecord is what the scheduler thought of one cluster.
type CandidateRecord struct {
	Name    string  `json:"name"`
	Score   float64 `json:"score"`
	Refusal string  `json:"refusal"` // why it could not be chosen, empty when it could
	Note    string  `json:"note"`    // what there is to say of its metrics, empty for nothing
	// Terms are what the score is made of, those with the greatest weights if there are many. They are recorded of the
	// chosen cluster, the current one and the runner-up.
	Terms []TermRecord `json:"terms"`
}

// PartDocument is a part as it travels: its content and its version, which is 0 before it was ever written.
type PartDocument struct {
	Metadata struct {
		ResourceVersion string `json:"resource_version"`
	} `json:"metadata"`
	Content json.RawMessage `json:"content"`
}
