package apiclient

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configtls"
)

const secret = "s3cr3t-t0k3n"

func authorize(req *http.Request) { req.Header.Set("Authorization", "Bearer "+secret) }

func withSecrets(cfg *Config) {
	cfg.Headers = map[string]configopaque.String{"X-Key": "key-" + secret}
}

func TestRequest(t *testing.T) {
	var got *http.Request
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = io.WriteString(w, `{"name":"a","other":1}`)
	})
	c, _ := newClient(t, base+"/prefix/", authorize, withSecrets)
	var anyone struct{ Name string }
	require.NoError(t, c.JSON(t.Context(), Request{Endpoint: "/model/info", Query: url.Values{"q": {"a b", "&"}}}, &anyone))
	assert.Equal(t, "a", anyone.Name)
	assert.Equal(t, "GET /prefix/model/info?q=a+b&q=%26", got.Method+" "+got.URL.String())
	assert.Equal(t, "application/json", got.Header.Get("Accept"))
	assert.Equal(t, "Bearer "+secret, got.Header.Get("Authorization"))
	assert.Equal(t, "key-"+secret, got.Header.Get("X-Key"))

	require.NoError(t, c.Do(t.Context(), Request{Endpoint: "/metrics", Path: "/metrics/", Accept: "text/plain", NoAuth: true}, func(*http.Response) error { return nil }))
	assert.Equal(t, "/prefix/metrics/", got.URL.String())
	assert.Equal(t, "text/plain", got.Header.Get("Accept"))
	assert.Empty(t, got.Header.Get("Authorization"))
}

// TestErrorOfReader: what the caller finds wrong counts as an error of the request.
func TestErrorOfReader(t *testing.T) {
	base := serve(t, func(http.ResponseWriter, *http.Request) {})
	c, _ := newClient(t, base, nil, noRetry, breaker(1))
	wrong := func(err error) error {
		return c.Do(t.Context(), target, func(*http.Response) error { return err })
	}
	require.ErrorIs(t, wrong(ErrNotJSON), ErrNotJSON)
	require.ErrorIs(t, wrong(io.ErrUnexpectedEOF), io.ErrUnexpectedEOF)
	err := wrong(nil)
	require.ErrorIs(t, err, ErrGateClosed)
	assert.Equal(t, ReasonTruncated, Reason(err))
}

func TestRedirects(t *testing.T) {
	var elsewhere atomic.Int64
	other := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	var paths []string
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer "+secret, r.Header.Get("Authorization"))
		assert.Equal(t, "key-"+secret, r.Header.Get("X-Key"))
		paths = append(paths, r.URL.Path)
		switch r.URL.Path {
		case "/metrics/":
			_, _ = io.WriteString(w, "{}")
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/other":
			http.Redirect(w, r, other+"/"+secret, http.StatusTemporaryRedirect)
		case "/scheme":
			http.Redirect(w, r, "https://"+r.Host+"/", http.StatusTemporaryRedirect)
		default:
			http.Redirect(w, r, r.URL.Path+"/", http.StatusTemporaryRedirect)
		}
	})
	c, _ := newClient(t, base, authorize, withSecrets)
	require.NoError(t, c.JSON(t.Context(), Request{Endpoint: "/metrics"}, new(any)))
	assert.Equal(t, []string{"/metrics", "/metrics/"}, paths)
	for _, endpoint := range []string{"/other", "/scheme", "/loop"} {
		paths = nil
		err := c.JSON(t.Context(), Request{Endpoint: endpoint}, new(any))
		require.ErrorIs(t, err, ErrRedirect)
		assert.Equal(t, ReasonRedirect, Reason(err))
		assert.NotContains(t, err.Error(), secret)
		assert.LessOrEqual(t, len(paths), maxRedirects+1)
	}
	assert.Zero(t, elsewhere.Load(), "the other host was asked")
}

