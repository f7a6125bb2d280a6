package litellmreceiver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// declaration is a metric in metadata.yaml.
type declaration struct {
	Enabled     bool     `mapstructure:"enabled"`
	Description string   `mapstructure:"description"`
	Unit        string   `mapstructure:"unit"`
	Attributes  []string `mapstructure:"attributes"`
}

func declared(t *testing.T) map[string]declaration {
	t.Helper()
	file, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	sub, err := file.Sub("metrics")
	require.NoError(t, err)
	metrics := map[string]declaration{}
	require.NoError(t, sub.Unmarshal(&metrics, confmap.WithIgnoreUnused()))
	return metrics
}

func TestTables(t *testing.T) {
	metrics := declared(t)
	seen := map[string]string{}
	for i := range numbers {
		n := &numbers[i]
		assert.Contains(t, metrics, n.metric)
		for _, source := range n.sources {
			assert.NotContains(t, seen, source, "read twice")
			seen[source] = n.metric
			assert.False(t, leftOut(source), source)
		}
		for _, l := range n.labels {
			assert.Contains(t, metrics[n.metric].Attributes, writers[l.as].name, n.metric)
		}
	}
	for i := range serviceNumbers {
		assert.Contains(t, metrics, serviceNumbers[i].number.metric)
	}
	names := map[string]bool{}
	for _, h := range append(histograms, serviceHistogram) {
		assert.False(t, names[h.metric], "%s stands there twice", h.metric)
		names[h.metric] = true
		assert.NotContains(t, metrics, h.metric)
		assert.NotEmpty(t, h.unit, h.metric)
		assert.Regexp(t, `^[A-Z].*\.$`, h.description, h.metric)
	}
	assert.Len(t, histogramNames(), len(names))
	for _, w := range writers {
		assert.NotEmpty(t, w.name)
		assert.NotEqual(t, w.text == nil, w.int == nil, w.name)
	}
	for name, m := range metrics {
		assert.Regexp(t, `^[A-Z].*\.$`, m.Description, name)
		assert.NotEqual(t, "1", m.Unit, "%s would be called a ratio", name)
	}
}

// later is what no dialect of the simulator has.
const later = `# TYPE litellm_requests_shed_total counter
litellm_requests_shed_total{status="429"} 3
# TYPE litellm_global_max_parallel_requests_limit gauge
litellm_global_max_parallel_requests_limit{pid="1"} 100
litellm_global_max_parallel_requests_limit{pid="2"} 100
# TYPE litellm_input_cached_tokens_metric_total counter
litellm_input_cached_tokens_metric_total{model="a"} 5
# TYPE litellm_input_cache_creation_tokens_metric_total counter
litellm_input_cache_creation_tokens_metric_total{model="a"} 6
# TYPE litellm_output_reasoning_tokens_metric_total counter
litellm_output_reasoning_tokens_metric_total{model="a"} 7
# TYPE litellm_input_audio_tokens_metric_total counter
litellm_input_audio_tokens_metric_total{model="a"} 8
# TYPE litellm_output_audio_tokens_metric_total counter
litellm_output_audio_tokens_metric_total{model="a"} 9
# TYPE litellm_images_generated_metric_total counter
litellm_images_generated_metric_total{model="a"} 2
# TYPE litellm_video_duration_seconds_metric_total counter
litellm_video_duration_seconds_metric_total{model="a"} 7.5
# TYPE litellm_callback_logging_failures_metric_total counter
litellm_callback_logging_failures_metric_total{callback_name="langfuse"} 2
# TYPE litellm_guardrail_errors_total counter
litellm_guardrail_errors_total{guardrail_name="pii",error_type="Timeout",hook_type="pre_call"} 1
# TYPE litellm_mcp_tool_calls_total counter
litellm_mcp_tool_calls_total{mcp_tool_name="search",mcp_server_name="web",user="x"} 4
# TYPE litellm_mcp_tool_call_spend_metric_total counter
litellm_mcp_tool_call_spend_metric_total{mcp_tool_name="search",mcp_server_name="web"} 0.25
# TYPE litellm_db_pool_connections_max gauge
litellm_db_pool_connections_max 10
# TYPE litellm_db_pool_connections_busy gauge
litellm_db_pool_connections_busy 3
# TYPE litellm_db_pool_connections_idle gauge
litellm_db_pool_connections_idle 7
# TYPE litellm_db_pool_pending_acquirers gauge
litellm_db_pool_pending_acquirers 1
# TYPE litellm_db_pool_acquire_wait_seconds_total counter
litellm_db_pool_acquire_wait_seconds_total 0.5
# TYPE litellm_db_pool_acquire_total counter
litellm_db_pool_acquire_total 12
# TYPE litellm_db_query_duration_seconds_total counter
litellm_db_query_duration_seconds_total 1.25
# TYPE litellm_db_query_total counter
litellm_db_query_total 11
# TYPE litellm_db_pool_timeouts_total counter
litellm_db_pool_timeouts_total 1
`

