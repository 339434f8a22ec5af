package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// Node returns the only document of a file as it is written, with its lines, nil when there is none. The file's name is
// for errors.
func Node(file string, data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var only *yaml.Node
	for {
		var document yaml.Node
		err := dec.Decode(&document)
		switch {
		case errors.Is(err, io.EOF):
			return only, nil
		case err != nil:
			return nil, located(file, 0, err)
		}
		root := document.Content[0]
		switch {
		case root.ShortTag() == "!!null":
		case only != nil:
			return nil, fmt.Errorf("%s:%d: there is more than one document", file, root.Line)
		default:
			only = root
		}
	}
}
