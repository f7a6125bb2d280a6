//go:build integration

package integration

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startSynthetic runs the production configuration with the synthetic overlay, and returns the address of its control API.
func startSynthetic(t *testing.T, env ...string) (*collector, string) {
	t.Helper()
	control := freeAddresses(t, 1)[0]
	return startCollector(t, []string{"synthetic.yaml"}, append([]string{
		"SYNTHETIC_LISTEN=" + control, "SYNTHETIC_DIR=" + t.TempDir(), "SYNTHETIC_VLLM=", "SYNTHETIC_LITELLM=", "SYNTHETIC_LANGFUSE=",
		"LITELLM_INTERVAL=1s", "LANGFUSE_INTERVAL=1s",
	}, env...)...), "http://" + control
}

// request sends a request to the control API.
func request(t *testing.T, method, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	resp, err := httpClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Less(t, resp.StatusCode, 300, url)
}

// eventful are names that are there only when something happens, or was set up: the other tests do not have them.
var eventful = []string{
	"hw_gpu_xid_events_total counter", "vllm_server_loading_duration_seconds gauge",
	"langfuse_observation_latency_seconds gauge", "langfuse_time_to_first_token_seconds gauge", "langfuse_score_mean gauge", "langfuse_sessions_active gauge", "langfuse_users_active gauge",
	"litellm_cache_misses_total counter", "litellm_deployment_cooldowns_total counter", "litellm_deployment_request_limit_per_min gauge",
	"litellm_proxy_cache_connected gauge",
}

// TestSynthetic plays a whole site through the production configuration: each source is in Prometheus and Loki, joined,
// and what goes wrong shows.
func TestSynthetic(t *testing.T) {
	loki := startLoki(t)
	col, control := startSynthetic(t, "LOKI_OTLP_ENDPOINT="+loki.URL+"/otlp")
	prom := startPrometheus(t, col.Metrics)

	t.Run("sources", func(t *testing.T) {
		for expr, want := range map[string]float64{
			`count(vllm_up == 1)`:       10,
			`count(hw_gpu_info)`:        8,
			`sum(litellm_up)`:           1,
			`sum(langfuse_up)`:          1,
			`sum(docker_up)`:            1,
			`count(llm_model_info)`:     10,
			`count(llm_model_state==1)`: 10,
			`count(llm_model_info{gen_ai_request_model="coder",llm_model_served_name="qwen3-coder-30b",llm_model_origins="litellm,vllm"})`: 1,
			`sum(llm_model_gpu_ratio{gen_ai_request_model="gpt-oss-120b"})`:                                                                1,
			`sum(system_cpu_logical_count)`: 96,
		} {
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				assert.Equal(c, want, value(c, prom, expr), expr)
			}, 2*soon, tick)
		}
	})

	t.Run("joined", func(t *testing.T) {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			watts := prom.Query(c, `sum by (gen_ai_request_model) (llm_model_gpu_ratio * on (hw_id) group_left () max by (hw_id) (hw_power_watts))`)
			assert.Len(c, watts, 10)
			assert.Len(c, prom.Query(c, `sum by (llm_model_origin) (llm_model_tokens_total)`), 2, "counted by servers and by the proxy")
			row := prom.Query(c, `llm_model_info * on (gen_ai_request_model) group_left (llm_model_state) (llm_model_state == 1)`)
			assert.Len(c, row, 10)
		}, soon, tick)
	})

	t.Run("logs", func(t *testing.T) {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.NotEmpty(c, loki.Query(c, `{container_name="vllm-llama-70b"} |= "Avg prompt throughput"`, time.Hour))
		}, 2*soon, tick)
	})

	t.Run("what goes wrong shows", func(t *testing.T) {
		request(t, "POST", control+"/anomalies", `{"kind":"model_down","target":"vllm-qwen3-32b"}`)
		request(t, "POST", control+"/anomalies", `{"kind":"gpu_lost","target":"6"}`)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Equal(c, 0.0, value(c, prom, `vllm_up{service_instance_id="vllm-qwen3-32b"}`))
			assert.Equal(c, 1.0, value(c, prom, `llm_model_state{gen_ai_request_model="qwen3-32b",llm_model_state="error"}`))
			assert.Equal(c, 1.0, value(c, prom, `sum(hw_gpu_xid_events_total)`))
			assert.NotEmpty(c, loki.Query(c, `{container_name="vllm-gpt-oss-120b"} |= "CUDA error"`, time.Hour))
		}, 2*soon, tick)
		request(t, "DELETE", control+"/anomalies", "")
		request(t, "PUT", control+"/scenario", `{"scenario":"maintenance"}`)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Equal(c, 0.0, value(c, prom, `vllm_up{service_instance_id="vllm-qwen3-235b"}`))
		}, soon, tick)
	})

	t.Run("parity", func(t *testing.T) {
		// The names that other tests pin, with real sources and simulated servers of all versions, and no others.
		text, err := os.ReadFile(namesFile)
		require.NoError(t, err)
		pinned := append(strings.Split(strings.TrimSpace(string(text)), "\n"), eventful...)
		for _, name := range metricNames(t, col.Metrics) {
			if ours(name) {
				assert.Contains(t, pinned, name)
			}
		}
		names := strings.Join(metricNames(t, col.Metrics), "\n")
		for _, prefix := range []string{"system_", "container_", "docker_", "hw_", "nvml_", "vllm_", "gen_ai_", "llm_", "litellm_", "langfuse_"} {
			assert.Contains(t, names, "\n"+prefix, "nothing begins with "+prefix)
		}
	})
	assert.NotContains(t, string(col.tail()), "Instrument description conflict")
}