func TestLater(t *testing.T) {
	got := readPage(t, later)
	for series, want := range map[string]float64{
		"litellm.requests.shed{http.response.status_code=429}":                                                    3,
		"litellm.requests.in_flight_limit":                                                                        200,
		"litellm.tokens.cache_read{gen_ai.response.model=a}":                                                      5,
		"litellm.tokens.cache_creation{gen_ai.response.model=a}":                                                  6,
		"litellm.tokens.reasoning{gen_ai.response.model=a}":                                                       7,
		"litellm.tokens.audio{gen_ai.response.model=a,gen_ai.token.type=input}":                                   8,
		"litellm.tokens.audio{gen_ai.response.model=a,gen_ai.token.type=output}":                                  9,
		"litellm.images.generated{gen_ai.response.model=a}":                                                       2,
		"litellm.video.generated{gen_ai.response.model=a}":                                                        7.5,
		"litellm.callback.failures{litellm.callback=langfuse}":                                                    2,
		"litellm.guardrail.errors{error.type=Timeout,litellm.guardrail.hook=pre_call,litellm.guardrail.name=pii}": 1,
		"litellm.mcp.tool.calls{litellm.mcp.server=web,litellm.mcp.tool=search}":                                  4,
		"litellm.mcp.tool.spend{litellm.mcp.server=web,litellm.mcp.tool=search}":                                  0.25,
		"litellm.database.connections{litellm.database.connection.state=busy}":                                    3,
		"litellm.database.connections{litellm.database.connection.state=idle}":                                    7,
		"litellm.database.connections.limit":                                                                      10,
		"litellm.database.queries.waiting":                                                                        1,
		"litellm.database.acquisitions.wait":                                                                      0.5,
		"litellm.database.acquisitions":                                                                           12,
		"litellm.database.queries.time":                                                                           1.25,
		"litellm.database.queries":                                                                                11,
		"litellm.database.timeouts":                                                                               1,
	} {
		assert.InDelta(t, want, got.value(t, series), 0, series)
	}
	assert.Zero(t, got.value(t, "litellm.scrape.unknown_series"))
}

// TestEveryMetricHasASource: some proxy makes each declared metric appear.
func TestEveryMetricHasASource(t *testing.T) {
	missing := declared(t)
	for _, name := range histogramNames() {
		missing[name] = declaration{}
	}
	see := func(got readings) {
		for _, r := range got {
			delete(missing, r.metric)
		}
	}
	for _, version := range simulator.LiteLLMVersions() {
		c := newClock()
		_, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: version, PrometheusSystem: true, Redis: true})
		see(newProbe(t, c, url, withKey, everything, allLabels).read(t))
		see(newProbe(t, c, url, withKey, func(cfg *Config) { cfg.MaxModels = 1 }).read(t))
	}
	see(readPage(t, later))
	see(newProbe(t, newClock(), "http://127.0.0.1:1").read(t))
	assert.Empty(t, missing)
}

