package store

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newZapLogger gives etcd a logger that writes to ours, warnings and above:
// etcd's information is about clusters of many members.
func newZapLogger(log *slog.Logger) *zap.Logger {
	log = log.With("component", "etcd")
	return zap.New(slogCore{log: log}, zap.WithFatalHook(fatal{log}))
}

// fatal ends the process when etcd cannot go on, for example because the disk is full or the data directory is gone. What
// was acknowledged is on disk; going on could only break that promise.
type fatal struct{ log *slog.Logger }

func (f fatal) OnWrite(e *zapcore.CheckedEntry, fields []zapcore.Field) {
	args, cause := []any{"cause", e.Message}, e.Message
	for _, attr := range attrs(fields) {
		args = append(args, attr)
		cause += fmt.Sprintf("; %s: %v", attr.Key, attr.Value)
	}
	f.log.Error("the database cannot go on, this process ends; nothing that was acknowledged is lost: "+
		"look at the disk and the data directory, then start again", args...)
	fmt.Fprintln(os.Stderr, "krake: the database cannot go on:", cause) // wherever the log goes
	os.Exit(1)
}

// inapplicable is advice that etcd gives at every start about servers that are
// reached over a network.
var inapplicable = map[string]bool{
	"Running http and grpc server on single port. This is not recommended for production.": true,
	"exceeded recommended request limit":                                                   true,
}

// tooYoung is the reason of two complaints of a member that serves within the
// first tenth of a second of its life: it cannot note the version of its files
// before it has written any. It does so at the next start.
const tooYoung = "missing term information"

func worthTelling(message string, attrs []slog.Attr) bool {
	young := slices.ContainsFunc(attrs, func(a slog.Attr) bool {
		return a.Key == "error" && strings.HasSuffix(a.Value.String(), tooYoung)
	})
	return !young && !inapplicable[message]
}

// slogCore is a zapcore.Core over slog.
type slogCore struct {
	log *slog.Logger
}

func (c slogCore) Enabled(level zapcore.Level) bool { return level >= zapcore.WarnLevel }

func (c slogCore) With(fields []zapcore.Field) zapcore.Core {
	args := make([]any, 0, len(fields))
	for _, attr := range attrs(fields) {
		args = append(args, attr)
	}
	return slogCore{log: c.log.With(args...)}
}

func (c slogCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

func (c slogCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	attrs := attrs(fields)
	if !worthTelling(e.Message, attrs) {
		return nil
	}
	level := slog.LevelWarn
	if e.Level > zapcore.WarnLevel {
		level = slog.LevelError
	}
	c.log.LogAttrs(context.Background(), level, e.Message, attrs...)
	return nil
}

func (c slogCore) Sync() error { return nil }

func attrs(fields []zapcore.Field) []slog.Attr {
	encoder := zapcore.NewMapObjectEncoder()
	for _, field := range fields {
		field.AddTo(encoder)
	}
	out := make([]slog.Attr, 0, len(encoder.Fields))
	for _, key := range slices.Sorted(maps.Keys(encoder.Fields)) {
		out = append(out, slog.Any(key, encoder.Fields[key]))
	}
	return out
}
