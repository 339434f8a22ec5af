package apiserver

import (
	"compress/gzip"
	"compress/zlib"
	"io"
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

// readBody reads a request's body up to a limit.
func readBody(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	if r.ContentLength > int64(limit) && r.Header.Get("Content-Encoding") == "" {
		return nil, tooLarge(limit, int(r.ContentLength))
	}
	var body io.Reader = r.Body
	var err error
	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "gzip":
		body, err = gzip.NewReader(r.Body)
	case "deflate":
		body, err = zlib.NewReader(r.Body)
	}
	if err != nil {
		return nil, api.HTTPProblem(http.StatusUnsupportedMediaType)
	}
	data, err := io.ReadAll(io.LimitReader(body, int64(limit)+1))
	if err != nil {
		return nil, api.NewProblem(http.StatusBadRequest, "", "400: Bad Request: the body cannot be read")
	}
	if len(data) > limit {
		rest, _ := io.Copy(io.Discard, http.MaxBytesReader(w, io.NopCloser(body), 64<<20))
		return nil, tooLarge(limit, len(data)+int(rest))
	}
	if _, err := wire.Parse(data); err != nil {
		return nil, api.HTTPProblem(http.StatusUnsupportedMediaType)
	}
	return data, nil
}
