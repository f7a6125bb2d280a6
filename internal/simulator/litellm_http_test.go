package simulator

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLiteLLMMetricsPath(t *testing.T) {
	l := playedProxy(LiteLLMConfig{Version: LiteLLM1_83_7})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://proxy:4000/metrics", http.NoBody)
	w := httptest.NewRecorder()
	l.Handler().ServeHTTP(w, r)
	assert.Equal(t, http.StatusTemporaryRedirect, w.Code)
	assert.Empty(t, w.Body.String(), "who does not follow sees nothing")
	assert.Equal(t, "http://proxy:4000/metrics/", w.Header().Get("Location"))
	assert.Equal(t, "uvicorn", w.Header().Get("Server"))

	resp, body := get(t, l.Handler(), "/metrics/", "")
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "text/plain; version=0.0.4; charset=utf-8", resp.Header.Get("Content-Type"))
	assert.Contains(t, body, "litellm_proxy_total_requests_metric_total{")
	assert.Equal(t, map[string]int{"/metrics": 1, "/metrics/": 1}, l.Requests())

	for _, key := range []string{"", "sk-master"} {
		status, _ := proxyGet(t, playedProxy(LiteLLMConfig{NoPrometheus: true, Version: LiteLLM1_83_7}), "/metrics/", key)
		assert.Equal(t, 404, status, "no callback")
	}
	status, body := proxyGet(t, l, "/no/such/path", "")
	assert.Equal(t, 404, status)
	assert.JSONEq(t, `{"detail":"Not Found"}`, body)
}

// TestLiteLLMGzip: the client library packs the page for who can unpack it.
func TestLiteLLMGzip(t *testing.T) {
	c := newClock()
	l := playedProxy(LiteLLMConfig{Version: LiteLLM1_83_7, Now: c.now})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics/", http.NoBody)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	l.Handler().ServeHTTP(w, r)
	assert.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
	z, err := gzip.NewReader(w.Body)
	require.NoError(t, err)
	text, err := io.ReadAll(z)
	require.NoError(t, err)
	assert.Equal(t, string(l.Page()), string(text))
}

// TestLiteLLMMetricsAuth: from 1.85 on by default, before if wanted.
func TestLiteLLMMetricsAuth(t *testing.T) {
	on, off := true, false
	for _, version := range LiteLLMVersions() {
		for _, tt := range []struct {
			auth   *bool
			wanted bool
		}{{nil, version.has(LiteLLM1_85_0)}, {&on, true}, {&off, false}} {
			l := NewLiteLLM(LiteLLMConfig{Version: version, MetricsAuth: tt.auth, Keys: []LiteLLMKey{{Key: "sk-few", Models: []string{}}}})
			status, body := proxyGet(t, l, "/metrics/", "")
			assert.Equal(t, map[bool]int{false: 200, true: 401}[tt.wanted], status, version)
			if tt.wanted {
				assert.Equal(t, `"Unauthorized access to metrics endpoint: Authentication Error, No api key passed in."`, body)
			}
			for _, key := range []string{"sk-few", "sk-master"} {
				status, body = proxyGet(t, l, "/metrics/", key)
				assert.Equal(t, 200, status, "any key will do")
			}
			counted := map[bool]float64{false: 0, true: 1}[tt.wanted]
			for _, name := range []string{"litellm_proxy_failed_requests_metric_total", "litellm_proxy_total_requests_metric_total"} {
				assert.Equal(t, counted, total(t, []byte(body), name, `requested_model=""`), "%s in %s: the refused scrape counts", name, version)
			}
		}
	}
	l := NewLiteLLM(LiteLLMConfig{NoPrometheus: true})
	status, _ := proxyGet(t, l, "/metrics", "")
	assert.Equal(t, 401, status, "before it looks whether there is such a path")
	status, _ = proxyGet(t, l, "/metrics/", "sk-master")
	assert.Equal(t, 404, status)
	status, _ = proxyGet(t, NewLiteLLM(LiteLLMConfig{}), "/metrics", "sk-master")
	assert.Equal(t, 307, status)
}

