// Package preview answers where an application would be placed: one that exists or not, with metrics and clusters as they
// are or as the question says. It reads from the API, asks the scheduler's core, and writes nothing.
//
// The values of metrics are known to the scheduler that decides. Where it runs in another process, the answer says that
// they are not known, and what a question states counts alone.
//
// What a question may change belongs into package api (PlacementDraft) and draft.go; what an answer says into the core.
package preview
