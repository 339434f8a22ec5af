package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rak-n-rok/krake/api"
)

func compact(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestTimesAreGivenBackAsTheyWereWritten(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-22T09:30:21.851661+00:00":    "2026-11-22T09:30:21.851661+00:00",
		"2026-11-22T09:30:21.851661Z":         "2026-11-22T09:30:21.851661+00:00",
		"2026-11-22T09:30:21.5":               "2026-11-22T09:30:21.500000",
		"2026-11-22T09:30:21.000000Z":         "2026-11-22T09:30:21+00:00",
		"2026-01-01T10:00:00":                 "2026-01-01T10:00:00",
		"2026-01-01 10:00:00":                 "2026-01-01T10:00:00",
		"2026-01-01T10:00":                    "2026-01-01T10:00:00",
		"2026-1-2T3:4:5":                      "2026-01-02T03:04:05",
		"2026-01-01T10:00:00.123456789Z":      "2026-01-01T10:00:00.123456+00:00",
		"2026-01-01T10:00:00.123456789012Z":   "2026-01-01T10:00:00.123456+00:00",
		"2026-01-01T10:00:00.5+0200":          "2026-01-01T10:00:00.500000+02:00",
		"2026-01-01T10:00:00+02":              "2026-01-01T10:00:00+02:00",
		"2026-01-01T10:00:00-05:30":           "2026-01-01T10:00:00-05:30",
		"2026-01-01T10:00:00-00:00":           "2026-01-01T10:00:00+00:00",
		"2026-01-01T10:00:00+23:59":           "2026-01-01T10:00:00+23:59",
		"2024-02-29T23:59:59Z":                "2024-02-29T23:59:59+00:00",
		"0001-01-01T00:00:00Z":                "0001-01-01T00:00:00+00:00",
		"9999-12-31T23:59:59.999999Z":         "9999-12-31T23:59:59.999999+00:00",
		"2026-01-01T10:00Z":                   "2026-01-01T10:00:00+00:00",
		"2026-01-01T10:00:00.1234567+01:00":   "2026-01-01T10:00:00.123456+01:00",
		"2026-01-01T10:00:00.000001234+01:00": "2026-01-01T10:00:00.000001+01:00",
	} {
		var got api.Time
		if err := got.DecodeWire(in); err != nil {
			t.Errorf("%s: %v", in, err)
		} else if got.String() != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

func TestTextsThatAreNoTimesAreRefused(t *testing.T) {
	for _, in := range []any{
		"", "soon", "2026-01-01", "10:00:00", "20260101T100000", "2026-01-01T", "2026-01-01T10", "2026-01-01T10:00:00.",
		"2026-01-01T10:00:00.1234567890123", "2026-01-01T10:00:00+2", "2026-01-01T10:00:00+2:00", "2026-01-01T10:00:00 Z",
		"2026-01-01T10:00:00+24:00", "2026-01-01T10:00:00+02:60", "2026-01-01T10:00:00+00:60", "2026-01-01T10:00:00z",
		"2026-13-01T10:00:00", "2026-00-01T10:00:00", "2026-01-32T10:00:00", "2026-01-00T10:00:00", "2026-02-29T10:00:00",
		"2026-01-01T24:00:00", "2026-01-01T10:60:00", "2026-01-01T10:00:60", "26-01-01T10:00:00", "0000-01-01T00:00:00",
		"2026-01-01T10:00:00Z\n", " 2026-01-01T10:00:00Z", "2026-01-01t10:00:00Z", "2026-01-01  10:00:00", "-2026-01-01T10:00:00",
		int64(12345), 1.5, true, nil, []any{}, map[string]any{},
	} {
		var got api.Time
		if err := got.DecodeWire(in); err == nil {
			t.Errorf("%v was read as %s", in, got)
		} else if err.Error() != "Not a valid datetime." {
			t.Errorf("%v: %v", in, err)
		}
	}
}

func TestTimesOfTheServerHaveMicroseconds(t *testing.T) {
	moment := time.Date(2026, 11, 22, 10, 30, 21, 851661999, time.FixedZone("", 3600))
	if got, want := api.At(moment).String(), "2026-11-22T09:30:21.851661+00:00"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEveryTimeReadsAsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.Int64Range(-62135596800_000000, 253402300799_999999).Draw(t, "microseconds since 1970")
		before := api.At(time.UnixMicro(micros))
		data, err := json.Marshal(before)
		if err != nil {
			t.Fatal(err)
		}
		var after api.Time
		if err := json.Unmarshal(data, &after); err != nil {
			t.Fatal(err)
		}
		if !after.Equal(before) || after.String() != before.String() {
			t.Errorf("%s became %s", before, after)
		}
	})
}

func TestTimesAreComparedAsMoments(t *testing.T) {
	read := func(s string) (out api.Time) {
		if err := out.DecodeWire(s); err != nil {
			t.Fatal(err)
		}
		return out
	}
	noon, same, later := read("2026-01-01T12:00:00Z"), read("2026-01-01T14:00:00+02:00"), read("2026-01-01T12:00:00.000001Z")
	naive := read("2026-01-01T12:00:00")
	switch {
	case !noon.Equal(same), noon.Equal(later), noon.Before(same), !noon.Before(later):
		t.Error("moments are compared by their text")
	case noon.Equal(naive):
		t.Error("a time without an offset is no moment, and equals none")
	case !noon.Max(later).Equal(later), !later.Max(noon).Equal(later):
		t.Error("the later one is not the maximum")
	case !(api.Time{}).IsZero(), noon.IsZero():
		t.Error("only the time that was never set is zero")
	}
}