// TestNoSecretsInErrors: the text of an error goes to the log.
func TestNoSecretsInErrors(t *testing.T) {
	basic := func(req *http.Request) { req.SetBasicAuth("public", secret) }
	repeat := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(map[string]int{"/400": 400, "/401": 401, "/403": 403, "/422": 422, "/500": 500}[r.URL.Path])
		for _, values := range r.Header {
			_, _ = io.WriteString(w, "refused: "+strings.Join(values, " ")+"\r\n")
		}
	}
	base := serve(t, repeat)
	for name, authorize := range map[string]func(*http.Request){"bearer": authorize, "basic": basic} {
		t.Run(name, func(t *testing.T) {
			c, _ := newClient(t, base, authorize, withSecrets, noRetry)
			probe := httptest.NewRequest(http.MethodGet, base, http.NoBody)
			authorize(probe)
			_, credentials, _ := strings.Cut(probe.Header.Get("Authorization"), " ")
			for _, path := range []string{"/400", "/401", "/403", "/422", "/500"} {
				err := c.JSON(t.Context(), Request{Endpoint: path, Query: url.Values{"q": {secret}}}, new(any))
				require.Error(t, err)
				assert.Equal(t, path[1:], Reason(err))
				assert.NotContains(t, err.Error(), secret)
				assert.NotContains(t, err.Error(), credentials)
				assert.NotContains(t, err.Error(), "\n")
				assert.Equal(t, path == "/400" || path == "/422", strings.Contains(err.Error(), "refused: "), "only what is wrong with a request is told: %s", err)
			}
		})
	}
	for _, endpoint := range []string{"http://127.0.0.1:1", "https" + base[4:]} {
		c, _ := newClient(t, endpoint, authorize, withSecrets, noRetry)
		err := c.JSON(t.Context(), Request{Endpoint: "/" + secret, Query: url.Values{"q": {secret}}}, new(any))
		require.Error(t, err)
		assert.NotContains(t, err.Error(), secret)
	}
	c, _ := newClient(t, base, authorize, noRetry)
	err := c.JSON(t.Context(), Request{Endpoint: "/" + secret + "\x00"}, new(any))
	require.Error(t, err, "no URL")
	assert.NotContains(t, err.Error(), secret)
}

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
		"/text":  {ReasonMalformed, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }},
		"/type":  {ReasonMalformed, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `["a"]`) }},
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
	for _, limit := range []int64{1000, 1001, 1 << 40} {
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

// TestTimeouts: of a request, and of the context.
func TestTimeouts(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	c, _ := newClient(t, base, nil, noRetry)
	c.http.Timeout = 20 * time.Millisecond
	for _, endpoint := range []string{"/head", "/body"} {
		assert.Equal(t, ReasonTimeout, Reason(c.JSON(t.Context(), Request{Endpoint: endpoint}, new(any))), endpoint)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	assert.Equal(t, ReasonTimeout, Reason(c.JSON(ctx, Request{Endpoint: "/body"}, new(any))))
}

// TestConnectionReused: whatever the answer, and whether it tells its length or not.
func TestConnectionReused(t *testing.T) {
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/404":
			http.NotFound(w, r)
		case "/chunked":
			_, _ = io.WriteString(w, "{}\n")
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, strings.Repeat("\n", 1000))
		default:
			_, _ = io.WriteString(w, "{}\n\n")
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c, _ := newClient(t, server.URL, nil)
	for range 3 {
		for _, endpoint := range []string{"/404", "/chunked", "/length"} {
			_ = c.JSON(t.Context(), Request{Endpoint: endpoint}, new(any))
		}
	}
	assert.EqualValues(t, 1, connections.Load())
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	server.Config.ErrorLog = nil
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	c, _ := newClient(t, server.URL, nil)
	assert.Equal(t, ReasonTLS, Reason(ask(t.Context(), c)))
	c, _ = newClient(t, server.URL, nil, func(cfg *Config) { cfg.TLS.InsecureSkipVerify = true })
	assert.NoError(t, ask(t.Context(), c))
}

func TestNewFails(t *testing.T) {
	cfg := NewDefaultConfig()
	cfg.Endpoint = "https://a"
	cfg.TLS = configtls.ClientConfig{Config: configtls.Config{CAFile: "testdata/no-such-file"}}
	_, err := New(t.Context(), &cfg, componenttest.NewNopHost(), id, componenttest.NewNopTelemetrySettings(), nil)
	assert.ErrorContains(t, err, "no-such-file")
}
