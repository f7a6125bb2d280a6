//go:build integration

package integration

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const proxyKey = "sk-few-rights"

// playProxy serves a simulated proxy in front of a vLLM server, after some requests.
func playProxy(t *testing.T, server string) *httptest.Server {
	t.Helper()
	in, out := 1e-6, 2e-6
	proxy := simulator.NewLiteLLM(simulator.LiteLLMConfig{
		Deployments: []simulator.LiteLLMDeployment{{Name: "chat", Model: "hosted_vllm/sim-8b", APIBase: server + "/v1", Mode: "chat", MaxInput: 16384, InputPrice: &in, OutputPrice: &out}},
		Keys:        []simulator.LiteLLMKey{{Key: proxyKey}},
	})
	for range 10 {
		proxy.Finish(simulator.LiteLLMRequest{
			Model: "chat", Attempts: []simulator.LiteLLMAttempt{{}}, Total: 2 * time.Second, Upstream: 1900 * time.Millisecond, FirstToken: 100 * time.Millisecond, Input: 1000, Output: 100,
		})
	}
	proxy.Finish(simulator.LiteLLMRequest{Model: "chat", Status: 500, Class: "InternalServerError", Attempts: []simulator.LiteLLMAttempt{{Status: 500, Class: "InternalServerError"}}})
	proxy.SetHealth(0, true)
	proxy.SetBudget(simulator.LiteLLMBudget{Entity: "team", ID: "t", Alias: "team", Remaining: 12, Max: 100, Reset: time.Hour})
	front := httptest.NewServer(proxy.Handler())
	t.Cleanup(front.Close)
	return front
}

// playAnalytics serves a simulated Langfuse in which five answers were traced some hours ago.
func playAnalytics(t *testing.T) *httptest.Server {
	t.Helper()
	langfuse := simulator.NewLangfuse(simulator.LangfuseConfig{})
	cost := 0.5
	for i := range 5 {
		start := time.Now().Add(-time.Duration(i+2) * time.Hour)
		id := langfuse.AddTrace(simulator.LangfuseTrace{Time: start, Name: "t", UserID: "u", SessionID: "s"})
		langfuse.Add(simulator.LangfuseObservation{TraceID: id, Model: "chat", Start: start, End: start.Add(time.Second), InputTokens: 1000, OutputTokens: 100, TotalCost: &cost})
		langfuse.AddScore(simulator.LangfuseScore{Time: start, Name: "quality", Value: 0.5, TraceID: id})
	}
	server := httptest.NewServer(langfuse.Handler())
	t.Cleanup(server.Close)
	return server
}

// TestModels runs the production configuration against a proxy, a server behind it and analytics, and asks Prometheus for
// money, quality, and one entry for the model that all three know.
func TestModels(t *testing.T) {
	_, server := playServer(t, simulator.VLLMConfig{})
	proxy, analytics := playProxy(t, server.URL), playAnalytics(t)
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	require.NoError(t, os.WriteFile(file, []byte("models:\n  - name: chat\n    description: For everything.\n"), 0o600))
	env := []string{
		"VLLM_ENDPOINTS=" + server.URL, "LITELLM_INTERVAL=1s", "LANGFUSE_INTERVAL=1s", "LITELLM_ENDPOINT=" + proxy.URL, "LITELLM_API_KEY=" + proxyKey,
		"LANGFUSE_ENDPOINT=" + analytics.URL, "LANGFUSE_PUBLIC_KEY=pk-lf-sim", "LANGFUSE_SECRET_KEY=sk-lf-sim", "MODEL_CATALOG=" + file,
		"STATE_DIR=" + t.TempDir(),
	}
	col := startCollector(t, nil, env...)
	prom := startPrometheus(t, col.Metrics)
	expect := map[string]float64{
		`sum(litellm_requests_finished_total)`:                         11,
		`sum(litellm_requests_failed_total{error_type="500"})`:         1,
		`sum(litellm_tokens_input_total{gen_ai_request_model="chat"})`: 10000,
		`sum(litellm_spend_USD_total)`:                                 10 * (1000e-6 + 200e-6),
		`min(litellm_budget_remaining_USD)`:                            12,
		`sum(gen_ai_client_operation_duration_seconds_count)`:          10,
		`sum(langfuse_traces_total)`:                                   5,
		`sum(langfuse_tokens_total{gen_ai_token_type="input"})`:        5000,
		`sum(langfuse_cost_USD_total)`:                                 2.5,
		`count(llm_model_info)`:                                        1,
		`llm_model_price_USD{gen_ai_token_type="output"}`:              2e-6,
		`llm_model_context_length`:                                     16384,
		`llm_model_state{llm_model_state="available"}`:                 1,
		`count(llm_model_info{gen_ai_request_model="chat",llm_model_served_name="sim-8b",llm_model_origins="litellm,vllm",llm_model_description="For everything."})`: 1,
	}
	check := func() {
		for expr, want := range expect {
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				assert.InEpsilon(c, want, value(c, prom, expr), 1e-9, expr)
			}, 2*soon, tick)
		}
	}
	check()
	checkNames(t, metricNames(t, col.Metrics), ofModels)
	assert.NotContains(t, string(col.tail()), "Instrument description conflict")

	// Nothing is counted twice by a collector that is started again.
	col.Stop()
	col = startCollector(t, nil, env...)
	prom = startPrometheus(t, col.Metrics)
	check()
	text, err := os.ReadFile(col.LogFile)
	require.NoError(t, err)
	for _, secret := range []string{proxyKey, "sk-lf-sim"} {
		assert.NotContains(t, string(text), secret)
	}
}
