package store

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFramesGiveBackWhatWasPut(t *testing.T) {
	document := rapid.OneOf(
		rapid.SliceOf(rapid.Byte()),
		rapid.Map(rapid.String(), func(s string) []byte { return []byte(`{"s":"` + s + `"}`) }),
		rapid.Map(rapid.IntRange(compressFrom-10, 20*compressFrom), func(n int) []byte { return bytes.Repeat([]byte(`{ab`), n/3) }),
		rapid.Custom(func(t *rapid.T) []byte { // random, so that it does not compress
			return rapid.SliceOfN(rapid.Byte(), compressFrom, compressFrom+100).Draw(t, "noise")
		}),
	)
	rapid.Check(t, func(t *rapid.T) {
		for _, want := range rapid.SliceOfN(document, 10, 10).Draw(t, "documents") {
			stored := encodeFrame(want)
			if len(stored) > len(want)+frameHeader {
				t.Fatalf("%d bytes are stored as %d", len(want), len(stored))
			}
			got, err := decodeFrame(stored)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%q gives %q %v", want, got, err)
			}
		}
	})
}

func TestLargeDocumentsAreCompressedIfThatPays(t *testing.T) {
	large := []byte(`{"manifest":"` + strings.Repeat("apiVersion: v1\\n", 1000) + `"}`)
	if stored := encodeFrame(large); len(stored) > len(large)/4 || stored[0] != frameVersion {
		t.Errorf("%d bytes are stored as %d", len(large), len(stored))
	}
	small := large[:compressFrom-1]
	if stored := encodeFrame(small); !bytes.Equal(stored, small) {
		t.Errorf("%d bytes are not stored as they are", len(small))
	}
}

func TestWhatCannotBeReadIsToldWhy(t *testing.T) {
	compressed := encodeFrame(bytes.Repeat([]byte(`{"a":1}`), compressFrom))
	change := func(at int, to byte) []byte {
		frame := slices.Clone(compressed)
		frame[at] = to
		return frame
	}
	for name, c := range map[string]struct {
		stored []byte
		want   string
	}{
		"nothing":                 {nil, "the value is empty"},
		"a later version":         {change(0, 2), "unknown frame version 2"},
		"text":                    {[]byte("hello"), "unknown frame version 104"},
		"a header cut short":      {compressed[:4], "the frame ends after 4 bytes"},
		"an unknown flag":         {change(1, 0x80), "unknown frame flags 0x80"},
		"encrypted":               {change(1, flagEncrypted), errEncrypted.Error()},
		"encrypted, by its key":   {change(5, 3), "key 3: " + errEncrypted.Error()},
		"no payload":              {compressed[:frameHeader], "compressed payload"},
		"a length beyond reason":  {append(slices.Clone(compressed[:frameHeader]), 0xff, 0xff, 0xff, 0xff, 0x07), "claims a document"},
		"another length":          {change(frameHeader, compressed[frameHeader]^1), "compressed payload"},
		"a payload cut short":     {compressed[:len(compressed)-3], "compressed payload"},
		"compressed, without one": {[]byte{frameVersion, flagCompressed, 0, 0, 0, 0, 4, 'n', 'o', 'n', 'e'}, "compressed payload"},
	} {
		if _, err := decodeFrame(c.stored); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := decodeFrame(change(1, flagEncrypted)); !errors.Is(err, errEncrypted) {
		t.Error(err)
	}
}

func TestWhiteSpaceBeforeADocumentIsAllowed(t *testing.T) {
	if got, err := decodeFrame([]byte("\n {}")); err != nil || string(got) != "\n {}" {
		t.Errorf("%q %v", got, err)
	}
}

func FuzzDecodeFrame(f *testing.F) {
	for _, seed := range [][]byte{
		nil, []byte(`{}`), []byte("\n{"), encodeFrame([]byte("text")), encodeFrame(bytes.Repeat([]byte(`{"a":1}`), compressFrom)),
		{frameVersion, flagCompressed, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f}, {frameVersion, flagEncrypted, 0, 0, 0, 1},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		document, err := decodeFrame(stored)
		if err != nil {
			return
		}
		if size := unpackedSize(stored); size != 0 && size != len(document) {
			t.Errorf("%d bytes were announced, %d came", size, len(document))
		}
		again, err := decodeFrame(encodeFrame(document))
		if err != nil || !bytes.Equal(again, document) {
			t.Errorf("%q gives %q %v", document, again, err)
		}
	})
}
