package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func price(usd float64) *float64 { return &usd }

// playedProxy is a proxy that has had one request of every kind.
func playedProxy(cfg LiteLLMConfig) *LiteLLM {
	if cfg.Deployments == nil {
		cfg.Deployments = []LiteLLMDeployment{
			{Name: "chat", Model: "hosted_vllm/qwen3-32b", APIBase: "http://vllm:8000/v1", Mode: "chat", MaxInput: 32768, InputPrice: price(1e-6), OutputPrice: price(2e-6), CacheReadPrice: price(1e-7), Supports: []string{"function_calling"}, TPM: 1000, RPM: 60},
			{Name: "spare", Model: "openai/gpt-5-nano", Mode: "chat"},
			{Name: "embed", Model: "hosted_vllm/bge-m3", APIBase: "http://embed:8000/v1", Mode: "embedding"},
		}
	}
	l := NewLiteLLM(cfg)
	playRequests(l)
	for _, entity := range []string{"team", "api_key", "user", "org"} {
		l.SetBudget(LiteLLMBudget{Entity: entity, ID: "1", Alias: "one", Remaining: 12, Max: 100, Reset: time.Hour})
	}
	l.SetProviderBudget("openai", 5)
	l.SetKeyLimits("sk-a", "a", "chat", -1, 500)
	l.SetRemaining(1, 100, 2000)
	l.SetInFlight(2)
	l.SetPeople(5, 3, 2)
	l.SetState(2, 0)
	l.SetQueue("redis_spend_update_queue", 4)
	l.ObserveService("redis", time.Millisecond, true)
	l.CountCallbackFailure("langfuse")
	l.CountToolCall("weather", "forecast", 0.01)
	return l
}

// playRequests are one that goes well, one from the cache, one that falls back, one that fails, one that falls back in vain,
// and one that is refused.
func playRequests(l *LiteLLM) {
	who := LiteLLMRequest{
		Model: "chat", Key: LiteLLMHash("sk-a"), KeyAlias: "a", Team: "t1", TeamAlias: "team", User: "u1", EndUser: "e1", IP: "192.0.2.1", UserAgent: "curl",
		Tags: []string{"batch"},
	}
	ok := who
	ok.Attempts = []LiteLLMAttempt{{Deployment: 0}}
	ok.Total, ok.Upstream, ok.FirstToken, ok.Queue = 3*time.Second, 2900*time.Millisecond, 200*time.Millisecond, time.Millisecond
	ok.Input, ok.Output, ok.CacheRead, ok.CacheCreation = 1000, 100, 200, 50
	ok.Guardrails = []string{"pii"}
	ok.GuardrailRuns = []LiteLLMGuardrail{{Name: "words", Hook: "post_call", ErrorType: "GuardrailRaisedException", Took: time.Second}}
	l.Finish(ok)
	cached := ok
	cached.CacheHit = true
	l.Finish(cached)
	fell := ok
	fell.Attempts = []LiteLLMAttempt{{Deployment: 0, Status: 503, Class: "ServiceUnavailableError", CooledDown: true}, {Deployment: 1}}
	l.Finish(fell)
	failed := who
	failed.Attempts = []LiteLLMAttempt{{Deployment: 0, Status: 500, Class: "InternalServerError"}}
	failed.Status, failed.Class = 500, "InternalServerError"
	l.Finish(failed)
	lost := fell
	lost.Attempts = slices.Clone(fell.Attempts)
	lost.Attempts[1].Status, lost.Status, lost.Class = 500, 500, "InternalServerError"
	l.Finish(lost)
	wrong := who
	wrong.Status, wrong.Class = 400, "BadRequestError"
	l.Finish(wrong)
}

// proxyGet returns status and body.
func proxyGet(t *testing.T, l *LiteLLM, path, key string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	w := httptest.NewRecorder()
	l.Handler().ServeHTTP(w, r)
	text, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return w.Code, string(text)
}

// proxyJSON returns the answer to the master key.
func proxyJSON(t *testing.T, l *LiteLLM, path string) map[string]any {
	t.Helper()
	status, body := proxyGet(t, l, path, "sk-master")
	require.Equal(t, 200, status, body)
	return object(t, body)
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var answer map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &answer), text)
	return answer
}

// within walks down an answer.
func within(t *testing.T, answer any, path ...string) any {
	t.Helper()
	for _, name := range path {
		inner, ok := answer.(map[string]any)
		require.True(t, ok, name)
		require.Contains(t, inner, name)
		answer = inner[name]
	}
	return answer
}

