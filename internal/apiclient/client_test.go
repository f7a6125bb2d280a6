package apiclient

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
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
	c, _ := newClient(t, base, nil, noRetry, breaker(2))
	wrong := func(err error) error {
		return c.Do(t.Context(), target, func(*http.Response) error { return err })
	}
	require.ErrorIs(t, wrong(ErrNotJSON), ErrNotJSON)
	require.ErrorIs(t, wrong(io.ErrUnexpectedEOF), io.ErrUnexpectedEOF)
	err := wrong(nil)
	require.ErrorIs(t, err, ErrGateClosed)
	assert.Equal(t, ReasonTruncated, Reason(err))
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

func TestNewFails(t *testing.T) {
	cfg := NewDefaultConfig()
	cfg.Endpoint = "https://a"
	cfg.TLS = configtls.ClientConfig{Config: configtls.Config{CAFile: "testdata/no-such-file"}}
	_, err := New(t.Context(), &cfg, componenttest.NewNopHost(), id, componenttest.NewNopTelemetrySettings(), nil)
	assert.ErrorContains(t, err, "no-such-file")
}
