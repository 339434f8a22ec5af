package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// What people want to read of an explanation; documents have everything.
const (
	mostCandidates = 20
	mostChanges    = 5
	mostDecisions  = 3
)

// candidateColumns are those of the clusters of an explanation.
var candidateColumns = []view.Column{
	{Label: "cluster", Path: "name"},
	{Label: "score", Path: "score"},
	{Label: "verdict", Path: "verdict"},
	{Label: "metrics", Path: "metrics", Render: view.OrNone},
}

// candidate is what an explanation says of a cluster, nil for nothing.
func candidate(doc any, cluster string) any {
	for _, c := range document.List(doc, "explanation", "decision", "candidates") {
		if document.Text(c, "name") == cluster {
			return c
		}
	}
	return nil
}

// drawExplanation shows an explanation to people; of one cluster alone, if it is named.
func drawExplanation(doc any, not string, width int) string {
	var out strings.Builder
	decision := document.At(doc, "explanation", "decision")
	fmt.Fprintln(&out, document.Text(decision, "reason"))
	all := document.List(decision, "candidates")
	if not != "" {
		all = []any{candidate(doc, not)}
	}
	var rows []any
	for _, c := range all[:min(len(all), mostCandidates)] {
		rows = append(rows, candidateRow(c, decision))
	}
	if len(rows) > 0 {
		out.WriteString(view.List(candidateColumns, rows, width))
	}
	if n := len(all) - len(rows); n > 0 {
		fmt.Fprintf(&out, "%d more clusters are not shown.\n", n)
	}
	if above := document.At(decision, "move_above"); above != nil && not == "" {
		fmt.Fprintf(&out, "It moves for a score above %.3g, if that lasts.\n", number(above))
	}
	drawChanges(&out, doc, not)
	for _, note := range document.List(doc, "explanation", "notes") {
		fmt.Fprintf(&out, "Note: %s\n", view.Plain(note))
	}
	if not == "" {
		drawDecisions(&out, document.List(doc, "content", "decisions"))
	}
	return out.String()
}

// candidateRow is what is shown of a cluster.
func candidateRow(c, decision any) *document.Object {
	name := document.Text(c, "name")
	score := "-"
	if len(document.List(c, "terms")) > 0 {
		score = fmt.Sprintf("%.3g", number(document.At(c, "score")))
	}
	var verdict []string
	if name == document.Text(decision, "chosen") {
		verdict = append(verdict, "chosen")
	}
	if name == document.Text(decision, "current") {
		verdict = append(verdict, "where it is")
	}
	if name == document.Text(decision, "runner_up") {
		verdict = append(verdict, "next")
	}
	if len(verdict) > 0 {
		verdict = []string{strings.Join(verdict, ", ")}
	}
	refusal := document.Text(c, "refusal")
	switch {
	case refusal != "":
		verdict = append(verdict, refusal)
	case len(verdict) == 0:
		verdict = append(verdict, "could be chosen")
	}
	if note := document.Text(c, "note"); note != "" {
		verdict = append(verdict, note)
	}
	return document.New("name", name, "score", score, "verdict", strings.Join(verdict, "\n"), "metrics", strings.Join(termLines(c, decision), "\n"))
}

// termLines say what a score is made of.
func termLines(c, decision any) []string {
	var lines []string
	for _, t := range document.List(c, "terms") {
		line := fmt.Sprintf("%s %s: %.3g", document.Text(t, "metric"), shortNumber(document.At(t, "value")), number(document.At(t, "merit")))
		if weight := number(document.At(t, "weight")); weight != 1 {
			line += " × " + strconv.FormatFloat(weight, 'g', -1, 64)
		}
		if age := age(document.Text(t, "read"), document.Text(decision, "time")); age != "" {
			line += ", read " + age + " ago"
		}
		if document.At(t, "held") == true {
			line += ", cannot be read now"
		}
		lines = append(lines, line)
	}
	return lines
}

func shortNumber(v any) string { return strconv.FormatFloat(number(v), 'g', -1, 64) }

// age is the time between two texts, empty if one of them is no time.
func age(from, to string) string {
	a, errA := time.Parse(time.RFC3339, from)
	b, errB := time.Parse(time.RFC3339, to)
	if errA != nil || errB != nil {
		return ""
	}
	return max(b.Sub(a), 0).Round(time.Second).String()
}

// drawChanges says what would lead to another decision.
func drawChanges(out *strings.Builder, doc any, not string) {
	var sentences []string
	for _, c := range document.List(doc, "explanation", "changes") {
		if about := document.Text(c, "cluster"); not == "" || about == not || about == "" {
			sentences = append(sentences, document.Text(c, "sentence"))
		}
	}
	for _, s := range sentences[:min(len(sentences), mostChanges)] {
		fmt.Fprintln(out, s)
	}
	if n := len(sentences) - mostChanges; n > 0 {
		fmt.Fprintf(out, "(%d more; --not CLUSTER tells of one)\n", n)
	}
}

// drawDecisions tells of the decisions that were recorded, the newest first.
func drawDecisions(out *strings.Builder, decisions []any) {
	if len(decisions) == 0 {
		return
	}
	out.WriteString("What was decided:\n")
	for _, d := range decisions[:min(len(decisions), mostDecisions)] {
		fmt.Fprintf(out, "  %s %s (%s): %s\n", view.Time(document.At(d, "time")), document.Text(d, "outcome"), document.Text(d, "code"), document.Text(d, "reason"))
	}
}
