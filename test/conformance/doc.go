// Package conformance holds tests only: they speak to a real server over real connections and compare what it answers
// with the recorded behaviour of the reference (the acceptance vectors), with the additions of docs/api.md, and with
// what must always hold, for objects and sequences of writes that are drawn by chance.
//
// Every answer of every test also passes through package closed, in server_test.go. The tests that go over all kinds take
// them from api.Kinds; what a new kind may need is a line in draw_test.go.
package conformance
