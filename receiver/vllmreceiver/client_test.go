package vllmreceiver

import (
	"context"
	"fmt"
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
	"go.opentelemetry.io/collector/config/configtls"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const secret = "Bearer s3cr3t-t0k3n"

func withSecret(cfg *Config) {
	cfg.Endpoints[0].Headers = map[string]configopaque.String{"Authorization": secret, "X-Tenant": "a"}
}

// TestRedirects: the configured headers go where the configuration says and
// nowhere else.
func TestRedirects(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now, Version: simulator.VLLM0_5_4}) // answers at /metrics/
	v.Play(1, time.Hour, 1)
	var elsewhere atomic.Int64
	other := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Add(1)
		v.Handler().ServeHTTP(w, r)
	}))

	t.Run("same host", func(t *testing.T) {
		var paths []string
		url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, secret, r.Header.Get("Authorization"))
			paths = append(paths, r.URL.Path)
			v.Handler().ServeHTTP(w, r)
		}))
		p := newProbe(t, c, url, withSecret)
		assert.InDelta(t, 1, p.read(t).value(t, "vllm.up"), 0)
		assert.Equal(t, []string{"/metrics", "/metrics/"}, paths[:2])
	})
	for name, location := range map[string]string{
		"other host":   other + "/metrics",
		"other scheme": "https://" + strings.TrimPrefix(other, "http://") + "/metrics",
		"bare host":    "//" + strings.TrimPrefix(other, "http://") + "/metrics",
	} {
		t.Run(name, func(t *testing.T) {
			faulty := &simulator.Faulty{Next: v.Handler(), Location: location, AllPaths: true}
			faulty.Set(simulator.FaultRedirectElsewhere)
			p := newProbe(t, c, serve(t, faulty), withSecret)
			got := p.read(t)
			assert.Equal(t, "redirect", got.problem(t))
			assert.InDelta(t, 0, got.value(t, "vllm.up"), 0)
			assertNoSecrets(t, p)
		})
	}
	assert.Zero(t, elsewhere.Load(), "the other host was asked")
}

// assertNoSecrets looks at all that was logged.
func assertNoSecrets(t *testing.T, p *probe) {
	t.Helper()
	require.NotZero(t, p.logs.Len())
	for _, entry := range p.logs.All() {
		assert.NotContains(t, entry.Message, "s3cr3t")
		for _, field := range entry.ContextMap() {
			assert.NotContains(t, fmt.Sprint(field), "s3cr3t")
		}
	}
}

// TestNoSecretsLogged: whatever goes wrong, no header is in the log.
func TestNoSecretsLogged(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
	faulty := &simulator.Faulty{Next: v.Handler(), AllPaths: true, Bytes: 1 << 20}
	p := newProbe(t, c, serve(t, faulty), withSecret)
	for _, fault := range simulator.Faults() {
		if fault == simulator.FaultSlow || fault == simulator.FaultDrip {
			continue
		}
		faulty.Set(fault)
		p.read(t)
	}
	assertNoSecrets(t, p)
}

func TestEndpointWithPrefix(t *testing.T) {
	c := newClock()
	for _, version := range []simulator.VLLMVersion{simulator.VLLM0_5_4, simulator.VLLM0_29_0} {
		v := simulator.NewVLLM(simulator.VLLMConfig{Version: version, PathPrefix: "/llm/a", Now: c.now})
		v.Play(1, time.Hour, 1)
		url := serve(t, v.Handler())
		for _, slash := range []string{"", "/"} {
			p := newProbe(t, c, url+"/llm/a"+slash)
			got := p.read(t)
			assert.Equal(t, "ready", got.state(t))
			assert.Len(t, got.of("vllm.model.context_length"), 1)
			assert.True(t, strings.HasSuffix(p.endpoint.instance(), "/llm/a"), p.endpoint.instance())
		}
	}
}

func TestMetricsContentType(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
	for contentType, want := range map[string]string{
		"":                         "",
		"text/plain":               "",
		"application/octet-stream": "",
		"text/html":                "not_metrics",
		"text/HTML; charset=utf-8": "not_metrics",
		";;":                       "",
	} {
		url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Contains(t, r.Header.Get("Accept"), "text/plain;version=0.0.4")
			w.Header()["Content-Type"] = []string{contentType}
			_, _ = w.Write(v.Page())
		}))
		p := newProbe(t, c, url, func(cfg *Config) { cfg.Endpoints[0].Paths = PathsConfig{Metrics: "/metrics"} })
		assert.Equal(t, want, p.read(t).problem(t), contentType)
	}
}

func TestStartFails(t *testing.T) {
	endpoint := newDefaultEndpoint()
	endpoint.Endpoint = "https://a"
	endpoint.TLS = configtls.ClientConfig{Config: configtls.Config{CAFile: "testdata/no-such-file"}}
	_, err := apiclient.NewHTTPClient(t.Context(), &endpoint.ClientConfig, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings())
	assert.ErrorContains(t, err, "no-such-file")
}

func TestUnusableURL(t *testing.T) {
	s := &httpServer{client: http.DefaultClient, base: "http://a\x00"}
	_, err := s.get(t.Context(), "/", "")
	assert.Error(t, err)
}

func TestConnectionReused(t *testing.T) {
	c := newClock()
	var connections atomic.Int64
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now, APIKey: "x"}) // so that refusals are among the answers
	server := httptest.NewUnstartedServer(v.Handler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	p := newProbe(t, c, server.URL)
	for range 10 {
		p.read(t)
	}
	assert.EqualValues(t, 1, connections.Load())
}

func TestCancelled(t *testing.T) {
	v := simulator.NewVLLM(simulator.VLLMConfig{})
	p := newProbe(t, newClock(), serve(t, v.Handler()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.server.metrics(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, p.server.health(ctx), context.Canceled)
	_, err = p.server.models(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}
