// Package witness looks at clusters from outside of Krake: the demo, the tests and the benchmarks ask it whether what
// Krake says is so. It must not import anything of Krake.
package witness
