package simulator

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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
	who := LiteLLMRequest{Model: "chat", Key: LiteLLMHash("sk-a"), KeyAlias: "a", Team: "t1", TeamAlias: "team", User: "u1", EndUser: "e1", IP: "192.0.2.1", UserAgent: "curl"}
	ok := who
	ok.Attempts = []LiteLLMAttempt{{Deployment: 0}}
	ok.Total, ok.Upstream, ok.FirstToken, ok.Queue = 3*time.Second, 2900*time.Millisecond, 200*time.Millisecond, time.Millisecond
	ok.Input, ok.Output, ok.CacheRead, ok.CacheCreation = 1000, 100, 200, 50
	ok.Guardrails = []string{"pii"}
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
	for _, entity := range []string{"team", "api_key", "user", "org"} {
		l.SetBudget(LiteLLMBudget{Entity: entity, ID: "1", Alias: "one", Remaining: 12, Max: 100, Reset: time.Hour})
	}
	l.SetProviderBudget("openai", 5)
	l.SetKeyLimits("sk-a", "a", "chat", -1, 500)
	l.SetRemaining(1, 100, 2000)
	l.SetInFlight(2)
	l.SetPeople(5, 3, 2)
	l.SetState(2, 0)
	l.ObserveService("redis", time.Millisecond, true)
	return l
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
	return w.Code, strings.TrimSpace(string(text))
}

// proxyJSON returns the answer to the master key.
func proxyJSON(t *testing.T, l *LiteLLM, path string) map[string]any {
	t.Helper()
	status, body := proxyGet(t, l, path, "sk-master")
	require.Equal(t, 200, status, body)
	var answer map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	return answer
}

var labelName = regexp.MustCompile(`(\w+)="`)

// labelSets are the names of labels of each family that has samples.
func labelSets(page string) map[string]string {
	sets := make(map[string]string)
	for text := range strings.SplitSeq(page, "\n") {
		if text == "" || text[0] == '#' || !strings.HasPrefix(text, "litellm_") {
			continue
		}
		name, block, _ := strings.Cut(text[:strings.LastIndexByte(text, ' ')], "{")
		if strings.HasSuffix(name, "_created") {
			continue
		}
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, suffix)
		}
		var names []string
		for _, m := range labelName.FindAllStringSubmatch(block, -1) {
			if m[1] != "le" {
				names = append(names, m[1])
			}
		}
		slices.Sort(names)
		sets[name] = strings.Join(slices.Compact(names), ",")
	}
	return sets
}

// TestLiteLLMCapture: the families of a real proxy, with their types and labels, are those of its dialect.
func TestLiteLLMCapture(t *testing.T) {
	root := os.Getenv("OTELCOL_LLM_FIXTURES")
	if root == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set: no captures")
	}
	// What differs from a capture, and why.
	exceptions := map[string]map[string]string{
		"litellm-2025-06-metrics-trimmed.prom": {
			"litellm_deployment_failure_by_tag_responses_total": "only with tags",
			"litellm_user_max_budget_metric":                    "", "litellm_remaining_user_budget_metric": "", "litellm_user_budget_remaining_hours_metric": "",
		},
	}
	for file, version := range map[string]LiteLLMVersion{
		"litellm-main-2026-05-metrics.prom":    LiteLLM1_82_0,
		"litellm-2025-06-metrics-trimmed.prom": LiteLLM1_72_0,
	} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(root, "litellm", file))
			require.NoError(t, err)
			l := playedProxy(LiteLLMConfig{Version: version, Redis: true, PrometheusSystem: version == LiteLLM1_72_0})
			page := string(l.Page())
			real, ours := parse(t, append(bytes.TrimSpace(text), '\n')).types, parse(t, []byte(page)).types
			for name, typ := range real {
				if _, known := exceptions[file][name]; !known && strings.HasPrefix(name, "litellm_") && !strings.HasSuffix(name, "_created") {
					assert.Equal(t, typ, ours[name], name)
				}
			}
			for name := range ours {
				if strings.HasPrefix(name, "litellm_") && !strings.HasSuffix(name, "_created") {
					assert.Contains(t, real, name)
				}
			}
			if version != LiteLLM1_82_0 {
				return // trimmed, and some of its labels are made up
			}
			got := labelSets(page)
			for name, labels := range labelSets(string(text)) {
				assert.Equal(t, labels, got[name], name)
			}
		})
	}
}