// TestRenamed: where a page has an old and a new name, the new one is taken.
func TestRenamed(t *testing.T) {
	got := readPage(t, `# TYPE litellm_input_tokens_total counter
litellm_input_tokens_total{model="a"} 1
# TYPE litellm_input_tokens_metric_total counter
litellm_input_tokens_metric_total{model="a"} 2
# TYPE litellm_remaining_requests gauge
litellm_remaining_requests{model_group="a"} 3
`)
	assert.InDelta(t, 2, got.value(t, "litellm.tokens.input{gen_ai.response.model=a}"), 0)
	assert.InDelta(t, 3, got.value(t, "litellm.rate_limit.remaining_requests{gen_ai.request.model=a}"), 0)
}

// TestWithoutTypes: a page may have no TYPE lines.
func TestWithoutTypes(t *testing.T) {
	got := readPage(t, "litellm_spend_metric_total{model=\"a\",user=\"x\"} 1\nlitellm_spend_metric_total{model=\"a\",user=\"y\"} 2\n")
	assert.InDelta(t, 3, got.value(t, "litellm.spend{gen_ai.response.model=a}"), 0)
}

func TestInvalidValues(t *testing.T) {
	for _, value := range []string{"NaN", "-Inf", "-1", "1e300", "9223372036854775807"} {
		t.Run(value, func(t *testing.T) {
			got := readPage(t, fmt.Sprintf("# TYPE litellm_total_users gauge\nlitellm_total_users %s\n# TYPE litellm_teams_count gauge\nlitellm_teams_count 2\n", value))
			assert.Empty(t, got.of("litellm.users"))
			assert.InDelta(t, 2, got.value(t, "litellm.teams"), 0)
			assert.InDelta(t, 1, got.value(t, "litellm.scrape.invalid_series"), 0)
			assert.Equal(t, []string{"/metrics invalid_value"}, got.problems())
			assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
		})
	}
	for _, page := range []string{
		"# TYPE litellm_spend_metric_total counter\nlitellm_spend_metric_total{model=\"a\"} +Inf\n",
		"# TYPE litellm_deployment_state gauge\nlitellm_deployment_state{model_id=\"a\"} 3\n",
		"# TYPE litellm_deployment_state gauge\nlitellm_deployment_state{model_id=\"a\"} 1e300\n",
		"# TYPE litellm_remaining_team_budget_metric gauge\nlitellm_remaining_team_budget_metric -Inf\n",
		"# TYPE litellm_total_users histogram\nlitellm_total_users_count 1\nlitellm_total_users_sum 1\n",
		"litellm_request_total_latency_metric 5\n",
		"# TYPE litellm_request_total_latency_metric histogram\nlitellm_request_total_latency_metric_bucket{le=\"1\"} 5\nlitellm_request_total_latency_metric_bucket{le=\"2\"} 4\nlitellm_request_total_latency_metric_count 5\n",
		"# TYPE litellm_request_total_latency_metric summary\nlitellm_request_total_latency_metric{quantile=\"0.5\"} 1\nlitellm_request_total_latency_metric_count 1\nlitellm_request_total_latency_metric_sum 1\n",
		// Two keys with different bounds, as after a change of them with a shared folder.
		"# TYPE litellm_request_total_latency_metric histogram\nlitellm_request_total_latency_metric_bucket{le=\"1\",user=\"a\"} 1\nlitellm_request_total_latency_metric_bucket{le=\"+Inf\",user=\"a\"} 1\nlitellm_request_total_latency_metric_count{user=\"a\"} 1\nlitellm_request_total_latency_metric_sum{user=\"a\"} 1\n" +
			"litellm_request_total_latency_metric_bucket{le=\"2\",user=\"b\"} 1\nlitellm_request_total_latency_metric_bucket{le=\"+Inf\",user=\"b\"} 1\nlitellm_request_total_latency_metric_count{user=\"b\"} 1\nlitellm_request_total_latency_metric_sum{user=\"b\"} 1\n",
	} {
		assert.InDelta(t, 1, readPage(t, page).value(t, "litellm.scrape.invalid_series"), 0, page)
	}
}

