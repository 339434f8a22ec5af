// Package wire turns JSON into the types of package api by the rules of Krake's HTTP interface, and tells precisely what
// is wrong with a document that breaks them.
//
// The rules stand in struct tags next to the fields they govern, so that a resource kind is described by its Go type
// alone:
//
//	required       absent is an error
//	null           a list or map may be null; null is its default
//	default=TEXT   the value of an absent scalar
//	ro             written by the server only: ignored on create; on update it must be well-formed, and its value is ignored
//	im             may not change once it is set
//	sub            a sub-resource: ignored on create
//	added          unknown to the reference: an update without it keeps the stored value
//	server         added and computed by the server: ignored in every request
//
// A pointer is a nullable field. Lists and maps default to empty ones and are never nil after decoding, which is why
// encoding is plain encoding/json without omitempty: every known field is always present.
//
// The package knows nothing of kinds, HTTP or storage. A new rule is a new tag in plan.go and its use in decode.go.
package wire
