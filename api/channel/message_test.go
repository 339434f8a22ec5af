package channel

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestResultsOfCommands(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		code    int    // of an exit
		says    string // another error
	}{
		"success": {`{"metadata":{},"status":"Success"}`, 0, ""},
		"a code": {`{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code","reason":"NonZeroExitCode",
			"details":{"causes":[{"reason":"ExitCode","message":"3"}]}}`, 3, ""},
		"a command that there is not": {`{"metadata":{},"status":"Failure","message":"no such file","reason":"InternalError","code":500}`, 0, "no such file"},
		"a code that is none":         {`{"status":"Failure","message":"m","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"x"}]}}`, 0, "m"},
		"a failure with code 0":       {`{"status":"Failure","message":"m","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"0"}]}}`, 0, "m"},
		"nothing said":                {`{"status":"Failure"}`, 0, "nothing is said of why"},
		"no document":                 {`oops`, 0, "cannot be read"},
		"our own failure":             {string(Failure("lost")), 0, "lost"},
	} {
		t.Run(name, func(t *testing.T) {
			err := ReadResult([]byte(c.content))
			var exit *ExitError
			switch {
			case c.code != 0:
				if !errors.As(err, &exit) || exit.Code != c.code {
					t.Errorf("%v, want code %d", err, c.code)
				}
			case c.says != "":
				if err == nil || errors.As(err, &exit) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, want %q", err, c.says)
				}
			case err != nil:
				t.Error(err)
			}
		})
	}
}

// What comes over the network may be anything; nothing that is not a success may look like one.
func FuzzReadResult(f *testing.F) {
	f.Add([]byte(`{"status":"Success"}`))
	f.Add([]byte(`{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}`))
	f.Add(Failure("lost"))
	f.Fuzz(func(t *testing.T, content []byte) {
		err := ReadResult(content)
		if err == nil && !bytes.Contains(content, []byte("uccess")) && !bytes.Contains(content, []byte(`\u`)) {
			t.Errorf("%q is taken for a success", content)
		}
		var exit *ExitError
		if errors.As(err, &exit) && exit.Code == 0 {
			t.Errorf("%q is a failure with the code of a success", content)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte{})
	f.Add(Of(Stdout, []byte("hello")))
	f.Add(Closing(Stdin))
	f.Add(Size{80, 24}.Message())
	f.Fuzz(func(t *testing.T, message []byte) {
		to, content, err := Split(message)
		if (err != nil) != (len(message) == 0) {
			t.Fatal(err)
		}
		if err == nil && !bytes.Equal(Of(to, content), message) {
			t.Errorf("%q came apart as %d and %q", message, to, content)
		}
	})
}

// A frame that closes a connection has room for 123 bytes of text, which must be whole characters.
func TestReasonsFitIntoAFrame(t *testing.T) {
	for _, text := range []string{"", "short", strings.Repeat("a", 123), strings.Repeat("a", 124), strings.Repeat("ä", 100), strings.Repeat("€", 99), "a" + strings.Repeat("🐙", 50)} {
		got := shortened(text)
		if len(got) > maxReason || !utf8.ValidString(got) {
			t.Errorf("%q became %q, %d bytes", text, got, len(got))
		}
		if len(text) <= maxReason && got != text {
			t.Errorf("%q became %q", text, got)
		}
		if !strings.HasPrefix(text, strings.TrimSuffix(got, "…")) {
			t.Errorf("%q is not the beginning of %q", got, text)
		}
	}
}
