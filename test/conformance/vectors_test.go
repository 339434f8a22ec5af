package conformance

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"
)

// The fixtures of the acceptance vectors (section 11 of the specification of the wire).
const (
	cm   = `[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"panel"},"data":{"tilt":"30"}}]`
	kc   = `{"current-context":"a","contexts":[{"name":"a","context":{"cluster":"k"}}],"clusters":[{"name":"k","cluster":{"server":"https://10.0.0.9"}}],"users":[{"name":"u","user":{"token":"t"}}]}`
	apps = "/kubernetes/namespaces/solar/applications"
	edge = `{"api":"kubernetes","kind":"Cluster","namespace":"solar","name":"edge-1"}`

	forecast = apps + "/forecast"
)

func app(name string) string {
	return `{"metadata":{"name":"` + name + `"},"spec":{"manifest":` + cm + `,"constraints":{"cluster":{}}}}`
}

// A vector is one of the recorded exchanges with the reference, by its number there.
type vector struct {
	number int
	name   string
	run    func(t *testing.T, s *server)
}

// vectors are all of them, in their order, but those in leftOut.
var vectors = slices.Concat(coreVectors, applicationVectors, placeVectors, httpVectors, laterVectors)

// leftOut are the vectors that are not carried out here: they are about who calls and about another program.
var leftOut = map[int]string{
	38: "authorization by roles",
	39: "anonymous callers and authorization by roles",
	40: "authentication by Keystone",
	41: "authentication by client certificates",
	50: "the bootstrap tool",
}

func TestEveryVectorIsCarriedOutOrLeftOutVisibly(t *testing.T) {
	var numbers []int
	for _, v := range vectors {
		numbers = append(numbers, v.number)
	}
	if !slices.IsSorted(numbers) {
		t.Errorf("they are not in their order: %v", numbers)
	}
	for n := 1; n <= 50; n++ {
		if _, out := leftOut[n]; out == slices.Contains(numbers, n) {
			t.Errorf("vector %d is to be either carried out or left out", n)
		}
	}
}

// The vectors build on each other: they are carried out in their order on one server.
func TestAcceptanceVectors(t *testing.T) {
	s := start(t, from(ui))
	for _, v := range vectors {
		if !t.Run(fmt.Sprintf("%02d %s", v.number, v.name), func(t *testing.T) { v.run(t, s) }) {
			t.FailNow()
		}
	}
}

// current reads an object that must exist.
func current(t *testing.T, s *server, path string) document {
	t.Helper()
	return s.ask(t, "GET", path, nil).want(t, 200).document(t)
}

// manyWriters lets 16 clients write one object at the same time, which all of them must be able to.
func manyWriters(t *testing.T, s *server, path string) {
	read := current(t, s, path)
	var writers errgroup.Group
	for i := range 16 {
		writers.Go(func() error {
			for j := range 5 {
				body := read.with("metadata.labels", document{"writer": fmt.Sprintf("w%d-%d", i, j)})
				a, err := s.send("PUT", path, body)
				if err != nil {
					return err
				}
				if a.status != 200 {
					return fmt.Errorf("answered %d %s", a.status, a.body)
				}
			}
			return nil
		})
	}
	if err := writers.Wait(); err != nil {
		t.Error(err)
	}
}
