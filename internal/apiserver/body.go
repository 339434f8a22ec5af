package apiserver

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/wire"
)

// Sizes of bodies in bytes, after inflation. Updates may be larger than creations: a document carries its manifest up
// to three times, and what was created must always be writable again.
const (
	maxCreate = 1 << 20
	maxUpdate = 8 << 20
)

// A body is a request's JSON document. It is decoded more than once when a write has to be repeated, and each decoding
// uses up a tree.
type body struct {
	data  []byte
	fresh any // the tree of the check, until it is used
}

// tree returns the document for one use.
func (b *body) tree() any {
	tree := b.fresh
	b.fresh = nil
	if tree == nil {
		tree, _ = wire.Parse(b.data) // it was parsed before
	}
	return tree
}

// keysOf is the strict check of a document for which there is a type; like points to one.
func keysOf(like any) func(tree any) error {
	return func(tree any) error { return wire.Unknown(tree, like) }
}

// readBody reads a request's document, of up to limit bytes. With the parameter strict, keys must not find fault with it.
func readBody(w http.ResponseWriter, r *http.Request, limit int, keys func(tree any) error) (*body, error) {
	strict, err := flag(r, "strict")
	if err != nil {
		return nil, err
	}
	data, err := readData(w, r, limit)
	if err != nil {
		return nil, err
	}
	if data, err = unicode(data, r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	tree, err := wire.ParseRequest(data)
	switch {
	case errors.As(err, new(*wire.Errors)):
		return nil, err
	case err != nil:
		return nil, api.HTTPProblem(http.StatusUnsupportedMediaType)
	}
	if strict {
		if err := keys(tree); err != nil {
			return nil, err
		}
	}
	return &body{data: data, fresh: tree}, nil
}

// unicode gives a body in UTF-8. Of the header's type only the charset counts, UTF-8 if there is none.
func unicode(data []byte, contentType string) ([]byte, error) {
	_, parameters, _ := mime.ParseMediaType(contentType)
	switch charset := strings.ToLower(parameters["charset"]); strings.ReplaceAll(charset, "_", "-") {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return data, nil
	case "iso-8859-1", "iso8859-1", "latin-1", "latin1":
		out := make([]rune, len(data)) // the bytes are the code points
		for i, b := range data {
			out[i] = rune(b)
		}
		return []byte(string(out)), nil
	default:
		return nil, api.NewProblem(http.StatusUnsupportedMediaType, "",
			"415: Unsupported Media Type: the charset %q is not known here, send UTF-8", charset)
	}
}

func readData(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	if r.ContentLength > int64(limit) && r.Header.Get("Content-Encoding") == "" {
		return nil, tooLarge(limit, int(r.ContentLength))
	}
	var in io.Reader = r.Body
	var err error
	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "gzip":
		in, err = gzip.NewReader(r.Body)
	case "deflate":
		in, err = zlib.NewReader(r.Body)
	}
	if err != nil {
		return nil, api.HTTPProblem(http.StatusUnsupportedMediaType)
	}
	data, err := io.ReadAll(io.LimitReader(in, int64(limit)+1))
	if err != nil {
		return nil, api.NewProblem(http.StatusBadRequest, "", "400: Bad Request: the body cannot be read")
	}
	if len(data) > limit {
		rest, _ := io.Copy(io.Discard, http.MaxBytesReader(w, io.NopCloser(in), 64<<20))
		return nil, tooLarge(limit, len(data)+int(rest))
	}
	return data, nil
}
