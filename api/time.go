package api

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"

	"github.com/rak-n-rok/krake/api/wire"
)

// Time is a moment as the wire has it: microseconds, with the offset it was written with, or none.
type Time struct {
	moment time.Time
	naive  bool // written without an offset, and given back so; read as UTC
}

// At cuts a moment to the wire's microseconds, in UTC.
func At(t time.Time) Time { return Time{moment: t.UTC().Truncate(time.Microsecond)} }

// Time returns the moment.
func (t Time) Time() time.Time { return t.moment }

// IsZero says whether the time was never set.
func (t Time) IsZero() bool { return t.moment.IsZero() }

// Equal compares moments.
func (t Time) Equal(o Time) bool { return t.moment.Equal(o.moment) && t.naive == o.naive }

// Before compares moments.
func (t Time) Before(o Time) bool { return t.moment.Before(o.moment) }

// Max returns the later of two moments.
func (t Time) Max(o Time) Time {
	if t.Before(o) {
		return o
	}
	return t
}

// String gives the wire's text.
func (t Time) String() string {
	layout := "2006-01-02T15:04:05"
	if t.moment.Nanosecond() != 0 {
		layout += ".000000"
	}
	if !t.naive {
		layout += "-07:00"
	}
	return t.moment.Format(layout)
}

// MarshalJSON writes the wire's text.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalJSON reads the wire's text.
func (t *Time) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	return t.DecodeWire(s)
}

const errTime = wire.Message("Not a valid datetime.")

var timeText = regexp.MustCompile(`\A(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6})\d{0,6})?)?(Z|[+-]\d{2}(?::?\d{2})?)?\z`)

// DecodeWire reads the grammar of the wire, which is wider than RFC 3339.
func (t *Time) DecodeWire(v any) error {
	s, ok := v.(string)
	if !ok {
		return errTime
	}
	m := timeText.FindStringSubmatch(s)
	if m == nil {
		return errTime
	}
	var n [6]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1])
	}
	micros, _ := strconv.Atoi((m[7] + "000000")[:6])
	zone, ok := offset(m[8])
	if !ok || n[0] < 1 || n[3] > 23 || n[4] > 59 || n[5] > 59 {
		return errTime
	}
	moment := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], micros*1000, zone)
	if int(moment.Month()) != n[1] || moment.Day() != n[2] { // the 30th of February became the 2nd of March
		return errTime
	}
	*t = Time{moment: moment, naive: m[8] == ""}
	return nil
}

// offset reads Z, ±HH, ±HHMM and ±HH:MM; nothing is UTC.
func offset(s string) (zone *time.Location, ok bool) {
	if s == "" || s == "Z" {
		return time.UTC, true
	}
	hours, _ := strconv.Atoi(s[1:3])
	minutes := 0
	if len(s) > 3 {
		minutes, _ = strconv.Atoi(s[len(s)-2:])
	}
	seconds := hours*3600 + minutes*60
	if s[0] == '-' {
		seconds = -seconds
	}
	if seconds == 0 {
		return time.UTC, true
	}
	return time.FixedZone("", seconds), hours < 24 && minutes < 60
}
