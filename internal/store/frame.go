package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"
)

// A stored value is either the plain JSON document, which starts with '{' and
// can be read with etcdctl and written by the reference, or a frame:
//
//	byte 0     version, 1
//	byte 1     flags
//	bytes 2-5  id of the encryption key, big endian; 0 while nothing is encrypted
//	then       the payload, with flagCompressed a Snappy block
//
// Versions 9, 10, 13 and 32 are never used: they are JSON's white space.
const (
	frameVersion = 1
	frameHeader  = 6

	flagCompressed = 1 << 0
	flagEncrypted  = 1 << 1
	flagsKnown     = flagCompressed | flagEncrypted
)

// Documents below compressFrom stay readable. Above, Snappy makes a manifest of
// 4 KiB a third and one of 32 KiB a quarter, for about 2 and 20 µs at each read.
// Zstd would make them a fifth and an eighth, for two to four times as long, and
// documents are read far more often than written.
const compressFrom = 4 << 10

// maxDocument bounds what a frame may claim to unpack to, so that a broken
// length cannot take the memory. Larger than maxValue, to decode leniently.
const maxDocument = 64 << 20

// Reasons inside a BrokenError.
var (
	errEncrypted = errors.New("the value is encrypted, and this version has no keys")
	errEmpty     = errors.New("the value is empty")
)

// encodeFrame gives the stored form of a document.
func encodeFrame(document []byte) []byte {
	if len(document) >= compressFrom {
		if frame := compressFrame(document); len(frame) < len(document)*7/8 {
			return frame
		}
	}
	if len(document) > 0 && document[0] == '{' {
		return document
	}
	frame := make([]byte, frameHeader, frameHeader+len(document))
	frame[0] = frameVersion
	return append(frame, document...)
}

func compressFrame(document []byte) []byte {
	frame := make([]byte, frameHeader+s2.MaxEncodedLen(len(document)))
	frame[0], frame[1] = frameVersion, flagCompressed
	block := s2.EncodeSnappy(frame[frameHeader:], document)
	return frame[:frameHeader+len(block)]
}

// decodeFrame gives the document of a stored value. The result may share the
// memory of stored.
func decodeFrame(stored []byte) ([]byte, error) {
	if plain(stored) {
		return stored, nil
	}
	flags, payload, err := openFrame(stored)
	if err != nil {
		return nil, err
	}
	if flags&flagCompressed == 0 {
		return payload, nil
	}
	if _, err := documentSize(payload); err != nil {
		return nil, err
	}
	document, err := s2.Decode(nil, payload)
	if err != nil {
		return nil, fmt.Errorf("compressed payload: %w", err)
	}
	return document, nil
}

// plain tells a JSON document from a frame. White space in front is allowed,
// as a hand with etcdctl may leave it.
func plain(stored []byte) bool {
	for _, b := range stored {
		switch b {
		case ' ', '\t', '\n', '\r':
		case '{':
			return true
		default:
			return false
		}
	}
	return false
}

// openFrame checks the header of a frame.
func openFrame(stored []byte) (flags byte, payload []byte, err error) {
	switch {
	case len(stored) == 0:
		return 0, nil, errEmpty
	case stored[0] != frameVersion:
		return 0, nil, fmt.Errorf("unknown frame version %d", stored[0])
	case len(stored) < frameHeader:
		return 0, nil, fmt.Errorf("the frame ends after %d bytes", len(stored))
	}
	flags = stored[1]
	if flags&^flagsKnown != 0 {
		return 0, nil, fmt.Errorf("unknown frame flags %#x", flags&^flagsKnown)
	}
	if key := binary.BigEndian.Uint32(stored[2:frameHeader]); flags&flagEncrypted != 0 || key != 0 {
		return 0, nil, fmt.Errorf("key %d: %w", key, errEncrypted)
	}
	return flags, stored[frameHeader:], nil
}

// documentSize is the size that a compressed payload claims to unpack to.
func documentSize(payload []byte) (int, error) {
	size, err := s2.DecodedLen(payload)
	if err != nil {
		return 0, fmt.Errorf("compressed payload: %w", err)
	}
	if size > maxDocument {
		return 0, fmt.Errorf("compressed payload: it claims a document of %d bytes", size)
	}
	return size, nil
}

// unpackedSize estimates the memory that decoding adds to a stored value,
// without decoding it.
func unpackedSize(stored []byte) int {
	if plain(stored) {
		return 0
	}
	flags, payload, err := openFrame(stored)
	if err != nil || flags&flagCompressed == 0 {
		return 0
	}
	size, err := documentSize(payload)
	if err != nil {
		return 0
	}
	return size
}
