package provider

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// MaxAnswer is how long an answer may be, in bytes.
const MaxAnswer = 1 << 20

// AtOnce is how many requests to one provider are under way at a time.
const AtOnce = 8

// NewClient returns an HTTP client for one provider. It has no credentials of Krake's, and follows no redirects: those of the
// provider are for the server that was named. config may be nil.
func NewClient(config *tls.Config) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig, transport.MaxIdleConnsPerHost = config, AtOnce
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// URL puts a path behind the base URL of a provider.
func URL(base, path string) string { return strings.TrimSuffix(base, "/") + path }

// Ask sends a request and returns the answer, which must be of a media type that suits. An error says nothing of what the
// server wrote, or users could make Krake tell them what other servers of its network say, and nothing of the URL, which
// may hold a password.
func Ask(client *http.Client, req *http.Request, suits func(mediaType string) bool) ([]byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, bare(err)
	}
	defer resp.Body.Close()
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil, &StatusError{resp.StatusCode}
	case !suits(mediaType):
		return nil, fmt.Errorf("its answer is of the type %.100q", mediaType)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > MaxAnswer:
		return nil, ErrTooLong
	}
	return body, nil
}

// StatusError is the error of Ask about an answer that is none: one of another status than 200.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("it answers %d %s", e.Status, http.StatusText(e.Status))
}

// ErrTooLong is the error of Ask about an answer of more than MaxAnswer.
var ErrTooLong = fmt.Errorf("its answer is longer than %d bytes", MaxAnswer)

// ErrNoURL is the error of a provider whose URL cannot be asked.
var ErrNoURL = errors.New("its URL is none")

// JSON says whether a media type is JSON.
func JSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")
}

// bare leaves the URL out of an error.
func bare(err error) error {
	var with *url.Error
	if errors.As(err, &with) {
		return with.Err
	}
	return err
}
