package simulator

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLiteLLMStoredHealth: results of earlier checks cost nothing.
func TestLiteLLMStoredHealth(t *testing.T) {
	c := newClock()
	l := playedProxy(LiteLLMConfig{Now: c.now})
	assert.Empty(t, proxyJSON(t, l, "/health/latest")["latest_health_checks"], "nothing was checked yet")
	l.SetHealth(0, true)
	l.SetHealth(1, false)
	id := l.cfg.Deployments[0].ID
	check := within(t, proxyJSON(t, l, "/health/latest"), "latest_health_checks", id).(map[string]any)
	assert.Equal(t, "healthy", check["status"])
	assert.Equal(t, "chat", check["model_name"])
	assert.Equal(t, id, check["model_id"])
	assert.Equal(t, 1.0, check["healthy_count"])
	assert.Nil(t, check["error_message"])
	assert.Equal(t, "2026-03-01T12:00:00.250000+00:00", check["checked_at"])
	check = within(t, proxyJSON(t, l, "/health/latest"), "latest_health_checks", l.cfg.Deployments[1].ID).(map[string]any)
	assert.Equal(t, "unhealthy", check["status"])
	assert.Equal(t, 1.0, check["unhealthy_count"])
	assert.NotEmpty(t, check["error_message"])

	// The same again is stored after an hour only, another result at once.
	c.t = c.t.Add(30 * time.Minute)
	l.SetHealth(0, true)
	assert.Len(t, proxyJSON(t, l, "/health/history")["health_checks"], 2)
	l.SetHealth(1, true)
	assert.Len(t, proxyJSON(t, l, "/health/history")["health_checks"], 3)
	c.t = c.t.Add(30 * time.Minute)
	l.SetHealth(0, true)
	history := proxyJSON(t, l, "/health/history")["health_checks"].([]any)
	require.Len(t, history, 4)
	assert.Equal(t, "2026-03-01T13:00:00.250000+00:00", history[0].(map[string]any)["checked_at"], "the newest first")
	assert.Equal(t, 2.0, proxyJSON(t, l, "/health/latest")["total_models"])

	for query, want := range map[string]int{"model=chat": 2, "model=none": 0, "status_filter=unhealthy": 1, "limit=1": 1, "offset=1": 3, "offset=9": 0, "model=spare&offset=1&limit=5": 1} {
		answer := proxyJSON(t, l, "/health/history?"+query)
		assert.Len(t, answer["health_checks"], want, query)
		assert.EqualValues(t, want, answer["total_records"], query)
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "offset=-1"} {
		status, body := proxyGet(t, l, "/health/history?"+query, "sk-master")
		assert.Equal(t, 422, status, query)
		assert.NotEmpty(t, object(t, body)["detail"])
	}
	assert.Zero(t, l.CostlyChecks())
}

// TestLiteLLMManyChecks: the history has an end, what was last does not.
func TestLiteLLMManyChecks(t *testing.T) {
	c := newClock()
	l := NewLiteLLM(LiteLLMConfig{Now: c.now})
	for i := range maxChecks + 5 {
		l.SetHealth(0, i%2 == 0)
	}
	assert.Len(t, l.health.history, maxChecks)
	assert.EqualValues(t, 1, proxyJSON(t, l, "/health/latest")["total_models"])
}