// total adds up the samples that have a label; an empty one is all of them.
func total(t *testing.T, page []byte, name, label string) float64 {
	t.Helper()
	sum := 0.0
	for sample, value := range parse(t, page).values {
		if strings.HasPrefix(sample, name+"{") && strings.Contains(sample, label) {
			sum += number(t, value)
		}
	}
	return sum
}

// TestLiteLLMTotals: what requests are is what the page says in the end.
func TestLiteLLMTotals(t *testing.T) {
	l := playedProxy(LiteLLMConfig{Redis: true, PrometheusSystem: true})
	sum := func(name, label string) float64 { return total(t, l.Page(), name, label) }
	for _, tt := range []struct {
		name, label string
		want        float64
	}{
		{"litellm_proxy_total_requests_metric_total", "", 6},
		{"litellm_proxy_total_requests_metric_total", `status_code="200"`, 3},
		{"litellm_proxy_failed_requests_metric_total", "", 3},
		{"litellm_proxy_failed_requests_metric_total", `exception_status="400"`, 1},
		{"litellm_requests_metric_total", "", 3},
		{"litellm_llm_api_failed_requests_metric_total", "", 5},
		{"litellm_input_tokens_metric_total", "", 3000},
		{"litellm_output_tokens_metric_total", "", 300},
		{"litellm_total_tokens_metric_total", "", 3300},
		{"litellm_provider_cache_read_input_tokens_metric_total", "", 600},
		{"litellm_provider_cache_creation_input_tokens_metric_total", "", 150},
		{"litellm_deployment_total_requests_total", "", 7},
		{"litellm_deployment_success_responses_total", "", 3},
		{"litellm_deployment_failure_responses_total", "", 4},
		{"litellm_deployment_successful_fallbacks_total", `fallback_model="spare"`, 1},
		{"litellm_deployment_failed_fallbacks_total", `exception_status="503"`, 1},
		{"litellm_deployment_cooled_down_total", "", 2},
		{"litellm_deployment_state", `litellm_model_name="qwen3-32b"`, 2},
		{"litellm_deployment_state", `litellm_model_name="gpt-5-nano"`, 1},
		{"litellm_deployment_tpm_limit", "", 1000},
		{"litellm_deployment_rpm_limit", "", 60},
		{"litellm_cache_hits_metric_total", "", 1},
		{"litellm_cache_misses_metric_total", "", 2},
		{"litellm_cached_tokens_metric_total", "", 1100},
		{"litellm_guardrail_requests_total", `guardrail_name="pii",hook_type="pre_call",status="success"`, 4},
		{"litellm_guardrail_requests_total", `guardrail_name="words",hook_type="post_call",status="error"`, 4},
		{"litellm_guardrail_errors_total", `error_type="GuardrailRaisedException"`, 4},
		{"litellm_guardrail_latency_seconds_sum", `guardrail_name="words"`, 4},
		{"litellm_request_total_latency_metric_count", "", 3},
		{"litellm_llm_api_time_to_first_token_metric_count", "", 3},
		{"litellm_callback_logging_failures_metric_total", `callback_name="langfuse"`, 1},
		{"litellm_mcp_tool_calls_total", `mcp_server_name="weather",mcp_tool_name="forecast"`, 1},
		{"litellm_mcp_tool_call_spend_metric_total", "", 0.01},
		{"litellm_redis_total_requests_total", `redis="redis"`, 1},
		{"litellm_redis_failed_requests_total", "", 1},
	} {
		assert.Equal(t, tt.want, sum(tt.name, tt.label), "%s{%s}", tt.name, tt.label)
	}
	assert.InDelta(t, 750e-6+200e-6+20e-6, sum("litellm_spend_metric_total", `model="qwen3-32b"`), 1e-12, "750 in at 1, 100 out at 2, 200 cached at 0.1 in a million; a hit of the proxy's cache is free")
	assert.InDelta(t, 0.3, sum("litellm_overhead_latency_metric_sum", ""), 1e-9, "what is not upstream")
	page := string(l.Page())
	assert.Contains(t, page, "\nlitellm_redis_spend_update_queue_size 4.0\n")
	assert.Contains(t, page, "\nlitellm_total_users 5.0\n")
	assert.Contains(t, page, "\nlitellm_active_users 3.0\n")
	assert.Contains(t, page, "\nlitellm_teams_count 2.0\n")
	assert.Contains(t, page, "\nlitellm_in_flight_requests 2.0\n")

	l.Restart()
	assert.Zero(t, sum("litellm_proxy_total_requests_metric_total", ""))
	assert.Equal(t, 1000.0, sum("litellm_deployment_tpm_limit", ""), "comes from the configuration")
}

