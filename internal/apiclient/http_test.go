package apiclient

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
)

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

// TestTLSAlert: a server that wants a certificate says so in an alert.
func TestTLSAlert(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	for _, version := range []string{"1.2", "1.3"} {
		c, _ := newClient(t, server.URL, nil, noRetry, func(cfg *Config) { cfg.TLS.InsecureSkipVerify, cfg.TLS.MaxVersion = true, version })
		assert.Equal(t, ReasonTLS, Reason(ask(t.Context(), c)), version)
	}
}

// TestClose: no connection is left open at a server that stays.
func TestClose(t *testing.T) {
	for name, edit := range map[string]func(*Config){"plain": func(*Config) {}, "headers": withSecrets} {
		t.Run(name, func(t *testing.T) {
			states := make(chan http.ConnState, 10)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) { states <- state }
			server.Start()
			t.Cleanup(server.Close)
			c, _ := newClient(t, server.URL, nil, edit)
			require.NoError(t, ask(t.Context(), c))
			for state := range states {
				if state == http.StateIdle {
					break
				}
			}
			c.Close()
			select {
			case state := <-states:
				assert.Equal(t, http.StateClosed, state)
			case <-time.After(10 * time.Second):
				assert.Fail(t, "the connection stays open")
			}
		})
	}
}

func TestHostHeader(t *testing.T) {
	var host string
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		host = r.Host
		_, _ = io.WriteString(w, "{}")
	})
	c, _ := newClient(t, base, nil, func(cfg *Config) { cfg.Headers = map[string]configopaque.String{"host": "virtual.test"} })
	require.NoError(t, ask(t.Context(), c))
	assert.Equal(t, "virtual.test", host)
}

func TestSameHost(t *testing.T) {
	for _, step := range []struct {
		from, to string
		same     bool
	}{
		{"https://a.test/x", "https://A.test:443/y", true},
		{"http://[::1]:80/x", "http://[::1]/y", true},
		{"http://a.test", "http://a.test:8080", false},
		{"http://a.test", "https://a.test", false},
		{"https://a.test", "http://a.test:443", false},
		{"http://a.test", "http://b.a.test", false},
	} {
		from, to := httptest.NewRequest(http.MethodGet, step.from, http.NoBody), httptest.NewRequest(http.MethodGet, step.to, http.NoBody)
		err := sameHost(to, []*http.Request{from})
		assert.Equal(t, step.same, err == nil, "%s to %s: %v", step.from, step.to, err)
	}
}

// TestProxyURL: it may hold a password.
func TestProxyURL(t *testing.T) {
	cfg := NewDefaultConfig()
	for _, proxy := range []string{"http://u:" + secret + "/x@proxy:3128", "u:" + secret + "@proxy:3128", "://" + secret} {
		cfg.ProxyURL = proxy
		client, err := NewHTTPClient(t.Context(), &cfg.ClientConfig, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings())
		if err == nil {
			_, err = client.Get("http://a.test")
		}
		require.Error(t, err)
		assert.NotContains(t, err.Error(), secret)
	}
	cfg.ProxyURL = serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `"`+r.URL.Host+`"`) })
	cfg.Endpoint = "http://a.test"
	c, err := New(t.Context(), &cfg, componenttest.NewNopHost(), id, componenttest.NewNopTelemetrySettings(), nil)
	require.NoError(t, err)
	defer c.Close()
	var host string
	require.NoError(t, c.JSON(t.Context(), target, &host))
	assert.Equal(t, "a.test", host)
}
