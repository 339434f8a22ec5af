package view

import (
	"strings"

	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/table"
)

// Column is a column of a list and a row of a detail.
type Column struct {
	Label  string // in details
	Header string // in lists, the label when empty
	// Path leads to the value, with dots between the keys.
	Path string
	// Render writes the value; Plain when nil.
	Render func(any) string
}

// Base is what every kind shows first.
var Base = []Column{
	{Label: "name", Path: "metadata.name"},
	{Label: "namespace", Path: "metadata.namespace"},
	{Label: "labels", Path: "metadata.labels", Render: Dict},
	{Label: "created", Path: "metadata.created", Render: Time},
	{Label: "modified", Path: "metadata.modified", Render: Time},
	{Label: "deleted", Path: "metadata.deleted", Render: Time},
}

// State is shown by all kinds that have one.
var State = Column{Label: "state", Path: "status.state"}

func (c Column) cell(doc any) string {
	value := document.At(doc, strings.Split(c.Path, ".")...)
	if c.Render == nil {
		return Plain(value)
	}
	return c.Render(value)
}

// List draws objects as a table with a row for each.
func List(columns []Column, items []any, width int) string {
	header := make([]string, len(columns))
	for i, c := range columns {
		if header[i] = c.Header; header[i] == "" {
			header[i] = c.Label
		}
	}
	rows := make([][]string, len(items))
	for i, item := range items {
		for _, c := range columns {
			rows[i] = append(rows[i], c.cell(item))
		}
	}
	return table.List(header, rows, width)
}

// Detail draws one object as a table with a row for each column.
func Detail(columns []Column, doc any, width int) string {
	pairs := make([][2]string, len(columns))
	for i, c := range columns {
		pairs[i] = [2]string{c.Label, c.cell(doc)}
	}
	return table.Detail(pairs, width)
}
