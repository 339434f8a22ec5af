// Package scenario runs stories about placement against the scheduler's core: clusters, metrics over time, applications,
// what happens to them, and where the applications are expected then. The stories are text files that read as
// documentation, in docs/scenarios; docs/scenarios/README.md has the language.
//
// Nothing is waited for: the time of a scenario is made up, and so are the clock, its errors, restarts and outages.
// Deciding is what the server does, core.Decide and core.Weigh, with the values of metrics judged as package metrics does.
//
// A new line of the language is a case in parse.go and a field or an action in scenario.go.
package scenario
