package transfer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Content is how much two volumes hold that hold the same.
type Content struct {
	Files, Bytes int64
}

// DifferenceError says that two volumes do not hold the same, by the first line in which their lists differ. A line is
// empty where one list ends before the other.
type DifferenceError struct{ Source, Target string }

func (e *DifferenceError) Error() string {
	switch {
	case e.Source == "":
		return fmt.Sprintf("the copy has what the source does not have: %s", e.Target)
	case e.Target == "":
		return fmt.Sprintf("the copy lacks what the source has: %s", e.Source)
	}
	return fmt.Sprintf("the copy is not the same as the source: it has %s, the source %s", e.Target, e.Source)
}

// Compare reads two lists side by side. It needs no more memory for long ones, and the error for those that differ is a
// *DifferenceError.
func Compare(source, target io.Reader) (Content, error) {
	a, b := bufio.NewReader(source), bufio.NewReader(target)
	var c Content
	for {
		one, err := next(a)
		if err != nil {
			return c, fmt.Errorf("the list of the source: %w", err)
		}
		other, err := next(b)
		if err != nil {
			return c, fmt.Errorf("the list of the copy: %w", err)
		}
		if one != other {
			return c, &DifferenceError{one, other}
		}
		if one == "" {
			return c, nil
		}
		if err := c.add(one); err != nil {
			return c, err
		}
	}
}

// next returns the next line that says something, empty at the end.
func next(list *bufio.Reader) (string, error) {
	for {
		line, err := list.ReadString('\n')
		switch {
		case errors.Is(err, io.EOF) && line == "":
			return "", nil
		case errors.Is(err, io.EOF):
			return "", io.ErrUnexpectedEOF // a line that was cut off
		case err != nil:
			return "", err
		}
		if line = strings.TrimSuffix(line, "\n"); line != aSign {
			return line, nil
		}
	}
}

// add counts a line of a list.
func (c *Content) add(line string) error {
	var (
		name, mode, owner string
		size              int64
	)
	if _, err := fmt.Sscanf(line, "%q %s %s %d", &name, &mode, &owner, &size); err != nil {
		return fmt.Errorf("a list has the line %q: %w", line, err)
	}
	if mode[0] != 'd' && mode[0] != 'L' { // neither a folder nor a link
		c.Files++
		c.Bytes += size
	}
	return nil
}
