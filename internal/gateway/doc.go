// Package gateway lets people through to where an application runs: its logs, commands in its containers, connections to
// their ports, and what Krake would change on its cluster. The server mounts it below applications; see api.Passage.
//
// It owns which pods and containers are meant, how streams are bounded and end, and how failures are told. It reads through
// the API as controllers do, reaches clusters through package fleet, and writes nothing anywhere.
//
//   - gateway, place, problem: where an application is, and what can be wrong on the way
//   - log, follow, lines: many streams of lines made one
//   - exec, portforward, relay: what goes both ways, in messages of package channel
//   - diff: what an apply would change
package gateway
