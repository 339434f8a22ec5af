package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/api/wire"
)

// RemovalPart is the name of the part that says which objects stay on clusters until somebody approves their removal.
const RemovalPart = "removal"

// Removal is how far the removal of objects has come that nobody asked for by name.
type Removal struct {
	// Waiting are the objects that stay until their removal is approved, each with the UID that it has on its cluster.
	Waiting []InventoryObject `json:"waiting"`
	// Why says what would remove them, for people.
	Why string `json:"why"`
	// Until is when they go without an approval, null if never.
	Until *Time `json:"until"`
	// Allowed are the UIDs of objects that may go: they were approved, or were few enough.
	Allowed []string `json:"allowed"`
}

// RemovalApproval is the body of PUT …/approval: somebody has looked at what waits and wants exactly these objects to go.
type RemovalApproval struct {
	API  string   `json:"api,omitempty" wire:"default=kubernetes"`
	Kind string   `json:"kind,omitempty" wire:"default=RemovalApproval"`
	UIDs []string `json:"uids" wire:"required"`
}

// CheckWire checks api and kind, and that something is approved.
func (a *RemovalApproval) CheckWire(e *wire.Errors) {
	checkNames(e, a.API, a.Kind, "kubernetes", "RemovalApproval")
	if len(a.UIDs) == 0 {
		e.At("uids").Add("Must name the objects whose removal is approved.")
	}
}

// removalApproval is the action for kinds with the part removal. Conditions returns where an object has its conditions.
func removalApproval(conditions func(Resource) *Conditions) Action {
	return Action{Name: "approval", New: func() any { return &RemovalApproval{} }, Reads: []string{RemovalPart},
		Apply: func(r Resource, body any, now Time, parts map[string]any) error {
			removal := parts[RemovalPart].(*Removal)
			if err := removal.approve(body.(*RemovalApproval).UIDs); err != nil {
				return err
			}
			list := conditions(r)
			*list = list.With(removal.Condition(r), now)
			return nil
		}}
}

// approve allows what waits. Approving again what is allowed already changes nothing, so that an approval whose answer was
// lost can be sent again.
func (r *Removal) approve(uids []string) error {
	waits := func(uid string) bool {
		return slices.ContainsFunc(r.Waiting, func(o InventoryObject) bool { return o.UID == uid })
	}
	var unknown []string
	for _, uid := range uids {
		switch {
		case slices.Contains(r.Allowed, uid):
		case waits(uid):
			r.Allowed = append(r.Allowed, uid)
		default:
			unknown = append(unknown, uid)
		}
	}
	if len(unknown) > 0 {
		return stale("Nothing was approved: no removal of these objects waits for it: %s.", strings.Join(unknown, ", "))
	}
	r.Waiting = slices.DeleteFunc(r.Waiting, func(o InventoryObject) bool { return slices.Contains(r.Allowed, o.UID) })
	return nil
}

// Reasons of the condition AwaitingApproval.
const (
	ManyRemovals = "ManyRemovals" // True: so many would go at once that somebody has to approve it
	KeptFiles    = "KeptFiles"    // True: they hold files, and are kept for a while unless somebody approves that they go
	Approved     = "Approved"     // False: nothing waits any more, but what was approved is not gone yet
)

// Condition is what an object says of its removal.
func (r *Removal) Condition(of Resource) Condition {
	m := &of.envelope().Metadata
	c := Condition{Type: AwaitingApproval, ObservedGeneration: m.Generation}
	if len(r.Waiting) == 0 {
		c.Status, c.Reason, c.Message = False, Approved, "The removal was approved."
		return c
	}
	c.Status, c.Reason = True, ManyRemovals
	stay := "1 object stays"
	if n := len(r.Waiting); n > 1 {
		stay = fmt.Sprintf("%d objects stay", n)
	}
	until := "until the removal is approved, because so many would go at once"
	if r.Until != nil {
		c.Reason, until = KeptFiles, fmt.Sprintf("until %s, or until the removal is approved", r.Until.Time().UTC().Format(time.RFC3339))
	}
	c.Message = fmt.Sprintf("%s %s: %s 'rok kube %s approve -n %s %s' shows what would go, and approves it.",
		stay, until, r.Why, strings.ToLower(of.envelope().Kind), m.NamespaceOrEmpty(), m.Name)
	return c
}
