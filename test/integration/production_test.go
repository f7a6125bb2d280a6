//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const (
	soon = 30 * time.Second
	tick = 250 * time.Millisecond
)

// value is the one value of expr.
func value(t require.TestingT, prom *prometheusServer, expr string) float64 {
	v := prom.Query(t, expr)
	require.Len(t, v, 1, expr)
	return float64(v[0].Value)
}

// playServer serves a simulated vLLM server that has answered some requests.
func playServer(t *testing.T, cfg simulator.VLLMConfig) (*simulator.VLLM, *httptest.Server) {
	t.Helper()
	vllm := simulator.NewVLLM(cfg)
	vllm.Play(7, 10*time.Minute, 60)
	server := httptest.NewServer(vllm.Handler())
	t.Cleanup(server.Close)
	return vllm, server
}

// pageValue sums the samples of a name on a simulated page: what Prometheus must say in the end.
func pageValue(t *testing.T, vllm *simulator.VLLM, sample string) float64 {
	t.Helper()
	sum, found := 0.0, false
	for line := range strings.SplitSeq(string(vllm.Page()), "\n") {
		rest, ok := strings.CutPrefix(line, sample)
		if !ok || !strings.HasPrefix(rest, "{") {
			continue
		}
		var v float64
		_, err := fmt.Sscan(rest[strings.LastIndexByte(rest, ' ')+1:], &v)
		require.NoError(t, err, line)
		sum, found = sum+v, true
	}
	require.True(t, found, "%s is not on the page", sample)
	return sum
}

