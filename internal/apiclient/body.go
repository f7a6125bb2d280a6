package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// DecodeJSON reads a JSON answer.
func DecodeJSON(resp *http.Response, answer any) error {
	if IsHTML(resp) {
		return ErrHTML
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		if errors.Is(err, ErrTooLarge) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	return nil
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
	if int64(len(p)) > b.left+1 {
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