func TestLiteLLMDialects(t *testing.T) {
	first := map[string]LiteLLMVersion{
		"litellm_input_tokens_metric_total":                     LiteLLM1_80_15,
		"litellm_request_queue_time_seconds":                    LiteLLM1_80_15,
		"litellm_callback_logging_failures_metric_total":        LiteLLM1_80_0,
		"litellm_in_flight_requests":                            LiteLLM1_82_0,
		"litellm_remaining_org_budget_metric":                   LiteLLM1_83_7,
		"litellm_provider_cache_read_input_tokens_metric_total": LiteLLM1_95_0,
		"litellm_proxy_total_requests_metric_total":             LiteLLM1_65_0,
		"litellm_deployment_state":                              LiteLLM1_65_0,
	}
	for _, version := range LiteLLMVersions() {
		l := playedProxy(LiteLLMConfig{Version: version})
		page := string(l.Page())
		types := parse(t, []byte(page)).types
		for name, from := range first {
			_, ok := types[name]
			assert.Equal(t, version.has(from), ok, "%s in %s", name, version)
		}
		_, old := types["litellm_input_tokens_total"]
		assert.Equal(t, !version.has(LiteLLM1_80_15), old, version)
		assert.Equal(t, version.has(LiteLLM1_72_0), !strings.Contains(page, `end_user="e1"`), version)
		buckets := strings.Count(page, `litellm_llm_api_latency_metric_bucket{`) / strings.Count(page, `litellm_llm_api_latency_metric_count{`)
		want := 36
		if version.has(LiteLLM1_83_7) {
			want = 19
		}
		assert.Equal(t, want, buckets, version)
	}
	assert.Panics(t, func() { NewLiteLLM(LiteLLMConfig{Version: "0.1"}) })
}

// TestLiteLLMTotals: what requests are is what the page says in the end.
func TestLiteLLMTotals(t *testing.T) {
	l := playedProxy(LiteLLMConfig{Redis: true})
	sum := func(name, label string) float64 {
		total := 0.0
		for text := range strings.SplitSeq(string(l.Page()), "\n") {
			if strings.HasPrefix(text, name+"{") && strings.Contains(text, label) {
				var v float64
				require.NoError(t, json.Unmarshal([]byte(text[strings.LastIndexByte(text, ' ')+1:]), &v))
				total += v
			}
		}
		return total
	}
	assert.Equal(t, 6.0, sum("litellm_proxy_total_requests_metric_total", ""))
	assert.Equal(t, 3.0, sum("litellm_proxy_total_requests_metric_total", `status_code="200"`))
	assert.Equal(t, 3.0, sum("litellm_proxy_failed_requests_metric_total", ""))
	assert.Equal(t, 3000.0, sum("litellm_input_tokens_metric_total", ""))
	assert.Equal(t, 7.0, sum("litellm_deployment_total_requests_total", ""), "attempts")
	assert.Equal(t, 4.0, sum("litellm_deployment_failure_responses_total", ""))
	assert.Equal(t, 1.0, sum("litellm_deployment_successful_fallbacks_total", `fallback_model="spare"`))
	assert.Equal(t, 1.0, sum("litellm_deployment_failed_fallbacks_total", ""))
	assert.Equal(t, 2.0, sum("litellm_deployment_cooled_down_total", ""))
	assert.InDelta(t, 750e-6+200e-6+20e-6, sum("litellm_spend_metric_total", `model="qwen3-32b"`), 1e-12, "750 in at 1, 100 out at 2, 200 cached at 0.1 in a million; a hit of the proxy's cache is free")
	assert.Equal(t, 1.0, sum("litellm_cache_hits_metric_total", ""))
	l.Restart()
	assert.Zero(t, sum("litellm_proxy_total_requests_metric_total", ""))
}

func TestLiteLLMDeterminism(t *testing.T) {
	c := newClock()
	page := func() string { return string(playedProxy(LiteLLMConfig{Now: c.now, PrometheusSystem: true}).Page()) }
	assert.Equal(t, page(), page())
}

// TestLiteLLMWorkers: without a shared directory each scrape shows another process.
func TestLiteLLMWorkers(t *testing.T) {
	l := NewLiteLLM(LiteLLMConfig{Workers: 2})
	for range 3 {
		l.Finish(LiteLLMRequest{Worker: 1, Model: "sim-8b", Attempts: []LiteLLMAttempt{{}}, Total: time.Second})
	}
	assert.NotContains(t, string(l.Page()), `status_code="200"`)
	assert.Contains(t, string(l.Page()), `status_code="200"`)
	assert.NotContains(t, string(l.Page()), `status_code="200"`)

	l = NewLiteLLM(LiteLLMConfig{Workers: 2, MultiProcess: true})
	for worker := range 2 {
		l.Finish(LiteLLMRequest{Worker: worker, Model: "sim-8b", Attempts: []LiteLLMAttempt{{}}, Total: time.Second})
	}
	l.SetInFlight(3)
	page := string(l.Page())
	assert.Contains(t, page, `litellm_in_flight_requests{pid="8"} 3.0`)
	assert.Regexp(t, `(?m)^litellm_proxy_total_requests_metric_total\{.*\} 2.0$`, page)
	assert.Regexp(t, `(?m)^litellm_request_total_latency_metric_count\{.*\} 2.0$`, page)
	assert.NotContains(t, page, "process_start_time_seconds")
	assert.NotContains(t, page, "_created")
}

