package apiclient

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnswersThatAreNone(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", 1<<20) + `"}`
	answers := map[string]struct {
		reason string
		handle http.HandlerFunc
	}{
		"/html": {ReasonHTML, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/HTML; charset=utf-8")
			_, _ = io.WriteString(w, "<html>")
		}},
		"/text": {ReasonMalformed, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }},
		"/type": {ReasonMalformed, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `["a"]`) }},
		"/more": {ReasonMalformed, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"A":"a"} {"A":"b"}`) }},
		"/junk": {ReasonMalformed, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"A":"a"}<html>`) }},
		"/cut after": {ReasonTruncated, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"A":"a"}`)
		}},
		"/large after": {ReasonTooLarge, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"A":"a"}`+strings.Repeat(" ", 1<<20))
		}},
		"/number": {ReasonMalformed, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"A":`+strings.Repeat("1", 10000)+`}`)
		}},
		"/deep": {ReasonMalformed, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"B":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)+`}`)
		}},
		"/empty": {ReasonMalformed, func(http.ResponseWriter, *http.Request) {}},
		"/large": {ReasonTooLarge, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, long) }},
		"/gzip": {ReasonTooLarge, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, long)
			_ = z.Close()
		}},
		"/broken": {ReasonMalformed, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "no gzip at all")
		}},
		"/cut": {ReasonTruncated, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"a":`)
		}},
		"/half": {ReasonTruncated, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"a":`) }},
		"/drop": {ReasonConnection, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"/204":  {"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }},
	}
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { answers[r.URL.Path].handle(w, r) })
	c, _ := newClient(t, base, nil, noRetry, func(cfg *Config) { cfg.MaxResponseSize = 64 << 10 })
	for path, want := range answers {
		var object struct{ A string }
		err := c.JSON(t.Context(), Request{Endpoint: path}, &object)
		require.Error(t, err, path)
		assert.Equal(t, want.reason, Reason(err), path)
		assert.Less(t, len(err.Error()), 300, path)
		if want.reason == ReasonTooLarge {
			assert.ErrorIs(t, err, ErrTooLarge)
		}
	}
}

func TestLimitIsExact(t *testing.T) {
	text := `"` + strings.Repeat("x", 998) + `"`
	read := func(limit int64) (string, error) {
		body, err := io.ReadAll(Limit(io.NopCloser(strings.NewReader(text)), limit))
		return string(body), err
	}
	for _, limit := range []int64{1000, 1001, 1 << 40, math.MaxInt64} {
		got, err := read(limit)
		require.NoError(t, err)
		assert.Equal(t, text, got)
	}
	for _, limit := range []int64{0, 1, 999} {
		_, err := read(limit)
		require.ErrorIs(t, err, ErrTooLarge)
	}
	body := Limit(io.NopCloser(strings.NewReader(text)), 10)
	require.ErrorIs(t, json.NewDecoder(body).Decode(new(string)), ErrTooLarge)
	n, err := body.Read(make([]byte, 10))
	require.ErrorIs(t, err, ErrTooLarge, "it stays so")
	assert.Zero(t, n)
}

// endless repeats a text, and counts what is taken of it.
type endless struct {
	text  string
	taken int
	err   error
}

func (e *endless) Read(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.text[(e.taken+n)%len(e.text):])
	}
	e.taken += n
	return n, nil
}

func (*endless) Close() error { return nil }

// TestBombs: an answer without end costs no more than the limit allows.
func TestBombs(t *testing.T) {
	const limit = 1 << 20
	for _, text := range []string{"[", "[[],", `{"a":`, "1", `"a\u0000`, " "} {
		bomb := &endless{text: text}
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var anything any
		err := DecodeJSON(&http.Response{Body: Limit(bomb, limit)}, &anything)
		runtime.ReadMemStats(&after)
		assert.Contains(t, []string{ReasonTooLarge, ReasonMalformed}, Reason(err), text)
		assert.LessOrEqual(t, bomb.taken, limit+1, text)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16*limit), text)
	}
}

// TestBrokenConnection: what a decoder makes of a connection that breaks is still
// that.
func TestBrokenConnection(t *testing.T) {
	broken := &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for _, text := range []string{`{"a":`, `{"a":1}`} {
		body := io.NopCloser(io.MultiReader(strings.NewReader(text), &endless{err: broken}))
		err := DecodeJSON(&http.Response{Body: body}, new(any))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		assert.Equal(t, ReasonConnection, Reason(err))
	}
}
