package cli

import (
	"fmt"
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
	asJSON  = "json"
	asYAML  = "yaml"
)

// output is how an answer is shown.
type output struct {
	form  option.Choice
	width option.Width // of a table
}

// machine says whether a program reads what is written. Then nothing but the answer may be written on success: scripts
// read both streams as one.
func (p *program) machine() bool {
	form := p.output.form.Value
	return p.OutWidth == 0 && (form == asJSON || form == asYAML)
}

// addOutput adds the option for the form.
func (p *program) addOutput(cmd *cobra.Command) {
	p.output.form = option.Choice{Value: asTable, Words: []string{asTable, asJSON, asYAML}}
	cmd.Flags().VarP(&p.output.form, "output", "o", "form of the output")
}

// addWidth adds the option for the width of tables. It is a new one: it comes after the old ones.
func (p *program) addWidth(cmd *cobra.Command) {
	cmd.Flags().Var(&p.output.width, "width", "most characters in a line of a table, 0 for any number (default the terminal's)")
}

// addOldFormat accepts -f and --format for -o, as the first versions had it. It is for commands that read no file.
func addOldFormat(cmd *cobra.Command) { argparse.Spelled(cmd.Flags(), "output", "-f", "--format") }

// lineWidth is how many characters a line of a table may have.
func (p *program) lineWidth() int {
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
	return p.write(doc, func() string { return view.Detail(columns, doc, p.lineWidth()) })
}

// showAwaited writes the answer to a request that may have waited for a state, and tells a person that the API has stopped
// waiting before it was reached. What is deleted has been on the way there.
func (p *program) showAwaited(doc *document.Object, columns []view.Column, request url.Values) error {
	state, reached := request.Get("blocking"), document.Text(doc, "status", "state")
	waited := state != "" && state != (&option.Wait{}).Blocking()
	if doc != nil && waited && !strings.EqualFold(reached, state) && reached != string(api.AppDeleted) && p.ErrTerminal {
		p.warn("the API has stopped waiting for %s; 'get' shows how it goes on", strings.ToUpper(state))
	}
	return p.show(doc, columns)
}

// showList writes objects.
func (p *program) showList(items []any, columns []view.Column) error {
	return p.write(items, func() string { return view.List(columns, items, p.lineWidth()) })
}

func (p *program) write(v any, drawn func() string) (err error) {
	var text []byte
	switch p.output.form.Value {
	case asJSON:
		text = document.JSON(v)
	case asYAML:
		if text, err = document.YAML(v); err != nil {
			return err
		}
	default:
		text = []byte(drawn())
	}
	_, err = p.Out.Write(text)
	return err
}

// warn tells the user something that did not stop the command.
func (p *program) warn(format string, args ...any) {
	if p.machine() || p.Env("ROK_NO_WARN") == "1" || p.Env("PYTHONWARNINGS") == "ignore" {
		return
	}
	fmt.Fprintf(p.Err, "Warning: "+format+"\n", args...)
}
