package api

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// EventKind is the kind of what happened to objects. Events are for people who ask why; nothing depends on them.
var EventKind = &Kind{
	Group: "core", Name: "Event", Plural: "events", Namespaced: true,
	New:    func() Resource { return &Event{} },
	Fields: []string{"spec.regarding.kind", "spec.regarding.name", "spec.regarding_uid", "spec.type", "spec.reason"},
	Lasts:  time.Hour, Crowd: 32,
}

// Event says what happened to an object, and how often. Its name is the UID of the object and, behind a dot, what tells it
// from other events of the object.
type Event struct {
	Envelope
	Spec EventSpec `json:"spec" wire:"required"`
}

// EventSpec is what happened.
type EventSpec struct {
	Regarding    *ResourceRef `json:"regarding"`
	RegardingUID string       `json:"regarding_uid"`
	Type         EventType    `json:"type" wire:"default=Normal"`
	Reason       string       `json:"reason" wire:"required"` // one word for programs, such as Moved
	Message      string       `json:"message"`                // a sentence for people
	Component    string       `json:"component"`              // who says so
	Count        int64        `json:"count" wire:"default=1"`
	First        *Time        `json:"first"` // when it happened for the first time
	Last         *Time        `json:"last"`
}

// EventType says whether somebody should look.
type EventType string

// The types of events.
const (
	NormalEvent  EventType = "Normal"
	WarningEvent EventType = "Warning"
)

// Members lists the types.
func (EventType) Members() []string { return []string{string(NormalEvent), string(WarningEvent)} }

// globalEvents is the namespace of events about objects that have none.
const globalEvents = "default"

// NewEvent makes an event about an object that happened at a moment. The same thing that happens to the same object again
// has the same name.
func NewEvent(about Resource, component string, kind EventType, reason, message string, now Time) *Event {
	m, k := Meta(about), KindOf(about)
	ref := k.Ref(m.NamespaceOrEmpty(), m.Name)
	namespace := globalEvents
	if k.Namespaced {
		namespace = m.NamespaceOrEmpty()
	}
	sum := sha256.Sum256([]byte(component + "\x00" + string(kind) + "\x00" + reason + "\x00" + message))
	e := New[Event]()
	e.Metadata.Name, e.Metadata.Namespace = m.UID+"."+hex.EncodeToString(sum[:8]), &namespace
	e.Spec = EventSpec{
		Regarding: &ref, RegardingUID: m.UID, Type: kind, Reason: reason, Message: message, Component: component,
		Count: 1, First: &now, Last: &now,
	}
	return e
}
