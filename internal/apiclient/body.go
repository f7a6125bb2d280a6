package apiclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// DecodeJSON reads a JSON answer to its end. Its memory may be some ten times the
// answer, which should therefore have a limit.
func DecodeJSON(resp *http.Response, answer any) error {
	if IsHTML(resp) {
		return ErrHTML
	}
	body := &notedBody{Reader: resp.Body}
	decoder := json.NewDecoder(body)
	err := decoder.Decode(answer)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = errMore
		}
	}
	switch {
	case body.err != nil: // not the fault of what was read before
		return body.err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return err
	}
	// The decoder repeats a number that does not fit, which may be as long as the answer.
	return fmt.Errorf("%w: %s", ErrNotJSON, line(err.Error()))
}

var errMore = errors.New("more follows after its end")

// notedBody remembers why reading failed: a decoder's own errors look the same.
type notedBody struct {
	io.Reader
	err error
}

func (b *notedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// IsHTML says whether the answer is a web page: a login page has status 200 too.
func IsHTML(resp *http.Response) bool {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && kind == "text/html"
}

// Limit lets a body end with ErrTooLarge after limit bytes, where a plain limit
// would pretend that the answer ended there.
func Limit(body io.ReadCloser, limit int64) io.ReadCloser {
	return &limitedBody{ReadCloser: body, left: limit}
}

type limitedBody struct {
	io.ReadCloser
	// left is how much may still be read, negative after the limit.
	left int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, ErrTooLarge
	}
	return n, err
}

// closeBody reads what little may be left, so that the connection can be used
// again.
func closeBody(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, maxDrain)
	_ = body.Close()
}
