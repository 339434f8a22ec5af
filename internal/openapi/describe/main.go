// Describe collects the comments on the types of a directory of Go files and on their fields into a JSON object, for
// go generate.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: describe DIRECTORY FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "describe:", err)
		os.Exit(1)
	}
}

func run(dir, file string) error {
	found, err := collect(dir)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(found, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

// collect returns the comments by type, and by type and field as Type.Field.
func collect(dir string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			if types, ok := d.(*ast.GenDecl); ok && types.Tok == token.TYPE {
				describeTypes(types, found)
			}
		}
	}
	return found, nil
}

func describeTypes(types *ast.GenDecl, found map[string]string) {
	for _, spec := range types.Specs {
		t, ok := spec.(*ast.TypeSpec)
		if !ok || !t.Name.IsExported() {
			continue
		}
		note(found, t.Name.Name, t.Doc, types.Doc)
		if fields, ok := t.Type.(*ast.StructType); ok {
			for _, f := range fields.Fields.List {
				for _, name := range f.Names {
					note(found, t.Name.Name+"."+name.Name, f.Doc, f.Comment)
				}
			}
		}
	}
}

// note keeps the first comment that says something, in one line.
func note(found map[string]string, name string, comments ...*ast.CommentGroup) {
	for _, c := range comments {
		if text := strings.Join(strings.Fields(c.Text()), " "); text != "" {
			found[name] = text
			return
		}
	}
}
