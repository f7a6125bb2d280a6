package litellmreceiver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
)

type (
	// text is a string, empty where the answer has something else: nearly every field
	// of LiteLLM may be null or missing, and which has what type changes.
	text string

	// boolean is true where the answer says so.
	boolean bool

	// amount is a number, or a string that holds one. It is nil otherwise.
	amount struct{ *float64 }
)

// UnmarshalJSON never fails.
func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*t = text(s)
	}
	return nil
}

// UnmarshalJSON never fails.
func (b *boolean) UnmarshalJSON(data []byte) error {
	*b = string(data) == "true"
	return nil
}

// UnmarshalJSON never fails.
func (a *amount) UnmarshalJSON(data []byte) error {
	if v, err := strconv.ParseFloat(string(bytes.Trim(data, `"`)), 64); err == nil && isNumber(v) {
		a.float64 = &v
	}
	return nil
}

// or returns the number, or what it is without one.
func (a amount) or(otherwise float64) float64 {
	if a.float64 == nil {
		return otherwise
	}
	return *a.float64
}

// ignored takes any value and keeps nothing of it.
type ignored struct{}

// UnmarshalJSON never fails.
func (*ignored) UnmarshalJSON([]byte) error { return nil }

// readList reads the list called data of an answer entry by entry, so that memory
// does not grow with the answer. next says where to decode an entry to.
func readList(resp *http.Response, next func() any) error {
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && kind == "text/html" {
		return apiclient.ErrHTML
	}
	d := json.NewDecoder(resp.Body)
	if err := expect(d, json.Delim('{')); err != nil {
		return err
	}
	found := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return malformed(err)
		}
		if key != "data" {
			if err := d.Decode(&ignored{}); err != nil {
				return malformed(err)
			}
			continue
		}
		found = true
		if err := expect(d, json.Delim('[')); err != nil {
			return err
		}
		for d.More() {
			if err := d.Decode(next()); err != nil {
				return malformed(err)
			}
		}
		if err := expect(d, json.Delim(']')); err != nil {
			return err
		}
	}
	if err := expect(d, json.Delim('}')); err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%w: it has no data", apiclient.ErrNotJSON)
	}
	return nil
}

func expect(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	switch {
	case err != nil:
		return malformed(err)
	case token != want:
		return fmt.Errorf("%w: %v instead of %v", apiclient.ErrNotJSON, token, want)
	}
	return nil
}

// malformed names what a decoder found wrong, apart from what broke the answer off.
func malformed(err error) error {
	var (
		syntax *json.SyntaxError
		wrong  *json.UnmarshalTypeError
	)
	switch {
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case errors.As(err, &syntax), errors.As(err, &wrong):
		return fmt.Errorf("%w: %w", apiclient.ErrNotJSON, err)
	}
	return err
}