func TestLiteLLMHTTP(t *testing.T) {
	l := playedProxy(LiteLLMConfig{Keys: []LiteLLMKey{{Key: "sk-few", Models: []string{"chat"}}}, Redis: true})
	status, body := proxyGet(t, l, "/metrics", "")
	assert.Equal(t, 307, status)
	assert.Empty(t, body)
	status, body = proxyGet(t, l, "/metrics/", "")
	assert.Equal(t, 401, status, "from 1.85 on")
	assert.Contains(t, body, `"error"`)
	status, body = proxyGet(t, l, "/metrics/", "sk-few")
	assert.Equal(t, 200, status)
	assert.Contains(t, body, `route="/metrics/"`, "the refused scrape was counted")
	status, _ = proxyGet(t, playedProxy(LiteLLMConfig{Version: LiteLLM1_83_7}), "/metrics/", "")
	assert.Equal(t, 200, status)
	off := false
	status, _ = proxyGet(t, playedProxy(LiteLLMConfig{MetricsAuth: &off}), "/metrics/", "")
	assert.Equal(t, 200, status)
	status, _ = proxyGet(t, playedProxy(LiteLLMConfig{NoPrometheus: true}), "/metrics/", "sk-master")
	assert.Equal(t, 404, status)

	for _, path := range []string{"/health/liveliness", "/health/liveness"} {
		status, body = proxyGet(t, l, path, "")
		assert.Equal(t, 200, status)
		assert.Equal(t, `"I'm alive!"`, body)
	}
	_, body = proxyGet(t, l, "/health/readiness", "")
	assert.JSONEq(t, `{"status":"healthy","db":"connected"}`, body)
	assert.Contains(t, proxyJSON(t, l, "/health/readiness/details"), "litellm_version")
	old := playedProxy(LiteLLMConfig{Version: LiteLLM1_82_0, NoDatabase: true})
	_, body = proxyGet(t, old, "/health/readiness", "")
	assert.Contains(t, body, `"litellm_version":"1.82.0"`)
	assert.Contains(t, body, "Not connected")
	status, _ = proxyGet(t, old, "/health/readiness/details", "sk-master")
	assert.Equal(t, 404, status)
	old.SetReady(false)
	status, _ = proxyGet(t, old, "/health/readiness", "")
	assert.Equal(t, 503, status)
	assert.Equal(t, "1.95.0", proxyJSON(t, l, "/openapi.json")["info"].(map[string]any)["version"])
	assert.Equal(t, 2.0, proxyJSON(t, l, "/health/backlog")["in_flight_requests"])

	for _, path := range []string{"/v1/models", "/model/info", "/model_group/info", "/health/latest", "/user/daily/activity"} {
		status, _ = proxyGet(t, l, path, "")
		assert.Equal(t, 401, status, path)
		status, _ = proxyGet(t, l, path, "sk-wrong")
		assert.Equal(t, 401, status, path)
	}
	l.RevokeKey("sk-few")
	status, body = proxyGet(t, l, "/v1/models", "sk-few")
	assert.Equal(t, 401, status)
	assert.Contains(t, body, "Expired")
	l.RestoreKey("sk-few")
	_, body = proxyGet(t, l, "/v1/models", "sk-few")
	assert.Contains(t, body, "chat")
	assert.NotContains(t, body, "embed")
	status, _ = proxyGet(t, l, "/global/spend/report", "sk-few")
	assert.Equal(t, 403, status)
	status, _ = proxyGet(t, l, "/global/spend/report", "sk-master")
	assert.Equal(t, 400, status)
	assert.Equal(t, 3, l.Requests()["/metrics/"]+l.Requests()["/metrics"])
}

