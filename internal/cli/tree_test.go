package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestDocsNameEveryCommand looks for all of them in the table of docs/rok.md, with all the names that they have.
func TestDocsNameEveryCommand(t *testing.T) {
	page, err := os.ReadFile("../../docs/rok.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{} // by kind
	group := ""
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1]+cells[2], "`") {
			continue
		}
		if named := strings.TrimSpace(cells[1]); named != "" {
			group = named
		}
		kind, _, _ := strings.Cut(strings.Trim(cells[2], " `"), "`")
		rows[kind] = group + "|" + cells[2] + "|" + cells[3]
	}
	for _, group := range (&program{}).root().Commands() {
		for _, kind := range group.Commands() {
			row := rows[kind.Name()]
			named := append([]*cobra.Command{group, kind}, kind.Commands()...)
			for _, cmd := range named {
				for _, name := range append([]string{cmd.Name()}, cmd.Aliases...) {
					if !strings.Contains(row, "`"+name+"`") {
						t.Errorf("rok %s %s: the table does not name `%s`: %s", group.Name(), kind.Name(), name, row)
					}
				}
			}
		}
	}
}
