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

type part struct {
	data []byte
	line int // of the file, where the part begins, from 0
}

// split cuts a file at the lines that begin with ---; what else stands in such a line belongs to the next document.
func split(data []byte) []part {
	parts := []part{{}}
	for i, line := range bytes.SplitAfter(data, []byte("\n")) {
		if rest, ok := marker(line); ok {
			parts = append(parts, part{line: i})
			line = rest
		}
		last := &parts[len(parts)-1]
		last.data = append(last.data, line...)
	}
	return parts
}

func marker(line []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	if !ok || len(bytes.TrimSpace(rest)) > 0 && rest[0] != ' ' && rest[0] != '\t' {
		return nil, false
	}
	return rest, true
}

var lineOf = regexp.MustCompile(`\Ayaml: line (\d+): `)

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
	return fmt.Errorf("%s:%d: not valid YAML: %s", file, line, strings.TrimPrefix(message, "yaml: "))
}
