// Command generate writes the reference of rok into the folder docs of the project. It is run in internal/cli.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/rak-n-rok/krake/internal/cli"
	"github.com/rak-n-rok/krake/internal/cli/reference"
)

func main() {
	if err := write(filepath.Join("..", "..", "docs")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(docs string) error {
	if err := os.WriteFile(filepath.Join(docs, "rok-reference.md"), reference.Markdown(cli.Commands()), 0o644); err != nil {
		return err
	}
	man := filepath.Join(docs, "man")
	if err := os.MkdirAll(man, 0o755); err != nil {
		return err
	}
	for name, page := range reference.Man(cli.Commands()) {
		if err := os.WriteFile(filepath.Join(man, name), page, 0o644); err != nil {
			return err
		}
	}
	return nil
}
