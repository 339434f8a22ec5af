package core

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rak-n-rok/krake/api"
)

var update = flag.Bool("update", false, "write the golden files of explanations anew")

// told is a situation whose explanation is kept in testdata/explain/CODE.txt.
type told struct {
	clusters []Cluster
	app      *api.Application
	memory   Memory
	full     map[string]time.Time
	also     func(s *Snapshot, a *api.Application) *Snapshot // what else is known of the application
}

// heat is a cluster's only metric: from 0 to 10, of the weight 1.
func heat(raw float64) func(*Cluster) {
	return func(c *Cluster) { c.Measure([]Measurement{ranged("heat-"+c.Name, 1, raw, 0, 10)}) }
}

// ranged is a measurement on a scale where more is better.
func ranged(name string, weight, raw, least, most float64) Measurement {
	scale := &Scale{Min: least, Max: most, Of: func(raw float64) (float64, float64, bool) {
		n := (raw - least) / (most - least)
		return n, n, n >= 0 && n <= 1
	}}
	m, _ := Measurement{Name: name, Weight: weight, Scale: scale}.at(raw)
	m.Read = noon.Add(-5 * time.Second)
	return m
}

// named has the label that tells clusters apart in these stories.
func named(location string) func(*Cluster) { return with(labels{"location": location}) }

func unread(why string) func(*Cluster) { return func(c *Cluster) { c.Unread = why } }

// refusals has for every code of a refusal a situation in which a cluster is refused for it. With a new code goes a row
// here, and "go test ./internal/scheduler/core -run Golden -update".
func refusals(t *testing.T) map[Code]told {
	spare := on("spare", named("DE"), heat(5))
	german := demanding(t, "location is DE")
	return map[Code]told{
		Gone:           {[]Cluster{spare}, application(bound("lost")), Memory{}, nil, nil},
		Dead:           {[]Cluster{on("dark", heat(7), silent(time.Hour)), spare}, application(bound("dark")), Memory{}, nil, nil},
		Pinned:         {[]Cluster{on("there", heat(7)), spare}, application(pinned("spare")), Memory{}, nil, nil},
		Deleting:       {[]Cluster{on("going", named("DE"), deleted), spare}, application(), Memory{}, nil, nil},
		Draining:       {[]Cluster{on("emptied", heat(7), drained), spare}, application(bound("emptied")), Memory{}, nil, nil},
		Cordoned:       {[]Cluster{on("closed", heat(7), cordoned), spare}, application(), Memory{}, nil, nil},
		NotOnline:      {[]Cluster{on("dark", heat(3), in(api.ClusterOffline)), spare}, application(), Memory{}, nil, nil},
		Label:          {[]Cluster{on("paris", named("FR"), heat(7)), on("bare", heat(1)), spare}, application(german), Memory{}, nil, nil},
		CustomResource: {[]Cluster{on("plain", heat(7)), on("rich", offering("crontabs.example.com"), heat(1))}, application(asking("crontabs.example.com")), Memory{}, nil, nil},
		Unread:         {[]Cluster{on("dumb", unread("Prometheus does not answer")), spare}, application(), Memory{}, nil, nil},
		MetricUnknown:  {[]Cluster{on("plain"), on("warm", heat(8))}, application(limitedTo(t, "heat-warm > 0.5")), Memory{}, nil, nil},
		Avoided: {[]Cluster{on("sour", heat(7)), spare}, application(), Memory{}, nil, func(s *Snapshot, a *api.Application) *Snapshot {
			until := api.At(noon.Add(10 * time.Minute))
			return s.Avoiding(api.Placement{Avoided: []api.AvoidedCluster{{Cluster: "sour", Reason: "exceeded quota", Until: &until, Generation: a.Metadata.Generation}}}, a, noon)
		}},
		NoRoom: {[]Cluster{on("full", heat(7), roomy(Room{Offered: amounts(4000, 9)})), spare}, application(), Memory{}, nil, func(s *Snapshot, _ *api.Application) *Snapshot {
			return s.Asking(api.Requests{Total: amounts(1500, 2)}, map[string]api.Requests{"full": {Total: amounts(3000, 1)}})
		}},
		Metric: {[]Cluster{on("warm", heat(4))}, application(limitedTo(t, "heat-warm > 0.5")), Memory{}, nil, nil},
	}
}

