package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
)

// TestAKindWithoutAnEntry is shown by what all kinds have in common.
func TestAKindWithoutAnEntry(t *testing.T) {
	for kind, want := range map[*api.Kind]string{api.CloudKind: "state", api.RoleKind: "deleted"} {
		columns := common(kind)
		if last := columns[len(columns)-1].Label; last != want || columns[0].Label != "name" {
			t.Errorf("%s is shown by %v", kind.Name, columns)
		}
	}
}

// TestDocsNameEveryCommand looks for all of them in the table of docs/rok.md, with all the names that they have.
func TestDocsNameEveryCommand(t *testing.T) {
	page, err := os.ReadFile("../../docs/rok.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{} // by the first names of group and kind
	group, groupName := "", ""
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1]+cells[2], "`") {
			continue
		}
		if named := strings.TrimSpace(cells[1]); named != "" {
			group = named
			groupName, _, _ = strings.Cut(strings.Trim(named, "`"), "`")
		}
		kind, _, _ := strings.Cut(strings.Trim(cells[2], " `"), "`")
		rows[groupName+" "+kind] = group + "|" + cells[2] + "|" + cells[3]
	}
	for _, group := range Commands().Commands() {
		for _, kind := range group.Commands() {
			row := rows[group.Name()+" "+kind.Name()]
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
