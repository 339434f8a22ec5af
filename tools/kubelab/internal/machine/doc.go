// Package machine gives a real node what a machine of its own would: a network,
// a set of processes, and a view of the files. All three are namespaces of
// Linux, made for one process, Init, that does nothing but hold them.
//
// The point is how they end. When Init ends, the kernel kills every process in
// its namespaces: containers too, and whatever starts them and detaches itself.
// With the last process go the mounts, the interfaces, and the rules of the
// node's proxy. Init dies with its parent. What the kernel does not clean up by
// itself, Sweep does, which outlives all others.
//
// The host sees nothing of a node but its processes, its control groups and one
// end of the link to it. Package node says what runs inside.
package machine