// TestOneSeries: labels that become the same attributes make their series one.
func TestOneSeries(t *testing.T) {
	got := readPage(t, "# TYPE litellm_deployment_state gauge\nlitellm_deployment_state{model_id=\"1\",api_provider=\"azure\",litellm_model_name=\"azure/gpt-4o\"} 2\nlitellm_deployment_state{model_id=\"1\",api_provider=\"azure\",litellm_model_name=\"gpt-4o\"} 0\n")
	assert.Len(t, got.of("litellm.deployment.state"), 3)
	assert.InDelta(t, 1, got.value(t, "litellm.deployment.state{gen_ai.provider.name=azure.ai.openai,gen_ai.response.model=gpt-4o,litellm.deployment.id=1,litellm.deployment.state=outage,litellm.provider=azure}"), 0)

	d := distribution{Histogram: &promtext.Histogram{Bounds: []float64{1, 2}, Counts: []float64{1, 3}, Count: 4, Sum: 9}}
	first := d.Histogram
	assert.True(t, d.add(&promtext.Histogram{Bounds: []float64{1, 2}, Counts: []float64{10, 10}, Count: 10, Sum: 5}))
	assert.Equal(t, []float64{11, 13}, d.Counts)
	assert.InDelta(t, 14, d.Count, 0)
	assert.InDelta(t, 14, d.Sum, 0)
	assert.Equal(t, []float64{1, 3}, first.Counts, "the page is left as it was")
	assert.False(t, d.add(&promtext.Histogram{Bounds: []float64{1}, Counts: []float64{1}}))
	assert.False(t, d.add(&promtext.Histogram{Bounds: []float64{1, 3}, Counts: []float64{1, 1}}))
	for _, tt := range []struct {
		n    number
		want float64
	}{{number{}, 5}, {number{gauge: true, combine: promtext.CombineSum}, 5}, {number{gauge: true, combine: promtext.CombineMin}, 2}, {number{gauge: true, combine: promtext.CombineMax}, 3}} {
		assert.InDelta(t, tt.want, tt.n.join(2, 3), 0)
	}
}

// httpHandler serves a page that changes.
func httpHandler(page func() []byte) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page()) })
	return mux
}

// FuzzScrape: no page makes the scraper fail or emit what cannot be.
func FuzzScrape(f *testing.F) {
	for _, version := range simulator.LiteLLMVersions() {
		l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Version: version, LatencyBounds: []float64{1, 2}})
		l.Finish(simulator.LiteLLMRequest{Model: "sim-8b", Attempts: []simulator.LiteLLMAttempt{{}}, Total: time.Second, Input: 3, Output: 2})
		f.Add(l.Page())
	}
	for _, seed := range []string{
		"", "\n", later, "litellm_\n", "litellm_ 1\n", "litellm__total 1\n", "process_start_time_seconds 1e308\n", "process_start_time_seconds{a=\"1\"} NaN\n",
		"# TYPE process_start_time_seconds histogram\nprocess_start_time_seconds_count 1\n", "litellm__queue_size 1\nlitellm_x_queue_size 1\nlitellm_x_lock_manager_size 1\n",
		"# TYPE litellm_x_latency histogram\nlitellm_x_latency_bucket{le=\"1\"} 1\nlitellm_x_latency_count 1\n", "# TYPE litellm_deployment_state gauge\nlitellm_deployment_state -0.5\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		c := newClock()
		p := newProbe(t, c, "http://127.0.0.1:1", everything, allLabels)
		p.proxy = &pageProxy{p.proxy, page}
		p.api.proxy = p.proxy
		for range 2 {
			for _, r := range p.read(t) {
				if !r.isHistogram() {
					require.False(t, math.IsNaN(r.value) || math.IsInf(r.value, 0), "%s: %v", r.metric, r.value)
				}
			}
		}
	})
}

// pageProxy has a page of its own.
type pageProxy struct {
	proxy
	page []byte
}

func (*pageProxy) alive(context.Context) error { return io.ErrUnexpectedEOF }

func (p *pageProxy) metrics(_ context.Context, opts promtext.Options) (*promtext.Page, error) {
	return promtext.Parse(bytes.NewReader(p.page), opts)
}
