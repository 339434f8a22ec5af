package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// lines writes the lines of several sources as one stream, each line as a whole. Who takes them slowly makes the sources
// wait, and is cut off after a while.
type lines struct {
	w          http.ResponseWriter
	connection *http.ResponseController
	patience   time.Duration
	timestamps bool // they stay in front of the lines
	named      bool // every line begins with its source

	mu     sync.Mutex
	begun  bool
	buffer []byte
}

func newLines(w http.ResponseWriter, patience time.Duration, timestamps, named bool) *lines {
	return &lines{w: w, connection: http.NewResponseController(w), patience: patience, timestamps: timestamps, named: named}
}

// begin sends the head of the answer. Errors cannot be told any more after that.
func (l *lines) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun {
		return
	}
	l.begun = true
	l.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	l.w.Header().Set("X-Content-Type-Options", "nosniff") // whatever an application writes, it is no web page
	l.w.WriteHeader(http.StatusOK)
	_ = l.connection.Flush()
}

// ended tells an error, or breaks off what was begun, so that nobody takes a part for the whole.
func (l *lines) ended(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun && err != nil {
		panic(http.ErrAbortHandler)
	}
	return err
}

// lineSize is how much of a line is read at once, in bytes. Longer ones are cut if lines of others may come in between.
const lineSize = 32 << 10

// errClient says that nobody takes the lines.
var errClient = errors.New("the client takes nothing")

// copy writes the lines of a stream, which begin with a time. Those that are not newer than last are left out; last is moved
// along. The error is that of reading, errClient if the lines could not be written, or nil at the end of the stream.
func (l *lines) copy(from source, stream io.Reader, last *time.Time) error {
	in := bufio.NewReaderSize(stream, lineSize)
	inside, skipped := false, false // of a line that is longer than what is read at once
	for {
		piece, err := in.ReadSlice('\n')
		if len(piece) > 0 {
			stamp, text := []byte(nil), piece
			if !inside {
				var at time.Time
				stamp, text, at = stamped(piece)
				skipped = !at.IsZero() && !at.After(*last)
				if at.After(*last) {
					*last = at
				}
			}
			whole := piece[len(piece)-1] == '\n'
			if !skipped && l.write(from, stamp, text, inside, whole, in.Buffered() == 0) != nil {
				return errClient
			}
			inside = !whole
		}
		switch {
		case err == nil, errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}

// stamped takes the time off a line. A line without one is left as it is.
func stamped(line []byte) (stamp, text []byte, at time.Time) {
	word, rest, found := bytes.Cut(line, []byte(" "))
	if !found {
		word, rest = bytes.TrimRight(line, "\n"), line[len(bytes.TrimRight(line, "\n")):] // an empty line
	}
	at, err := time.Parse(time.RFC3339Nano, string(word))
	if err != nil {
		return nil, line, time.Time{}
	}
	return word, rest, at
}

// write writes a line, or a piece of one.
func (l *lines) write(from source, stamp, text []byte, inside, whole, flush bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.buffer[:0]
	if l.named {
		out = append(append(append(out, '['), from.String()...), "] "...)
	}
	if l.timestamps && !inside && stamp != nil {
		out = append(append(out, stamp...), ' ')
	}
	out = append(out, text...)
	if l.named && !whole {
		out = append(out, '\n')
	}
	l.buffer = out
	_ = l.connection.SetWriteDeadline(time.Now().Add(l.patience))
	_, err := l.w.Write(out)
	if err == nil && flush {
		err = l.connection.Flush()
	}
	return err
}
