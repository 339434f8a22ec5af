package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// A stored value is either the plain JSON document, which starts with '{' and
// can be read with etcdctl and written by the reference, or a frame:
//
//	byte 0     version, 1
//	byte 1     flags
//	bytes 2-5  id of the encryption key, big endian; 0 while nothing is encrypted
//	then       with flagCompressed: the length of the document as a uvarint
//	then       the payload
//
// Versions 9, 10, 13 and 32 are never used: they are JSON's white space.
const (
	frameVersion = 1
	frameHeader  = 6

	flagCompressed = 1 << 0
	flagEncrypted  = 1 << 1
	flagsKnown     = flagCompressed | flagEncrypted
)

// Documents below compressFrom stay readable: etcd's own cost for each write
// outweighs what a few hundred bytes save.
const compressFrom = 4 << 10

// maxDocument bounds what a frame may claim to unpack to, so that a broken
// length cannot take the memory. Larger than maxValue, to decode leniently.
const maxDocument = 64 << 20

// Reasons inside a BrokenError.
var (
	errEncrypted = errors.New("the value is encrypted, and this version has no keys")
	errEmpty     = errors.New("the value is empty")
)

// The coders keep their own pools and may be used from any goroutine. Their
// constructors fail only on invalid options.
var (
	compressor, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2))
	decompressor, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxDocument))
)

// encodeFrame gives the stored form of a document.
func encodeFrame(document []byte) []byte {
	if len(document) >= compressFrom {
		if frame := compressFrame(document); len(frame) < len(document)-len(document)/8 {
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
	frame := make([]byte, frameHeader, frameHeader+binary.MaxVarintLen64+len(document)/3)
	frame[0], frame[1] = frameVersion, flagCompressed
	frame = binary.AppendUvarint(frame, uint64(len(document)))
	return compressor.EncodeAll(document, frame)
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
	size, payload, err := documentSize(payload)
	if err != nil {
		return nil, err
	}
	document, err := decompressor.DecodeAll(payload, make([]byte, 0, min(size, 256*len(payload)+64)))
	if err != nil {
		return nil, fmt.Errorf("compressed payload: %w", err)
	}
	if len(document) != size {
		return nil, fmt.Errorf("the document has %d bytes, its frame says %d", len(document), size)
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

func documentSize(payload []byte) (int, []byte, error) {
	size, n := binary.Uvarint(payload)
	if n <= 0 {
		return 0, nil, errors.New("the frame has no document length")
	}
	if size > maxDocument {
		return 0, nil, fmt.Errorf("the frame claims a document of %d bytes", size)
	}
	return int(size), payload[n:], nil
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
	size, _, err := documentSize(payload)
	if err != nil {
		return 0
	}
	return size
}
