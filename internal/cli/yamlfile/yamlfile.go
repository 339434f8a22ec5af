package yamlfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/rak-n-rok/krake/internal/cli/document"
)

// Unreadable says that a file could not be opened or read, as opposed to one whose content is no YAML.
type Unreadable struct{ Err error }

func (e *Unreadable) Error() string { return e.Err.Error() }

func (e *Unreadable) Unwrap() error { return e.Err }

// Load returns the content of a file; the file - is standard input. A terminal or a pipe may let a reader wait for ever,
// and nothing but the end of the process ends such a read; the end of ctx ends the waiting for it.
func Load(ctx context.Context, file string, stdin io.Reader) ([]byte, error) {
	type content struct {
		data []byte
		err  error
	}
	loaded := make(chan content, 1)
	go func() {
		data, err := load(file, stdin)
		loaded <- content{data, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case c := <-loaded:
		return c.data, c.err
	}
}

func load(file string, stdin io.Reader) ([]byte, error) {
	if file == "-" {
		data, err := io.ReadAll(stdin)
		if err != nil {
			return nil, &Unreadable{fmt.Errorf("can't read standard input: %w", err)}
		}
		return data, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		var reason *fs.PathError
		if errors.As(err, &reason) {
			err = reason.Err // without the name, which comes first
		}
		return nil, &Unreadable{fmt.Errorf("can't open '%s': %w", file, err)}
	}
	return data, nil
}

// Parse returns the documents of a file in the form of package document. Empty documents are left out. The file's name
// is for errors.
func Parse(file string, data []byte) ([]any, error) {
	out := []any{}
	for _, part := range split(data) {
		text, err := yaml.YAMLToJSON(part.data)
		if err != nil {
			return nil, located(file, part.line, err)
		}
		doc, err := document.Parse(text)
		if err != nil {
			return nil, located(file, part.line, err)
		}
		if doc != nil {
			out = append(out, doc)
		}
	}
	return out, nil
}

// part is one document of a file, with the directives before it.
type part struct {
	data []byte
	line int  // of the file, where the part begins, from 0
	open bool // there is more than directives, comments and blank lines
}

// split cuts a file into its documents. One begins with a line --- or with its content, and ends before the next line ---
// or with a line of three dots. The parser reads no more than one document.
func split(data []byte) []part {
	parts := []part{{}}
	for i, line := range bytes.SplitAfter(data, []byte("\n")) {
		last := &parts[len(parts)-1]
		switch {
		case isMarker(line, "..."):
			parts = append(parts, part{line: i + 1})
			continue
		case isMarker(line, "---"):
			if last.open {
				parts = append(parts, part{line: i})
				last = &parts[len(parts)-1]
			}
			last.open = true
		case !last.open && bytes.HasPrefix(line, []byte("%YAML ")):
			line = []byte("\n") // the parser knows one version, and reads all by its rules
		case !last.open && !isBetween(line):
			last.open = true
		}
		last.data = append(last.data, line...)
	}
	return parts
}

// isMarker says whether a line begins or ends a document: with three characters and nothing else in the same word.
func isMarker(line []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	return ok && (len(bytes.TrimSpace(rest)) == 0 || rest[0] == ' ' || rest[0] == '\t')
}

// isBetween says whether a line may stand between two documents.
func isBetween(line []byte) bool {
	text := bytes.TrimSpace(line)
	return len(text) == 0 || text[0] == '#' || line[0] == '%'
}

var (
	lineOf = regexp.MustCompile(`\Ayaml: line (\d+): `)
	mapKey = regexp.MustCompile(`invalid map key: .*`)
)

// located puts file and line before the parser's message: echo.yaml:3: mapping values are not allowed.
func located(file string, first int, err error) error {
	message := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	message = strings.ReplaceAll(message, "\n", " ")
	line := first + 1
	if m := lineOf.FindStringSubmatch(message); m != nil {
		n, _ := strconv.Atoi(m[1])
		line = first + n
		message = message[len(m[0]):]
	}
	message = strings.TrimPrefix(strings.TrimPrefix(message, "yaml: "), "json: ")
	message = mapKey.ReplaceAllLiteralString(message, "a key is to be a text or a number")
	return fmt.Errorf("%s:%d: not valid YAML: %s", file, line, message)
}