// decisions has for every code of a decision that is not that of a refusal a situation in which it is decided.
func decisions(t *testing.T) map[string]told {
	here, better, alike := on("here", heat(5)), on("better", heat(9)), on("alike", heat(5.1))
	at := func(edits ...func(*api.Application)) *api.Application {
		return application(append([]func(*api.Application){bound("here")}, edits...)...)
	}
	paid := Memory{Place: "here", Regret: 1e3}
	since := func(ago time.Duration) func(*api.Application) {
		return func(a *api.Application) { stamp := api.At(noon.Add(-ago)); a.Status.Scheduled = &stamp }
	}
	moved := func(n int, last time.Duration) Memory {
		m := paid
		for i := n - 1; i >= 0; i-- {
			stamp := api.At(noon.Add(-last - time.Duration(i)*time.Second))
			m.Moves = append(m.Moves, api.Move{Time: &stamp, From: "better", To: "here"})
		}
		return m
	}
	claiming := func(a *api.Application) {
		a.Spec.Manifest = api.Manifest{{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": "data"}}}
	}
	return map[string]told{
		First:             {[]Cluster{here, better}, application(), Memory{}, nil, nil},
		Nowhere:           {[]Cluster{on("dark", in(api.ClusterOffline))}, application(), Memory{}, nil, nil},
		Matches:           {[]Cluster{here, alike, on("plain")}, at(), Memory{}, nil, nil},
		Better:            {[]Cluster{here, better}, at(), paid, nil, nil},
		Blind:             {[]Cluster{on("here", heat(5), in(api.ClusterOffline)), better}, at(), Memory{}, nil, nil},
		Paused:            {[]Cluster{here, better}, at(paused), Memory{}, nil, nil},
		ByHand:            {[]Cluster{here, better}, at(asked("better")), Memory{}, nil, nil},
		StopsFirst:        {[]Cluster{on("here", silent(time.Hour)), better}, at(stopsFirst), Memory{}, nil, nil},
		ManySilent:        {[]Cluster{on("here", silent(time.Hour)), on("x", silent(time.Hour)), on("y", silent(time.Hour)), better}, at(), Memory{}, nil, nil},
		MigrationOff:      {[]Cluster{here, better}, at(fixed), Memory{}, nil, nil},
		UnderWay:          {[]Cluster{here, better}, at(condition(api.Migrating, api.True)), Memory{}, nil, nil},
		NotRunning:        {[]Cluster{here, better}, at(func(a *api.Application) { a.Status.State = api.AppFailed }), Memory{}, nil, nil},
		HasFiles:          {[]Cluster{here, better}, at(claiming), Memory{}, nil, nil},
		FailedMove:        {[]Cluster{here, better}, at(heldUntil(noon.Add(time.Minute))), paid, nil, nil},
		Residence:         {[]Cluster{here, better}, at(since(20 * time.Second)), paid, nil, nil},
		CoolDown:          {[]Cluster{here, better}, at(), moved(3, time.Minute), nil, nil},
		ApplicationBudget: {[]Cluster{here, better}, at(), moved(6, 40*time.Minute), nil, nil},
		TargetBudget:      {[]Cluster{here, better}, at(), paid, map[string]time.Time{"better": noon.Add(10 * time.Minute)}, nil},
		Unpaid:            {[]Cluster{here, better}, at(), Memory{}, nil, nil},
	}
}

func TestGoldenExplanationsOfRefusals(t *testing.T) {
	cases := refusals(t)
	for _, code := range codes(t, true) {
		if Code(code) == Unmeasured { // which is never said of a cluster
			golden(t, "refused-"+code, Refusal{Of: "project", Code: Unmeasured}.String()+"\n")
			continue
		}
		situation, told := cases[Code(code)]
		if !told {
			t.Errorf("there is no situation for the refusal %q: add a row to refusals", code)
			continue
		}
		text := explained(situation)
		if !strings.Contains(text, code+":") && !strings.Contains(text, "code "+code+"\n") {
			t.Errorf("nothing is refused for %q:\n%s", code, text)
		}
		golden(t, "refused-"+code, text)
	}
}

func TestGoldenExplanationsOfDecisions(t *testing.T) {
	cases := decisions(t)
	for _, code := range codes(t, false) {
		situation, told := cases[code]
		if !told {
			t.Errorf("there is no situation for the decision %q: add a row to decisions", code)
			continue
		}
		text := explained(situation)
		if !strings.Contains(text, "code "+code+"\n") {
			t.Errorf("nothing is decided for %q:\n%s", code, text)
		}
		golden(t, "decided-"+code, text)
	}
}

// explained is an explanation as a text, with the record that would be kept.
func explained(s told) string {
	snapshot := NewSnapshot(s.clusters)
	if s.also != nil {
		snapshot = s.also(snapshot, s.app)
	}
	d, changes := Explain(snapshot, s.app, Look{Rules: DefaultRules, Memory: s.memory, Now: noon, Full: s.full}, "")
	var out strings.Builder
	fmt.Fprintf(&out, "outcome %s\ncode %s\n%s\n", d.Outcome, d.Code, d.Reason)
	fmt.Fprintf(&out, "chosen %q, current %q, runner-up %q, margin %.3g", d.Chosen, d.Current, d.RunnerUp, d.Margin)
	if d.MoveAbove != nil {
		fmt.Fprintf(&out, ", moves above %.3g", *d.MoveAbove)
	}
	for _, c := range d.Candidates {
		fmt.Fprintf(&out, "\n- %s %.3g", c.Name, c.Score)
		for _, term := range c.Terms {
			fmt.Fprintf(&out, ", %s %g × %g (%g)", term.Metric, term.Weight, term.Merit, term.Value)
		}
		if c.Refusal != "" {
			fmt.Fprintf(&out, "\n  %s", c.Refusal)
		}
	}
	for _, c := range changes {
		fmt.Fprintf(&out, "\n> %s", c.Sentence)
	}
	return out.String() + "\n"
}

func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", "explain", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v; run the test with -update, and read what it writes", err)
		return
	}
	if text != string(want) {
		t.Errorf("%s has changed:\n--- want\n%s--- got\n%s", path, want, text)
	}
}

// word is what a code looks like.
var word = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

// codes reads all codes of refusals, or of other decisions, from the package itself, so that none is forgotten.
func codes(t *testing.T, refusals bool) []string {
	t.Helper()
	var out []string
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				out = append(out, codesOf(spec.(*ast.ValueSpec), refusals)...)
			}
		}
	}
	if len(out) == 0 {
		t.Fatal("no codes were found")
	}
	return out
}

func codesOf(spec *ast.ValueSpec, refusals bool) []string {
	var out []string
	typed, _ := spec.Type.(*ast.Ident)
	isRefusal := typed != nil && typed.Name == "Code"
	for _, value := range spec.Values {
		literal, ok := value.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING || isRefusal != refusals {
			continue
		}
		text, _ := strconv.Unquote(literal.Value)
		if outcomes := []string{Placed, Kept, Waiting, Moved, Refused}; word.MatchString(text) && !slices.Contains(outcomes, text) {
			out = append(out, text)
		}
	}
	return out
}