// TestMetrics runs the production configuration against the host, and against vLLM servers of the oldest and the newest
// version, well and not, and asks Prometheus.
func TestMetrics(t *testing.T) {
	oldest, oldServer := playServer(t, simulator.VLLMConfig{Version: simulator.VLLM0_5_4})
	newest, newServer := playServer(t, simulator.VLLMConfig{Engines: 2, SpeculativeTokens: 3})
	bad := httptest.NewServer(simulator.WithFault(simulator.FaultHTML, http.NotFoundHandler()))
	t.Cleanup(bad.Close)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()

	col := startCollector(t, nil, fmt.Sprintf("VLLM_ENDPOINTS=[{endpoint: %s, name: oldest}, {endpoint: %s, name: newest}, {endpoint: %s, name: bad}, {endpoint: %s, name: dead}]",
		oldServer.URL, newServer.URL, bad.URL, dead.URL))
	prom := startPrometheus(t, col.Metrics)

	t.Run("servers", func(t *testing.T) {
		for instance, want := range map[string]struct {
			up    float64
			state string
		}{
			"oldest": {1, "ready"},
			"newest": {1, "ready"},
			"bad":    {0, "unknown"},
			"dead":   {0, "unreachable"},
		} {
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				assert.Equal(c, want.up, value(c, prom, fmt.Sprintf(`vllm_up{service_instance_id=%q}`, instance)))
				assert.Equal(c, 1.0, value(c, prom, fmt.Sprintf(`vllm_server_state{service_instance_id=%q,vllm_server_state=%q}`, instance, want.state)))
			}, soon, tick, instance)
		}
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Equal(c, 1.0, value(c, prom, `vllm_scrape_error{service_instance_id="bad",error_type="not_metrics"}`))
			assert.Equal(c, 1.0, value(c, prom, `vllm_scrape_error{service_instance_id="dead",error_type="connection_refused"}`))
		}, soon, tick)
	})

	t.Run("one set of names", func(t *testing.T) {
		for instance, vllm := range map[string]*simulator.VLLM{"oldest": oldest, "newest": newest} {
			for query, sample := range map[string]string{
				`vllm_tokens_input_total`:                         "vllm:prompt_tokens_total",
				`vllm_tokens_output_total`:                        "vllm:generation_tokens_total",
				`vllm_requests_finished_total`:                    "vllm:request_success_total",
				`gen_ai_server_request_duration_seconds_count`:    "vllm:e2e_request_latency_seconds_count",
				`gen_ai_server_request_duration_seconds_sum`:      "vllm:e2e_request_latency_seconds_sum",
				`gen_ai_server_time_to_first_token_seconds_sum`:   "vllm:time_to_first_token_seconds_sum",
				`vllm_request_output_tokens_bucket`:               "vllm:request_generation_tokens_bucket",
				`gen_ai_server_time_to_first_token_seconds_count`: "vllm:time_to_first_token_seconds_count",
			} {
				want := pageValue(t, vllm, sample)
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					got := value(c, prom, fmt.Sprintf(`sum(%s{service_instance_id=%q})`, query, instance))
					assert.InEpsilon(c, want, got, 1e-12, "%s of %s", query, instance)
				}, soon, tick)
			}
		}
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			quantiles := prom.Query(c, `histogram_quantile(0.9, sum by (le, gen_ai_request_model, service_instance_id) (gen_ai_server_time_to_first_token_seconds_bucket{service_instance_id=~"oldest|newest"}))`)
			assert.Len(c, quantiles, 2)
		}, soon, tick)
	})

	t.Run("host", func(t *testing.T) {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			for _, expr := range []string{
				`sum(system_cpu_time_seconds_total) > 0`,
				`sum(system_memory_usage_bytes) > 0`,
				`sum(system_network_io_bytes_total)`,
				`sum(system_filesystem_usage_bytes) > 0`,
				`system_uptime_seconds > 0`,
				`sum(system_processes_count) > 0`,
				`system_cpu_load_average_1m`,
			} {
				assert.Len(c, prom.Query(c, expr), 1, expr)
			}
		}, soon, tick)
		host, err := os.Hostname()
		require.NoError(t, err)
		assert.Len(t, prom.Query(t, fmt.Sprintf(`count(vllm_up{host_name=%q})`, host)), 1)
		assert.Empty(t, prom.Query(t, `{otel_scope_version!=""}`), "a label that changes with each release of the collector")
		assert.Empty(t, prom.Query(t, `{container_id!=""}`), "names, not ids")
	})

	t.Run("restart", func(t *testing.T) {
		before := value(t, prom, `sum(vllm_tokens_output_total{service_instance_id="newest"})`)
		newest.Restart()
		newest.Play(8, time.Minute, 60)
		after := pageValue(t, newest, "vllm:generation_tokens_total")
		require.Less(t, after, before)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.InEpsilon(c, after, value(c, prom, `sum(vllm_tokens_output_total{service_instance_id="newest"})`), 1e-12)
		}, soon, tick)
		// A spike would count tokens that nobody generated.
		increase := value(t, prom, `sum(increase(vllm_tokens_output_total{service_instance_id="newest"}[1m]))`)
		assert.LessOrEqual(t, increase, 2*after)
	})

	t.Run("death", func(t *testing.T) {
		oldServer.CloseClientConnections()
		oldServer.Close()
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Equal(c, 0.0, value(c, prom, `vllm_up{service_instance_id="oldest"}`))
			assert.Empty(c, prom.Query(c, `vllm_requests_running{service_instance_id="oldest"}`), "a dead server must not look busy")
			assert.Len(c, prom.Query(c, `vllm_model_info{service_instance_id="oldest"}`), 1, "an alert must be able to name the model that died")
		}, soon, tick)
	})
}

// TestContainers runs a real container and looks for its metrics in Prometheus and for its lines in Loki.
func TestContainers(t *testing.T) {
	engine := docker(t)
	programImage(t, engine, "chatty", "otelcol-llm-chatty:v1")
	name := fmt.Sprintf("otelcol-llm-chatty-%d", os.Getpid())

	loki := startLoki(t)
	col := startCollector(t, nil, "LOKI_OTLP_ENDPOINT="+loki.URL+"/otlp")
	prom := startPrometheus(t, col.Metrics)
	runContainer(t, engine, name, &container.Config{Image: "otelcol-llm-chatty:v1"}, nil)

	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, metric := range []string{"container_memory_usage_total_bytes", "container_cpu_usage_nanoseconds_total", "container_uptime_seconds"} {
			assert.Len(c, prom.Query(c, fmt.Sprintf(`%s{container_name=%q,container_image_name="otelcol-llm-chatty:v1"}`, metric, name)), 1, metric)
		}
	}, soon, tick)
	checkNames(t, metricNames(t, col.Metrics), func(name string) bool {
		return strings.HasPrefix(name, "container_") && !strings.Contains(name, "cache") // cgroup v1 only
	})
	containerLines(t, loki, name)
}