func TestLiteLLMModels(t *testing.T) {
	l := playedProxy(LiteLLMConfig{})
	assert.Len(t, proxyJSON(t, l, "/models")["data"], 3)
	data := proxyJSON(t, l, "/model/info")["data"].([]any)
	require.Len(t, data, 3)
	chat := data[0].(map[string]any)
	assert.Equal(t, "chat", chat["model_name"])
	assert.Equal(t, "hosted_vllm/qwen3-32b", chat["litellm_params"].(map[string]any)["model"])
	info := chat["model_info"].(map[string]any)
	assert.Equal(t, 1e-6, info["input_cost_per_token"])
	assert.Equal(t, true, info["supports_function_calling"])
	assert.Nil(t, info["supports_vision"])
	assert.Nil(t, data[1].(map[string]any)["model_info"].(map[string]any)["max_input_tokens"], "not known")
	groups := proxyJSON(t, l, "/model_group/info")["data"].([]any)
	assert.Len(t, groups, 3)
	assert.Equal(t, []any{"hosted_vllm"}, groups[0].(map[string]any)["providers"])
}

func TestLiteLLMHealth(t *testing.T) {
	l := playedProxy(LiteLLMConfig{})
	assert.Empty(t, proxyJSON(t, l, "/health/latest")["latest_health_checks"], "nothing was checked yet")
	l.SetHealth(0, true)
	l.SetHealth(1, false)
	latest := proxyJSON(t, l, "/health/latest")["latest_health_checks"].(map[string]any)
	assert.Len(t, latest, 2)
	assert.Len(t, proxyJSON(t, l, "/health/history")["health_checks"], 2)
	assert.Zero(t, l.CostlyChecks(), "stored results cost nothing")
	all := proxyJSON(t, l, "/health")
	assert.Equal(t, 2.0, all["healthy_count"])
	assert.Equal(t, 1.0, all["unhealthy_count"])
	assert.Equal(t, 3, l.CostlyChecks())
	for _, path := range []string{"/health/latest", "/health/history", "/user/daily/activity?start_date=2026-01-01&end_date=2026-01-02"} {
		status, _ := proxyGet(t, playedProxy(LiteLLMConfig{NoDatabase: true}), path, "sk-master")
		assert.Equal(t, 500, status, path)
	}
}

func TestLiteLLMActivity(t *testing.T) {
	c := newClock()
	l := playedProxy(LiteLLMConfig{Now: c.now, ActivityDelay: time.Minute, Keys: []LiteLLMKey{{Key: "sk-few", Models: []string{"spare"}}}})
	const today = "/user/daily/activity?start_date=2026-03-01&end_date=2026-03-02"
	assert.Empty(t, proxyJSON(t, l, today)["results"], "not written yet")
	c.t = c.t.Add(time.Minute)
	answer := proxyJSON(t, l, today)
	results := answer["results"].([]any)
	require.Len(t, results, 1)
	day := results[0].(map[string]any)
	assert.Equal(t, "2026-03-01", day["date"])
	metrics := day["metrics"].(map[string]any)
	assert.Equal(t, 6.0, metrics["api_requests"])
	assert.Equal(t, 3.0, metrics["failed_requests"])
	assert.Equal(t, 3000.0, metrics["prompt_tokens"])
	assert.Equal(t, metrics["spend"], answer["metadata"].(map[string]any)["total_spend"])

	c.t = c.t.Add(24 * time.Hour)
	l.Finish(LiteLLMRequest{Model: "chat", Attempts: []LiteLLMAttempt{{}}, Input: 7})
	c.t = c.t.Add(time.Minute)
	answer = proxyJSON(t, l, today+"&page_size=1")
	assert.Equal(t, "2026-03-02", answer["results"].([]any)[0].(map[string]any)["date"], "the newest first")
	assert.Equal(t, true, answer["metadata"].(map[string]any)["has_more"])
	answer = proxyJSON(t, l, today+"&page_size=1&page=2")
	assert.Equal(t, "2026-03-01", answer["results"].([]any)[0].(map[string]any)["date"])
	assert.Equal(t, false, answer["metadata"].(map[string]any)["has_more"])
	_, body := proxyGet(t, l, today, "sk-few")
	assert.NotContains(t, body, `"chat"`)
	status, _ := proxyGet(t, l, "/user/daily/activity", "sk-master")
	assert.Equal(t, 400, status)
}

func TestLiteLLMLimits(t *testing.T) {
	l := NewLiteLLM(LiteLLMConfig{})
	l.SetKeyLimits("sk-a", "a", "chat", -1, -1)
	l.SetBudget(LiteLLMBudget{Entity: "team", ID: "t", Alias: "team", Remaining: math.Inf(1), Max: math.Inf(1)})
	page := string(l.Page())
	assert.Contains(t, page, "9.223372036854776e+18")
	assert.Regexp(t, `litellm_remaining_team_budget_metric\{.*\} \+Inf`, page)
	assert.NotContains(t, page, "litellm_team_budget_remaining_hours_metric{")
	assert.NotEmpty(t, slices.Collect(maps.Keys(labelSets(page))))
}
