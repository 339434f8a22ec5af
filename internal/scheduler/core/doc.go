// Package core decides where applications run. It is a pure function of a snapshot of the clusters, an application and
// the time: no clock, no requests, no log, and no order taken from a map, so that a run, a dry run, a simulation and a
// property test are the same call.
//
// Decide goes through the clusters of the application's namespace, refuses each that may not be chosen with a reason,
// and chooses among the rest. What it returns is at the same time the explanation that users read. Failed says what
// follows when no place was found.
//
// Weigh says of an application that may stay whether a better place pays for a move: it maps the present place, the
// candidates with their scores, what the guards remember, and the time to stay, wait or move, with the reason and the next
// time to look. Rules are what can be adjusted; Memory is what is remembered, and what of it is stored.
//
// Explain says the same of every cluster, and what would lead to another decision. It finds that by asking about clusters that
// are otherwise (repair), with values of metrics at which the decision tips (nearest).
//
// A further reason to leave an application where it is is a case in holdOf, one that lets a move wait a row in guards. A
// further reason to refuse a cluster is a Code with its words, a line in check, and, if something can be done about it, a row in
// remedies. The package imports nothing but
// api and what is below it.
package core
