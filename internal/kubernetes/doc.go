// Package kubernetes brings applications onto member clusters and keeps an eye on both: the application controller
// (deploy, move, remove, observe), the controllers of leftovers and of drains, and the cluster controller.
//
// What is decided is pure: plans come from package fleet, the phases of a move from move_phases.go, when others are
// overruled and what is told of it from deviations.go, what a removal rests on from ground.go. The rest reads, writes and
// tries again. Every fact that a deletion or a move rests on is stored before it is acted upon, so a process may be killed
// between any two lines, and the next one goes on.
//
// The package reaches Krake's API through client and the clusters through fleet; it knows nothing of the server.
package kubernetes