// containerLines waits for twenty lines of the container in Loki and checks that none is missing, twice there, or wrong
// in level, stream or time.
func containerLines(t *testing.T, loki *lokiServer, name string) {
	t.Helper()
	step := regexp.MustCompile(`step (\d+)$`)
	var entries []Entry
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		entries = loki.Query(c, fmt.Sprintf(`{container_name=%q} | log_iostream="stdout"`, name), time.Minute)
		assert.Greater(c, len(entries), 20)
	}, soon, tick)
	seen := make(map[int]bool)
	for _, e := range entries {
		m := step.FindStringSubmatch(e.Line)
		require.NotNil(t, m, "%q", e.Line)
		var n int
		_, err := fmt.Sscan(m[1], &n)
		require.NoError(t, err)
		assert.False(t, seen[n], "line %d is there twice", n)
		seen[n] = true
		assert.Equal(t, "INFO", e.StructuredMetadata["severity_text"])
	}
	for n := range len(seen) {
		assert.True(t, seen[n], "line %d is missing", n)
	}
	failures := loki.Query(t, fmt.Sprintf(`{container_name=%q} | log_iostream="stderr"`, name), time.Minute)
	require.NotEmpty(t, failures)
	for _, e := range failures {
		assert.Equal(t, "17", e.StructuredMetadata["severity_number"], "an error in JSON")
		assert.WithinDuration(t, time.Now(), e.Time, time.Minute)
		var line struct{ Msg string }
		require.NoError(t, json.Unmarshal([]byte(e.Line), &line))
	}
}

// TestNoDocker: a host without Docker is watched all the same.
func TestNoDocker(t *testing.T) {
	col := startCollector(t, nil, "DOCKER_ENDPOINT=unix:///nowhere/docker.sock")
	prom := startPrometheus(t, col.Metrics)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Len(c, prom.Query(c, `system_uptime_seconds`), 1)
	}, soon, tick)
	assert.Contains(t, string(col.tail()), "Docker does not answer")
}

// TestLokiPush sends logs through the push API, as Loki before 3.0 needs.
func TestLokiPush(t *testing.T) {
	loki := startLoki(t)
	col := startCollector(t, []string{"loki-push.yaml"}, "LOKI_PUSH_ENDPOINT="+loki.URL+"/loki/api/v1/push")
	pushLogs(t, col.OTLP, 0, 1)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		entries := loki.Query(c, `{job="harness"}`, time.Minute)
		require.Len(c, entries, 1)
		assert.Equal(c, "harness", entries[0].Labels["service_name"])
		assert.Contains(c, entries[0].Line, "line 0")
	}, soon, tick)
}

// TestLokiDown: what was accepted while Loki was away is there in the end, over a restart of the collector.
func TestLokiDown(t *testing.T) {
	const lines = 200
	state := "STATE_DIR=" + t.TempDir()
	col := startCollector(t, nil, state)
	for i := range lines {
		pushLogs(t, col.OTLP, i, 1)
	}
	col.Stop()

	loki := startLoki(t)
	startCollector(t, nil, state, "LOKI_OTLP_ENDPOINT="+loki.URL+"/otlp")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		entries := loki.Query(c, `{service_name="harness"}`, 5*time.Minute)
		seen := make(map[string]int)
		for _, e := range entries {
			seen[e.Line]++
		}
		assert.Len(c, seen, lines)
	}, soon, tick)
}

// pushLogs hands log records to an OTLP endpoint: n of them, numbered from first.
func pushLogs(t *testing.T, base string, first, n int) {
	t.Helper()
	records := make([]string, 0, n)
	for i := range n {
		records = append(records, fmt.Sprintf(`{"timeUnixNano":"%d","severityNumber":9,"body":{"stringValue":"line %d"}}`, time.Now().UnixNano(), first+i))
	}
	resp, err := httpClient.Post(base+"/v1/logs", "application/json", strings.NewReader(fmt.Sprintf(
		`{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"harness"}}]},"scopeLogs":[{"logRecords":[%s]}]}]}`,
		strings.Join(records, ","))))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}
