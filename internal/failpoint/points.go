package failpoint

// Point is a step after which the process may be killed.
type Point string

// The steps, in the order in which the life of an application passes them.
const (
	Created          Point = "created"           // API: an object was stored, its creator does not know yet
	Changed          Point = "changed"           // API: a change was stored, nobody knows yet
	Removed          Point = "removed"           // API: a record was removed
	FinalizerSet     Point = "finalizer-set"     // application controller: the record is kept until the objects are gone
	Announced        Point = "announced"         // the objects about to be created are in the inventory
	ObjectApplied    Point = "object-applied"    // an object is on the cluster, its UID is not stored
	WaveStored       Point = "wave-stored"       // the UIDs of a wave are stored
	Deployed         Point = "deployed"          // the status says that everything was accepted
	ObjectDeleted    Point = "object-deleted"    // an object was deleted on the cluster, the inventory still has it
	RemovalStored    Point = "removal-stored"    // removed objects are out of the inventory
	RemovalCharged   Point = "removal-charged"   // removals that nobody asked for by name are counted, and not allowed yet
	MoveBegun        Point = "move-begun"        // a move is stored, nothing was done
	MoveAdvanced     Point = "move-advanced"     // a move has entered another phase
	LeftoverCreated  Point = "leftover-created"  // a leftover exists, the inventory still has its objects
	FinalizerRemoved Point = "finalizer-removed" // the application controller has nothing left to do
	CascadeRemoved   Point = "cascade-removed"   // the garbage collector has nothing left to do
	Bound            Point = "bound"             // the scheduler's decision is stored
)

// Points lists all steps.
var Points = []Point{Created, Changed, Removed, FinalizerSet, Announced, ObjectApplied, WaveStored, Deployed,
	ObjectDeleted, RemovalStored, RemovalCharged, MoveBegun, MoveAdvanced, LeftoverCreated, FinalizerRemoved, CascadeRemoved, Bound}
