package fleet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/rak-n-rok/krake/api/channel"
)

// script is a session whose other end says what the test says, and notes what it gets.
type script struct {
	says [][]byte
	gets bytes.Buffer
	all  bool // the input has ended
}

func (s *script) Receive(context.Context) ([]byte, error) {
	if len(s.says) == 0 {
		return nil, io.EOF
	}
	next := s.says[0]
	s.says = s.says[1:]
	return next, nil
}

func (s *script) Send(_ context.Context, message []byte) error {
	to, content, err := channel.Split(message)
	if to == channel.Close {
		s.all = true
		return err
	}
	s.gets.Write(content)
	return err
}

func (s *script) Drop() {}

var success = channel.Of(channel.Result, []byte(`{"status":"Success"}`))

func TestACommandIsOverWhenItSaysSo(t *testing.T) {
	code3 := channel.Of(channel.Result, []byte(`{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}`))
	for name, c := range map[string]struct {
		says      [][]byte
		out, want string
	}{
		"well":         {[][]byte{channel.Of(channel.Stdout, []byte("a")), channel.Of(channel.Stdout, []byte("b")), success}, "ab", ""},
		"with a word":  {[][]byte{channel.Of(channel.Stderr, []byte("no room\n")), code3}, "", "send: no room"},
		"silently":     {[][]byte{code3}, "", "send: the command ended with code 3"},
		"not":          {[][]byte{channel.Of(channel.Stdout, []byte("a"))}, "a", "the session has ended before its command\nEOF"},
		"not a byte":   {[][]byte{{}}, "", "a message without a channel"},
		"at great":     {[][]byte{channel.Of(channel.Stderr, bytes.Repeat([]byte("x"), 1<<16)), code3}, "", "send: " + strings.Repeat("x", longestSaid)},
		"with nothing": {[][]byte{success}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			err := collect(t.Context(), &script{says: c.says}, "send", &out)
			if out.String() != c.out || err == nil && c.want != "" || err != nil && err.Error() != c.want {
				t.Errorf("%q, %v; want %q, %q", out.String(), err, c.out, c.want)
			}
		})
	}
}

// An input that could not be read to its end must not look like a whole one.
func TestAnInputThatBreaksOffIsNotEnded(t *testing.T) {
	s, broken := &script{}, errors.New("broken")
	if err := pour(t.Context(), s, io.MultiReader(strings.NewReader("some"), errReader{broken})); !errors.Is(err, broken) || s.all {
		t.Errorf("%v, ended: %v", err, s.all)
	}
	s = &script{}
	if err := pour(t.Context(), s, strings.NewReader("all of it")); err != nil || !s.all || s.gets.String() != "all of it" {
		t.Errorf("%v, %q, ended: %v", err, s.gets.String(), s.all)
	}
}

type errReader struct{ error }

func (r errReader) Read([]byte) (int, error) { return 0, r.error }
