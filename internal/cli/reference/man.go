package reference

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Man are the manual pages, by the names of their files: one for the program and one for each group of commands.
func Man(root *cobra.Command) map[string][]byte {
	pages := map[string][]byte{}
	var single, groups []*cobra.Command
	for _, c := range root.Commands() {
		switch {
		case !c.IsAvailableCommand() || c.Name() == "help":
		case c.HasSubCommands():
			groups = append(groups, c)
		default:
			single = append(single, c)
		}
	}
	var b strings.Builder
	head(&b, root.Name(), root.Short)
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.I GROUP KIND OPERATION\n[options] [arguments]\n", root.Name())
	fmt.Fprint(&b, ".SH GROUPS\n")
	for _, c := range groups {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s: see\n.BR %s (1)\n", roff(c.NameAndAliases()), roff(c.Short), roff(root.Name()+"-"+c.Name()))
	}
	fmt.Fprint(&b, ".SH COMMANDS\n")
	for _, c := range single {
		manOf(&b, c)
	}
	pages[root.Name()+".1"] = []byte(b.String())
	for _, c := range groups {
		pages[root.Name()+"-"+c.Name()+".1"] = groupPage(root, c)
	}
	return pages
}

func groupPage(root, group *cobra.Command) []byte {
	var b strings.Builder
	head(&b, root.Name()+"-"+group.Name(), group.Short)
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s {%s}\n.I KIND OPERATION\n[options] [arguments]\n.SH COMMANDS\n", root.Name(), roff(group.NameAndAliases()))
	leaves(group, func(cmd *cobra.Command) { manOf(&b, cmd) })
	fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", root.Name())
	return []byte(b.String())
}

func head(b *strings.Builder, name, short string) {
	fmt.Fprintf(b, ".TH %s 1 \"\" Krake \"Krake Manual\"\n.SH NAME\n%s \\- %s\n", strings.ToUpper(name), roff(name), roff(short))
}

func manOf(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, ".SS %s\n%s\n.PP\n.B %s\n", roff(cmd.CommandPath()), lines(about(cmd)), roff(usage(cmd)))
	for _, o := range options(cmd) {
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR \\fI%s\\fR\n%s\n", roff(o.Names), roff(o.Value), lines(withDefault(o)))
	}
	fmt.Fprint(b, ".PP\nExamples:\n.PP\n.nf\n")
	for _, line := range examples(cmd) {
		fmt.Fprintf(b, "%s\n", lines(line))
	}
	fmt.Fprint(b, ".fi\n")
}

func withDefault(o Option) string {
	if o.Default == "" {
		return o.Meaning
	}
	return fmt.Sprintf("%s (default %s)", o.Meaning, o.Default)
}

// roff keeps the formatter from reading signs in a text.
func roff(text string) string { return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text) }

// lines is text of several lines, none of which is taken for a request.
func lines(text string) string {
	out := strings.Split(roff(text), "\n")
	for i, line := range out {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			out[i] = `\&` + line
		}
	}
	return strings.Join(out, "\n")
}
