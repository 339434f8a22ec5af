package api

import (
	"net/http"
	"slices"
	"strings"
)

// Deletion is a way in which a deletion is carried out, other than that of the reference. It is chosen with the request,
// by a parameter of DELETE that is called like it in lower case, and kept in the metadata, where no client reaches it.
type Deletion string

// The ways. A kind says which of them it knows.
const (
	// DeletePlain is the reference's: what depends on the object is deleted first, with all that it has anywhere.
	DeletePlain Deletion = ""
	// Evacuate has what depends on the object move away first. What cannot go holds the deletion.
	Evacuate Deletion = "EVACUATE"
	// KeepWorkloads removes records alone: what applications have on clusters stays there, and is nobody's any more.
	KeepWorkloads Deletion = "KEEP_WORKLOADS"
)

// Members lists the ways.
func (Deletion) Members() []string {
	return []string{string(DeletePlain), string(Evacuate), string(KeepWorkloads)}
}

// Parameter is what DELETE calls the way.
func (d Deletion) Parameter() string { return strings.ToLower(string(d)) }

// AskDeletion asks for the deletion of an object in a way that its kind knows, by name or, if cascade is set, because its
// owners go. It returns false when that was asked for already. An evacuation can still become another deletion. Any other is under way as it was begun: asked for plainly
// again it goes on, asked for in another way it is refused.
func AskDeletion(r Resource, how Deletion, cascade bool, now Time) (news bool, err error) {
	m := Meta(r)
	d, isTold := r.(Deleter)
	switch {
	case m.Deleted == nil, m.Deletion == Evacuate && how != Evacuate:
	case how == m.Deletion || how == DeletePlain:
		return isTold && d.Deleting(now, cascade), nil
	default:
		return false, NewProblem(http.StatusConflict, TitleUpdate,
			"The deletion is under way without %s; what has begun cannot be taken back.", how.Parameter())
	}
	if isTold && how != KeepWorkloads { // what stays need not get ready for its end
		d.Deleting(now, cascade)
	}
	m.Deletion = how
	MarkDeleted(r, now)
	m.Finalizers = slices.DeleteFunc(m.Finalizers, func(f string) bool { return f == FinalizerEvacuation })
	if how == Evacuate {
		m.Finalizers = slices.Insert(m.Finalizers, len(m.Finalizers)-1, FinalizerEvacuation)
	}
	return true, nil
}
