package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// ask writes a question and reads an answer in one line.
func ask(ctx context.Context, terminal io.Reader, to io.Writer, question string) (string, error) {
	fmt.Fprint(to, question)
	return awaitAnswer(ctx, func() (string, error) {
		line, err := bufio.NewReader(terminal).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil // the end of the input says nothing, and that is no yes
		}
		return line, err
	})
}

// awaitAnswer reads an answer unless the question is broken off before.
func awaitAnswer(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	given := make(chan answer, 1)
	go func() {
		text, err := read()
		given <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-given:
		return a.text, a.err
	}
}

// askPassword writes a question and reads an answer from a terminal that does not show it. The terminal is as it was
// afterwards, also when the question is broken off.
func askPassword(ctx context.Context, terminal, to *os.File, question string) (string, error) {
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("cannot ask for a password: %w", err)
	}
	defer func() { _ = term.Restore(fd, before) }()
	if err := muteTerminal(fd); err != nil { // before the question: some answer at once
		return "", fmt.Errorf("cannot ask for a password: %w", err)
	}
	fmt.Fprint(to, question)
	defer fmt.Fprintln(to)
	text, err := awaitAnswer(ctx, func() (string, error) {
		text, err := term.ReadPassword(fd)
		return string(text), err
	})
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", fmt.Errorf("no password was given: %w", err)
	}
	return text, nil
}