// TestLiteLLMHealthCosts: asking for health calls every model.
func TestLiteLLMHealthCosts(t *testing.T) {
	l := playedProxy(LiteLLMConfig{})
	l.SetHealth(1, false)
	all := proxyJSON(t, l, "/health")
	assert.Equal(t, 2.0, all["healthy_count"])
	assert.Equal(t, 1.0, all["unhealthy_count"])
	assert.Equal(t, 3, l.CostlyChecks())
	bad := all["unhealthy_endpoints"].([]any)[0].(map[string]any)
	assert.Equal(t, "openai/gpt-5-nano", bad["model"])
	assert.NotEmpty(t, bad["error"])
	good := all["healthy_endpoints"].([]any)[0].(map[string]any)
	assert.Equal(t, map[string]any{"model": "hosted_vllm/qwen3-32b", "api_base": "http://vllm:8000/v1", "model_id": l.cfg.Deployments[0].ID}, good)

	for query, want := range map[string]float64{"model=chat": 1, "model=openai/gpt-5-nano": 0, "model_id=" + l.cfg.Deployments[2].ID: 1} {
		before := l.CostlyChecks()
		assert.Equal(t, want, proxyJSON(t, l, "/health?"+query)["healthy_count"], query)
		assert.Equal(t, before+1, l.CostlyChecks(), query)
	}
	old := playedProxy(LiteLLMConfig{Version: LiteLLM1_72_0})
	assert.NotContains(t, proxyJSON(t, old, "/health")["healthy_endpoints"].([]any)[0], "model_id")
}

// TestLiteLLMHealthEmpty: a release forgot models of its own servers.
func TestLiteLLMHealthEmpty(t *testing.T) {
	all := proxyJSON(t, NewLiteLLM(LiteLLMConfig{Version: LiteLLM1_83_7, BuildVersion: "1.84.1"}), "/health")
	assert.Empty(t, all["healthy_endpoints"])
	assert.Empty(t, all["unhealthy_endpoints"])
	assert.Equal(t, 0.0, all["healthy_count"])
}

// TestLiteLLMBackgroundHealth: checks that the proxy makes by itself are free to ask for.
func TestLiteLLMBackgroundHealth(t *testing.T) {
	l := playedProxy(LiteLLMConfig{BackgroundHealth: true, HealthTakes: time.Hour})
	assert.Empty(t, proxyJSON(t, l, "/health"), "not checked yet")
	l.SetHealth(0, true)
	l.SetHealth(1, false)
	all := proxyJSON(t, l, "/health")
	assert.Equal(t, 1.0, all["healthy_count"], "the third was not checked")
	assert.Equal(t, 1.0, all["unhealthy_count"])
	assert.Zero(t, l.CostlyChecks())
}

// TestLiteLLMSlowHealth: the models take their time.
func TestLiteLLMSlowHealth(t *testing.T) {
	l := NewLiteLLM(LiteLLMConfig{HealthTakes: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/health", http.NoBody)
	r.Header.Set("Authorization", "Bearer sk-master")
	l.Handler().ServeHTTP(httptest.NewRecorder(), r)
	assert.Zero(t, l.CostlyChecks())
	assert.NotEmpty(t, proxyJSON(t, NewLiteLLM(LiteLLMConfig{HealthTakes: time.Millisecond}), "/health"))
}

// TestLiteLLMWithoutDatabase: what needs one is an error one level down, whether it never was there or is not reached.
func TestLiteLLMWithoutDatabase(t *testing.T) {
	cutOff := NewLiteLLM(LiteLLMConfig{})
	cutOff.SetDatabase(false)
	for _, path := range []string{"/health/latest", "/health/history", "/user/daily/activity?start_date=a&end_date=b", "/user/daily/activity/aggregated?start_date=a&end_date=b"} {
		for _, l := range []*LiteLLM{NewLiteLLM(LiteLLMConfig{NoDatabase: true}), cutOff} {
			status, body := proxyGet(t, l, path, "sk-master")
			assert.Equal(t, 500, status, path)
			assert.NotEmpty(t, within(t, object(t, body), "detail", "error"), path)
		}
	}
	l := playedProxy(LiteLLMConfig{NoDatabase: true})
	for _, path := range []string{"/v1/models", "/model/info", "/health"} {
		assert.NotEmpty(t, proxyJSON(t, l, path))
	}
	assert.Equal(t, 6.0, total(t, l.Page(), "litellm_proxy_total_requests_metric_total", ""), "the page needs none")
	assert.Empty(t, l.days.pending)
}
