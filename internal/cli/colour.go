package cli

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The colours of states: what is as it should be, what is on its way, what somebody should look at.
const (
	green  = "32"
	yellow = "33"
	red    = "31"
)

var colours = map[string]string{
	"RUNNING": green, "ONLINE": green, "COMPLETED": green, "working": green,
	"PENDING": yellow, "TRANSLATING": yellow, "CREATING": yellow, "RECONCILING": yellow, "MIGRATING": yellow, "RETRYING": yellow,
	"RESTARTING": yellow, "CONNECTING": yellow, "DELETING": yellow, "WAITING_FOR_CLEANING": yellow, "READY_FOR_ACTION": yellow,
	"WAITING_FOR_CLUSTER_CREATION": yellow, "idle": yellow,
	"FAILED": red, "DEGRADED": red, "OFFLINE": red, "UNHEALTHY": red, "NOTREADY": red, "FAILING_METRICS": red,
	"FAILING_RECONCILIATION": red, "late": red,
}

// cell is a cell of a table with a state in it.
var cell = regexp.MustCompile(`\| (` + strings.Join(slices.Sorted(maps.Keys(colours)), "|") + `) *\|`)

// coloured gives the states in a table their colours. The words keep their width.
func coloured(table string) string {
	// Cells share their borders: of two that stand side by side, the second is found the second time.
	for range 2 {
		table = cell.ReplaceAllStringFunc(table, func(found string) string {
			word := strings.Trim(found, "| ")
			return strings.Replace(found, word, paint(word, colours[word]), 1)
		})
	}
	return table
}

func paint(text, colour string) string { return "\x1b[" + colour + "m" + text + "\x1b[0m" }

// colourful says whether tables may have colours: on a terminal that has some, unless the user wants none.
func (p *program) colourful() bool {
	return p.OutWidth > 0 && p.Env("NO_COLOR") == "" && p.Env("TERM") != "dumb"
}
