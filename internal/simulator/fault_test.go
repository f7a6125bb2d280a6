package simulator

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve runs a handler until the test ends; nothing it has begun outlives it.
func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func ask(t *testing.T, server *httptest.Server) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/metrics", http.NoBody)
	require.NoError(t, err)
	return server.Client().Do(req)
}

func TestFaultNames(t *testing.T) {
	assert.Len(t, Faults(), int(FaultTooManyRequests))
	seen := map[string]bool{}
	for _, f := range Faults() {
		assert.NotEmpty(t, f.String())
		seen[f.String()] = true
	}
	assert.Len(t, seen, len(Faults()))
	assert.Equal(t, "drop_connection", FaultDropConnection.String())
	assert.Equal(t, "fault(99)", Fault(99).String())
}

func TestFaultStatuses(t *testing.T) {
	v := NewVLLM(VLLMConfig{})
	for fault, status := range map[Fault]int{
		FaultNone: 200, FaultUnauthorized: 401, FaultForbidden: 403, FaultNotFound: 404, FaultServerError: 500, FaultEmptyBody: 200,
	} {
		resp, body := get(t, WithFault(fault, v.Handler()), "/metrics", "")
		assert.Equal(t, status, resp.StatusCode, fault)
		assert.Equal(t, fault == FaultEmptyBody, body == "", fault)
	}
}

func TestFaultOnOtherPaths(t *testing.T) {
	f := &Faulty{Next: NewVLLM(VLLMConfig{}).Handler()}
	f.Set(FaultServerError)
	resp, _ := get(t, f, "/health", "")
	assert.Equal(t, 200, resp.StatusCode)
	resp, _ = get(t, f, "/metrics/", "")
	assert.Equal(t, 500, resp.StatusCode)
	f.Set(FaultNone)
	resp, _ = get(t, f, "/metrics", "")
	assert.Equal(t, 200, resp.StatusCode)
	f = &Faulty{Next: f.Next, AllPaths: true}
	f.Set(FaultServerError)
	resp, _ = get(t, f, "/health", "")
	assert.Equal(t, 500, resp.StatusCode)
}

func TestFaultBodies(t *testing.T) {
	h := NewVLLM(VLLMConfig{}).Handler()
	_, body := get(t, WithFault(FaultGarbage, h), "/metrics", "")
	assert.Len(t, body, 64<<10)
	_, again := get(t, WithFault(FaultGarbage, h), "/metrics", "")
	assert.Equal(t, body, again)
	resp, body := get(t, WithFault(FaultHTML, h), "/metrics", "")
	assert.Contains(t, resp.Header.Get("Content-Type"), "text/html")
	assert.Contains(t, body, "<form")
}

func TestFaultRedirects(t *testing.T) {
	h := NewVLLM(VLLMConfig{}).Handler()
	server := serve(t, WithFault(FaultRedirectLoop, h))
	resp, err := ask(t, server)
	if resp != nil {
		resp.Body.Close()
	}
	require.ErrorContains(t, err, "stopped after 10 redirects")

	resp, _ = get(t, WithFault(FaultRedirectElsewhere, h), "/metrics", "")
	assert.Equal(t, "https://login.invalid/", resp.Header.Get("Location"))
	f := &Faulty{Next: h, Location: "http://other/"}
	f.Set(FaultRedirectElsewhere)
	resp, _ = get(t, f, "/metrics", "")
	assert.Equal(t, 302, resp.StatusCode)
	assert.Equal(t, "http://other/", resp.Header.Get("Location"))
}

