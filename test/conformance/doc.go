// Package conformance holds tests only: they speak to a real server over real connections and compare what it answers
// with the recorded behaviour of the reference (the acceptance vectors), with the additions of docs/api.md, and with
// what must always hold, for objects and sequences of writes that are drawn by chance.
//
// Every answer of every test also passes through package closed, in server_test.go. The tests that go over all kinds take
// them from api.Kinds; a new kind needs a row in kinds_test.go, or the suite fails, and may need a line in draw_test.go.
// The vectors that are not carried out are named in one place, leftOut in vectors_test.go.
package conformance