func TestLiteLLMProbes(t *testing.T) {
	l := playedProxy(LiteLLMConfig{})
	for _, path := range []string{"/health/liveliness", "/health/liveness"} {
		status, body := proxyGet(t, l, path, "")
		assert.Equal(t, 200, status)
		assert.Equal(t, `"I'm alive!"`, body)
	}
	assert.Equal(t, map[string]any{"in_flight_requests": 2.0}, proxyJSON(t, l, "/health/backlog"))
	status, _ := proxyGet(t, l, "/health/backlog", "")
	assert.Equal(t, 401, status)
	status, _ = proxyGet(t, NewLiteLLM(LiteLLMConfig{Version: LiteLLM1_80_15}), "/health/backlog", "sk-master")
	assert.Equal(t, 404, status)
	assert.Equal(t, map[string]any{"in_flight_requests": 0.0}, proxyJSON(t, NewLiteLLM(LiteLLMConfig{DropMetrics: []string{"litellm_in_flight_requests"}}), "/health/backlog"))

	assert.Equal(t, "1.95.0", within(t, proxyJSON(t, l, "/openapi.json"), "info", "version"))
	assert.Equal(t, "1.84.2", within(t, proxyJSON(t, NewLiteLLM(LiteLLMConfig{Version: LiteLLM1_83_7, BuildVersion: "1.84.2"}), "/openapi.json"), "info", "version"))
	status, _ = proxyGet(t, NewLiteLLM(LiteLLMConfig{NoDocs: true}), "/openapi.json", "")
	assert.Equal(t, 404, status)
}

// TestLiteLLMReadiness: from 1.88 on little is told to who has no key.
func TestLiteLLMReadiness(t *testing.T) {
	read := func(l *LiteLLM) map[string]any {
		status, body := proxyGet(t, l, "/health/readiness", "")
		require.Equal(t, 200, status)
		return object(t, body)
	}
	all := []string{"status", "db", "cache", "litellm_version", "success_callbacks", "use_aiohttp_transport"}
	for _, version := range LiteLLMVersions() {
		l := NewLiteLLM(LiteLLMConfig{Version: version, Redis: true})
		state := read(l)
		if version.has(LiteLLM1_88_0) {
			assert.Equal(t, map[string]any{"status": "healthy", "db": "connected"}, state)
			state = proxyJSON(t, l, "/health/readiness/details")
		} else {
			status, _ := proxyGet(t, l, "/health/readiness/details", "sk-master")
			assert.Equal(t, 404, status, version)
		}
		for _, name := range all {
			assert.Contains(t, state, name, version)
		}
		assert.Equal(t, string(version), state["litellm_version"])
		assert.Equal(t, "redis", state["cache"])
		assert.Equal(t, version.has(LiteLLM1_82_0), state["log_level"] != nil)
	}
	status, _ := proxyGet(t, NewLiteLLM(LiteLLMConfig{}), "/health/readiness/details", "")
	assert.Equal(t, 401, status)
	assert.Contains(t, read(NewLiteLLM(LiteLLMConfig{ReadinessDetails: true})), "litellm_version")

	assert.Equal(t, "Not connected", read(NewLiteLLM(LiteLLMConfig{NoDatabase: true}))["db"])
	l := NewLiteLLM(LiteLLMConfig{})
	l.SetDatabase(false)
	assert.Equal(t, "disconnected", read(l)["db"], "ready nevertheless")
	l.SetDatabase(true)
	assert.Equal(t, "connected", read(l)["db"])
	l.SetReady(false)
	status, body := proxyGet(t, l, "/health/readiness", "")
	assert.Equal(t, 503, status)
	assert.Contains(t, object(t, body), "detail")
	l.SetReady(true)
	read(l)
}

// TestLiteLLMSpendReport: an administrator with a licence might see it.
func TestLiteLLMSpendReport(t *testing.T) {
	for _, tt := range []struct {
		cfg    LiteLLMConfig
		key    string
		status int
		says   string
	}{
		{LiteLLMConfig{}, "sk-few", 403, "Admin-only"},
		{LiteLLMConfig{}, "sk-admin", 400, "Enterprise"},
		{LiteLLMConfig{}, "sk-master", 400, "Enterprise"},
		{LiteLLMConfig{NoDatabase: true}, "sk-master", 500, "DB not connected"},
	} {
		tt.cfg.Keys = []LiteLLMKey{{Key: "sk-few"}, {Key: "sk-admin", Admin: true}}
		status, body := proxyGet(t, NewLiteLLM(tt.cfg), "/global/spend/report", tt.key)
		assert.Equal(t, tt.status, status)
		assert.Contains(t, within(t, object(t, body), "detail", "error"), tt.says)
	}
}
