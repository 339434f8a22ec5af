package apiserver

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"reflect"
	"strconv"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/internal/store"
)

// A served object is a document as clients get it: two pieces of the stored one with the version between them, or, with
// an empty tail, a whole.
//
// What this version of the server stored needs neither decoding nor encoding to be served: but for its version, which is
// the store's revision, the stored document is the served one. It says so by a stamp in place of the version: the form of
// its kind, and a checksum of the rest. Whatever another version, the reference or a hand wrote has no such stamp, or one
// that does not fit, and goes the long way.
type served struct {
	head, tail []byte
	version    string
}

func whole(data []byte) served { return served{head: data} }

func (o served) size() int { return len(o.head) + len(o.version) + len(o.tail) }

func (o served) appendTo(out []byte) []byte {
	return append(append(append(out, o.head...), o.version...), o.tail...)
}

func (o served) writeTo(w io.Writer) {
	_, _ = w.Write(o.head) // a client that is gone needs no answer
	if o.tail != nil {
		_, _ = io.WriteString(w, o.version)
		_, _ = w.Write(o.tail)
	}
}

// spliced gives the served form of a stored document, false when it has no stamp.
func spliced(k *api.Kind, document []byte, revision int64) (served, bool) {
	head, sum, tail := cut(k, document)
	if sum == nil || !bytes.Equal(sum, checksum(head, tail)) {
		return served{}, false
	}
	return served{head: head, version: strconv.FormatInt(revision, 10), tail: tail}, true
}

// cut takes the stamp out of a document; its checksum is nil if there is none.
func cut(k *api.Kind, document []byte) (head, sum, tail []byte) {
	form := forms[k]
	// Only labels, finalizers and owners come before the field, and there its quotes would be escaped.
	at := bytes.Index(document, form.field)
	end := at + len(form.field) + checksumSize
	if at < 0 || len(document) <= end || document[end] != '"' {
		return nil, nil, nil
	}
	return document[:at+len(versionField)], document[end-checksumSize : end], document[end:]
}

const checksumSize = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(head, tail []byte) []byte {
	return fmt.Appendf(nil, "%0*x", checksumSize, crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, tail))
}

// readable gives an object as it is served. Each is made by itself, so that one that cannot be made hurts no other.
func readable(k *api.Kind, record store.Record) (served, error) {
	if o, ok := spliced(k, record.Value, record.Revision); ok {
		return o, nil
	}
	obj, err := decodeRecord(k, record)
	if err != nil {
		return served{}, err
	}
	data, err := json.Marshal(obj.Resource)
	if err != nil {
		return served{}, &store.BrokenError{Key: record.Key, Reason: err}
	}
	return whole(data), nil
}

// encode gives the stored form of an object: its version is the store's revision and not part of it. In its place is the
// stamp of the kind, unless the object will be stored together with what the kind does not know.
func encode(r api.Resource, stamped bool) ([]byte, error) {
	m := api.Meta(r)
	version := m.ResourceVersion
	defer func() { m.ResourceVersion = version }()
	m.ResourceVersion = ""
	if !stamped {
		return json.Marshal(r)
	}
	k := api.KindOf(r)
	m.ResourceVersion = forms[k].text + "????????" // as long as a checksum
	data, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if head, sum, tail := cut(k, data); sum != nil {
		copy(sum, checksum(head, tail))
	}
	return data, nil
}

const versionField = `"resource_version":"`

// A form names how the documents of a kind are written.
type form struct {
	text  string
	field []byte // with the name of the field in front
}

// forms are those of all kinds.
var forms = func() map[*api.Kind]form {
	out := make(map[*api.Kind]form, len(api.Kinds))
	for _, k := range api.Kinds {
		described := sha256.New()
		fmt.Fprintln(described, encoderVersion)
		describe(described, reflect.TypeOf(k.New()), map[reflect.Type]bool{})
		text := "=" + hex.EncodeToString(described.Sum(nil)[:6]) + "."
		out[k] = form{text: text, field: []byte(versionField + text)}
	}
	return out
}()

// encoderVersion is to be raised when a type's own MarshalJSON writes something else than before. What can be seen of a
// type by reflection counts by itself.
const encoderVersion = 1

// describe writes what the encoding of a type depends on.
func describe(w io.Writer, t reflect.Type, seen map[reflect.Type]bool) {
	fmt.Fprint(w, t, t.Kind())
	if seen[t] {
		return
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		describe(w, t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprint(w, f.Name, f.Tag)
			describe(w, f.Type, seen)
		}
	}
}