func TestFaultSlow(t *testing.T) {
	v := NewVLLM(VLLMConfig{Now: newClock().now})
	f := &Faulty{Next: v.Handler(), Delay: time.Millisecond}
	f.Set(FaultSlow)
	_, body := get(t, f, "/metrics", "")
	assert.Equal(t, string(v.Page()), body)

	server := serve(t, WithFault(FaultSlow, v.Handler()))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/metrics", http.NoBody)
	require.NoError(t, err)
	resp, err := server.Client().Do(req)
	if resp != nil {
		resp.Body.Close()
	}
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestFaultDrip(t *testing.T) {
	small := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1.0\n") })
	f := &Faulty{Next: small, Delay: time.Microsecond}
	f.Set(FaultDrip)
	_, body := get(t, f, "/metrics", "")
	assert.Equal(t, "up 1.0\n", body)

	server := serve(t, WithFault(FaultDrip, NewVLLM(VLLMConfig{}).Handler()))
	resp, err := ask(t, server)
	require.NoError(t, err)
	_, err = io.ReadFull(resp.Body, make([]byte, 3))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

func TestFaultHuge(t *testing.T) {
	for _, fault := range []Fault{FaultHugePage, FaultHugeLine, FaultGzipBomb} {
		t.Run(fault.String(), func(t *testing.T) {
			f := &Faulty{Next: http.NotFoundHandler(), Bytes: 20 << 20}
			f.Set(fault)
			_, body := get(t, f, "/metrics", "")
			assert.InDelta(t, 20<<20, len(body), bombMember)
			lines := strings.Count(body, "\n")
			if fault == FaultHugeLine {
				assert.Zero(t, lines)
				return
			}
			require.Greater(t, lines, 200_000)
			assert.True(t, strings.HasSuffix(body, "\n"))

			// The default is far more than a test can read: a client that leaves ends it.
			server := serve(t, WithFault(fault, http.NotFoundHandler()))
			resp, err := ask(t, server)
			require.NoError(t, err)
			line, err := bufio.NewReader(resp.Body).ReadString('\n')
			require.NoError(t, err)
			assert.Contains(t, line, "vllm:num_requests_running")
			require.NoError(t, resp.Body.Close())
		})
	}
	server := serve(t, WithFault(FaultHugeLine, http.NotFoundHandler()))
	resp, err := ask(t, server)
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, resp.Body, 1<<20)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

func TestGzipBombIsSmall(t *testing.T) {
	f := &Faulty{Next: http.NotFoundHandler(), Bytes: 80 << 20}
	f.Set(FaultGzipBomb)
	recorder := httptest.NewRecorder()
	f.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	assert.Equal(t, "gzip", recorder.Header().Get("Content-Encoding"))
	assert.Less(t, recorder.Body.Len(), 800<<10)
}

func TestFaultTruncated(t *testing.T) {
	v := NewVLLM(VLLMConfig{Now: newClock().now})
	server := serve(t, WithFault(FaultTruncated, v.Handler()))
	resp, err := ask(t, server)
	require.NoError(t, err)
	defer resp.Body.Close()
	page := v.Page()
	assert.Equal(t, int64(len(page)), resp.ContentLength)
	body, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Less(t, len(body), len(page))
	require.True(t, bytes.HasPrefix(page, body))
	assert.NotEqual(t, byte('\n'), body[len(body)-1])
	assert.NotEqual(t, byte('\n'), page[len(body)])
}

func TestFaultTruncatedWithoutNewline(t *testing.T) {
	recorder := httptest.NewRecorder()
	answer := record(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "0123456789")
	}), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
	truncate(recorder, answer)
	assert.Equal(t, "01234", recorder.Body.String())
	assert.Equal(t, http.StatusTeapot, recorder.Code)
}

func TestFaultNaNInf(t *testing.T) {
	v := NewVLLM(VLLMConfig{Now: newClock().now})
	v.Play(1, time.Hour, 2)
	_, body := get(t, WithFault(FaultNaNInf, v.Handler()), "/metrics", "")
	want, got := parse(t, v.Page()), parse(t, []byte(body))
	assert.Equal(t, want.types, got.types)
	assert.Equal(t, want.order, got.order)
	seen := map[string]bool{}
	for sample, value := range got.values {
		name, _, _ := strings.Cut(sample, "{")
		kind := want.types[name]
		if strings.HasSuffix(name, "_bucket") {
			kind = "bucket"
		}
		seen[kind+" "+value] = true
	}
	for _, kind := range []string{"gauge", "counter", "bucket"} {
		for _, value := range []string{"NaN", "+Inf", "-Inf"} {
			assert.True(t, seen[kind+" "+value], "%s %s", kind, value)
		}
	}
}

func TestFaultDropConnection(t *testing.T) {
	server := serve(t, WithFault(FaultDropConnection, http.NotFoundHandler()))
	resp, err := ask(t, server)
	if resp != nil {
		resp.Body.Close()
	}
	require.True(t, errors.Is(err, io.EOF) || strings.Contains(err.Error(), "reset"), err)
}

func TestFaultTooManyRequests(t *testing.T) {
	f := &Faulty{Next: http.NotFoundHandler(), Path: func(path string) bool { return path == "/a" }, RetryAfter: 90 * time.Second}
	f.Set(FaultTooManyRequests)
	for path, want := range map[string]int{"/a": http.StatusTooManyRequests, "/metrics": http.StatusNotFound} {
		resp, _ := get(t, f, path, "")
		assert.Equal(t, want, resp.StatusCode, path)
		if path == "/a" {
			assert.Equal(t, "90", resp.Header.Get("Retry-After"))
		}
	}
	resp, _ := get(t, WithFault(FaultTooManyRequests, http.NotFoundHandler()), "/metrics", "")
	assert.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
	assert.NotContains(t, resp.Header, "Retry-After")
}

// TestFaultSeries: huge answers are of the metric that a reader is after.
func TestFaultSeries(t *testing.T) {
	for _, fault := range []Fault{FaultHugePage, FaultHugeLine, FaultGzipBomb} {
		f := &Faulty{Next: http.NotFoundHandler(), Bytes: 1 << 10, Series: "litellm_in_flight_requests"}
		f.Set(fault)
		_, body := get(t, f, "/metrics", "")
		assert.Contains(t, body[:1<<10], "litellm_in_flight_requests", fault)
		assert.NotContains(t, body, "vllm:", fault)
	}
}

// TestFaultsArePlain: what is recorded to be changed is not packed.
func TestFaultsArePlain(t *testing.T) {
	packs := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "a 1.0 "+r.Header.Get("Accept-Encoding")+"\n")
	})
	resp, err := ask(t, serve(t, WithFault(FaultNaNInf, packs)))
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "a 1.0 NaN\n", string(body))
}