// TestLiteLLMGivenFigures: what is said is not computed.
func TestLiteLLMGivenFigures(t *testing.T) {
	l := NewLiteLLM(LiteLLMConfig{})
	l.Finish(LiteLLMRequest{
		Model: "sim-8b", Attempts: []LiteLLMAttempt{{}}, Total: 9 * time.Second, Upstream: time.Second, Overhead: 20 * time.Millisecond, Spend: price(1.5),
	})
	assert.Equal(t, 1.5, total(t, l.Page(), "litellm_spend_metric_total", ""))
	assert.Equal(t, 0.02, total(t, l.Page(), "litellm_overhead_latency_metric_sum", ""))
	assert.NotContains(t, string(l.Page()), "litellm_llm_api_time_to_first_token_metric_count{", "it did not stream")
	assert.NotContains(t, string(l.Page()), "litellm_deployment_latency_per_output_token_count{", "it had no output")
	assert.NotContains(t, string(l.Page()), "litellm_cache_misses_metric_total{", "there is no cache")
}

// TestLiteLLMIsMonotonic: counters and buckets never fall, whatever happens.
func TestLiteLLMIsMonotonic(t *testing.T) {
	for _, cfg := range []LiteLLMConfig{{PrometheusSystem: true}, {MultiProcess: true, Workers: 2}} {
		c := newClock()
		cfg.Now = c.now
		l := playedProxy(cfg)
		before := parse(t, l.Page())
		for range 3 {
			c.t = c.t.Add(time.Minute)
			playRequests(l)
			if cfg.MultiProcess {
				l.RestartWorker(0)
			}
			after := parse(t, l.Page())
			counters := 0
			for sample, value := range before.values {
				name, _, _ := strings.Cut(sample, "{")
				kind := before.types[name]
				for _, suffix := range []string{"_bucket", "_count", "_sum"} {
					if base, ok := strings.CutSuffix(name, suffix); ok && before.types[base] == "histogram" {
						kind = "counter"
					}
				}
				if kind == "counter" {
					counters++
					assert.GreaterOrEqual(t, after.value(t, sample), number(t, value), sample)
				}
			}
			assert.Greater(t, counters, 100)
			before = after
		}
	}
}

// TestLiteLLMDeterminism: same configuration, clock and calls, same bytes, of the page and of the API.
func TestLiteLLMDeterminism(t *testing.T) {
	all := func() []string {
		c := newClock()
		l := playedProxy(LiteLLMConfig{Now: c.now, PrometheusSystem: true, CustomLabels: []string{"metadata_a", "tag_batch"}})
		l.SetHealth(0, true)
		l.SetHealth(1, false)
		texts := []string{string(l.Page())}
		for _, path := range []string{
			"/model/info", "/model_group/info", "/v1/models", "/health", "/health/latest", "/health/history", "/health/readiness/details",
			"/user/daily/activity?start_date=2026-03-01&end_date=2026-03-01", "/user/daily/activity/aggregated?start_date=2026-03-01&end_date=2026-03-01",
		} {
			_, body := proxyGet(t, l, path, "sk-master")
			texts = append(texts, body)
		}
		return texts
	}
	first, second := all(), all()
	assert.Equal(t, first, second)
}

// TestLiteLLMAtOnce: it is read while it works.
func TestLiteLLMAtOnce(t *testing.T) {
	l := playedProxy(LiteLLMConfig{Workers: 2})
	var all sync.WaitGroup
	for _, path := range []string{"/metrics/", "/model/info", "/health", "/health/history", "/health/backlog", "/health/readiness", "/user/daily/activity?start_date=2000-01-01&end_date=2100-01-01"} {
		all.Go(func() {
			for range 5 {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
				r.Header.Set("Authorization", "Bearer sk-master")
				w := httptest.NewRecorder()
				l.Handler().ServeHTTP(w, r)
				assert.Equal(t, 200, w.Code, path)
			}
		})
	}
	for i := range 20 {
		playRequests(l)
		l.SetHealth(i%3, i%2 == 0)
		l.SetInFlight(i)
		l.RestartWorker(i % 2)
	}
	all.Wait()
	assert.Equal(t, 35, func() (n int) {
		for _, times := range l.Requests() {
			n += times
		}
		return n
	}())
}
