package table

import (
	"strings"
	"unicode"

	pretty "github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Unlimited is the width of a table that is as wide as its content.
const Unlimited = 0

// List draws a header and one row for each item. A width is the most characters that a line may have.
func List(header []string, rows [][]string, width int) string {
	all := make([][][]string, 0, len(rows)+1) // row, column, line
	for _, row := range append([][]string{header}, rows...) {
		all = append(all, lines(row))
	}
	return draw(all, width, true)
}

// Detail draws one row for each pair of a label and a value.
func Detail(pairs [][2]string, width int) string {
	all := make([][][]string, 0, len(pairs))
	for _, pair := range pairs {
		all = append(all, lines(pair[:]))
	}
	return draw(all, width, false)
}

func lines(row []string) [][]string {
	out := make([][]string, len(row))
	for i, cell := range row {
		for line := range strings.SplitSeq(cell, "\n") {
			out[i] = append(out[i], printable(expandTabs(line)))
		}
	}
	return out
}

func draw(rows [][][]string, limit int, header bool) string {
	widths := widths(natural(rows), limit)
	w := pretty.NewWriter()
	w.SetStyle(style())
	for i, row := range rows {
		cells := make(pretty.Row, len(row))
		for column, cell := range row {
			wrapped := wrapCell(cell, widths[column])
			if header && i == 0 {
				wrapped = centre(wrapped, widths[column])
			}
			cells[column] = strings.Join(wrapped, "\n")
		}
		if header && i == 0 {
			w.AppendHeader(cells)
		} else {
			w.AppendRow(cells)
		}
	}
	// A column keeps the room that it was given, and numbers stand on the left like everything else.
	configs := make([]pretty.ColumnConfig, len(widths))
	for i, n := range widths {
		configs[i] = pretty.ColumnConfig{Number: i + 1, WidthMin: n, Align: text.AlignLeft, AlignHeader: text.AlignLeft}
	}
	w.SetColumnConfigs(configs)
	return w.Render() + "\n"
}

func style() pretty.Style {
	s := pretty.StyleDefault
	s.Format.Header = text.FormatDefault
	s.Box.Horizontal = pretty.NewBoxStyleHorizontal("-")
	s.Box.Horizontal.HeaderBottom = "="
	return s
}

// centre puts an odd blank on the right.
func centre(lines []string, width int) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		left := (width - text.StringWidth(line)) / 2
		out[i] = strings.Repeat(" ", max(left, 0)) + line
	}
	return out
}

// natural returns for each column the width of its widest line.
func natural(rows [][][]string) []int {
	var out []int
	for _, row := range rows {
		for column, cell := range row {
			if column == len(out) {
				out = append(out, 0)
			}
			for _, line := range cell {
				out[column] = max(out[column], text.StringWidth(line))
			}
		}
	}
	return out
}

// widths shares out the room of a line. When not everything fits, all columns grow evenly from nothing until they have
// what they need or nothing is left; each gets one character at least, even if the table becomes too wide by it.
func widths(needed []int, limit int) []int {
	const border, separator = 4, 3
	room := limit - border - separator*(len(needed)-1)
	total := 0
	for _, n := range needed {
		total += n
	}
	if limit == Unlimited || total <= room {
		return needed
	}
	out := make([]int, len(needed))
	for i := range out {
		out[i] = min(needed[i], 1)
		room -= out[i]
	}
	for i := 0; room > 0; i = (i + 1) % len(out) {
		if out[i] < needed[i] {
			out[i]++
			room--
		}
	}
	return out
}

func expandTabs(line string) string {
	if !strings.Contains(line, "\t") {
		return line
	}
	var b strings.Builder
	column := 0
	for _, r := range line {
		if r == '\t' {
			n := 8 - column%8
			b.WriteString(strings.Repeat(" ", n))
			column += n
			continue
		}
		b.WriteRune(r)
		column += text.RuneWidth(r)
	}
	return b.String()
}

// printable replaces control characters: a value from the API must not steer the terminal.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\ufffd'
		}
		return r
	}, line)
}
