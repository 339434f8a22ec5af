// Package gc is the garbage collector: what depends on an object that is to be deleted is deleted first, then the object
// may go. It works for every kind in the table of kinds and looks at nothing but metadata.
//
// An object depends on its owners (metadata.owners). It is deleted when all its owners are to be deleted or are gone
// already, and at least one of them is waiting for that; an owner that stays keeps it. An object whose deletion was
// asked for loses the finalizer cascade_deletion when nothing depends on it any more; then it is the turn of the other
// finalizers, or of the server to remove the record.
//
// Objects that own each other in a circle are one object in this respect: none of them is deleted because another one
// is, all of them are when the owners outside of the circle are, and they go once the deletion of all was asked for.
// A reference names an object but not which one of that name, so before anything is deleted its owners are read anew,
// and what is written or deleted must be in the version that was decided on.
//
// The rules are in graph.go, which is pure; the rest watches and carries them out.
package gc
