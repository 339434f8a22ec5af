package cli

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/cli/argparse"
	"github.com/rak-n-rok/krake/internal/cli/document"
	"github.com/rak-n-rok/krake/internal/cli/option"
	"github.com/rak-n-rok/krake/internal/cli/view"
)

// The forms of output.
const (
	asTable = "table"
	asWide  = "wide" // a table with all columns, however long its lines get
	asJSON  = "json"
	asYAML  = "yaml"
	asName  = "name"
)

// output is how an answer is shown.
type output struct {
	form  string
	width option.Width // of a table
}

// machine says whether a program reads what is written. Then nothing but the answer may be written on success: scripts
// read both streams as one.
func (p *program) machine() bool {
	return p.OutWidth == 0 && (p.output.isDocument() || p.output.form == asName)
}

// isDocument says whether answers are shown as the documents that they are.
func (o output) isDocument() bool { return o.form == asJSON || o.form == asYAML }

// addOutput adds the option for the form, with the words that it takes; the first is the default.
func addOutput(cmd *cobra.Command, words ...string) {
	cmd.Flags().VarP(&option.Choice{Value: words[0], Words: words}, "output", "o", "form of the output")
}

// addWidth adds the option for the width of tables. It is a new one: it comes after the old ones.
func (p *program) addWidth(cmd *cobra.Command) {
	cmd.Flags().Var(&p.output.width, "width", "most characters in a line of a table, 0 for any number (default the terminal's)")
}

// addOldFormat accepts -f and --format for -o, as the first versions had it. It is for commands that read no file.
func addOldFormat(cmd *cobra.Command) { argparse.Spelled(cmd.Flags(), "output", "-f", "--format") }

// lineWidth is how many characters a line of a table may have.
func (p *program) lineWidth() int {
	if p.output.form == asWide {
		return 0
	}
	if p.output.width.Given {
		return p.output.width.Characters
	}
	if n, err := strconv.Atoi(p.Env("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return p.OutWidth
}

// show writes one object; nothing when the server had nothing to say.
func (p *program) show(doc *document.Object, columns []view.Column) error {
	if doc == nil {
		return nil
	}
	if p.output.form == asName {
		return p.writeNames([]any{doc})
	}
	return p.write(doc, func() string { return view.Detail(columns, doc, p.lineWidth()) })
}

// showAwaited writes the answer to a request that may have waited for a state, and tells a person that the API has stopped
// waiting before it was reached. What is deleted has been on the way there.
func (p *program) showAwaited(doc *document.Object, columns []view.Column, request url.Values) error {
	state, reached := request.Get("blocking"), document.Text(doc, "status", "state")
	waited := state != "" && state != (&option.Wait{}).Blocking()
	if doc != nil && waited && !strings.EqualFold(reached, state) && reached != string(api.AppDeleted) {
		p.hint("the API has stopped waiting for %s; 'get' shows how it goes on", strings.ToUpper(state))
	}
	return p.show(doc, columns)
}

// showList writes objects.
func (p *program) showList(items []any, k *presentation) error {
	columns := k.list
	switch p.output.form {
	case asName:
		return p.writeNames(items)
	case asWide:
		columns = with(k.full, k.answers...)
	}
	return p.write(items, func() string { return view.List(columns, items, p.lineWidth()) })
}

// writeNames writes the names of objects, one on a line, for other commands.
func (p *program) writeNames(items []any) error {
	var lines strings.Builder
	for _, item := range items {
		lines.WriteString(document.Text(item, "metadata", "name") + "\n")
	}
	_, err := io.WriteString(p.Out, lines.String())
	return err
}

func (p *program) write(v any, drawn func() string) (err error) {
	var text []byte
	switch p.output.form {
	case asJSON:
		text = document.JSON(v)
	case asYAML:
		if text, err = document.YAML(v); err != nil {
			return err
		}
	default:
		table := drawn()
		if p.colourful() {
			table = coloured(table)
		}
		text = []byte(table)
	}
	_, err = p.Out.Write(text)
	return err
}

// hint warns of something that only a person at a terminal needs to know.
func (p *program) hint(format string, args ...any) {
	if p.ErrTerminal {
		p.warn(format, args...)
	}
}

// warn tells the user something that did not stop the command.
func (p *program) warn(format string, args ...any) {
	if p.machine() || p.Env("ROK_NO_WARN") == "1" || p.Env("PYTHONWARNINGS") == "ignore" {
		return
	}
	fmt.Fprintf(p.Err, "Warning: "+format+"\n", args...)
}
