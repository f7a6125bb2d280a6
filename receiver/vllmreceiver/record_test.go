package vllmreceiver

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// declaration is a metric in metadata.yaml.
type declaration struct {
	Enabled     bool   `mapstructure:"enabled"`
	Description string `mapstructure:"description"`
	Unit        string `mapstructure:"unit"`
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
	for _, n := range append(append([]number{}, numbers...), httpNumbers...) {
		assert.Contains(t, metrics, n.metric)
		for _, source := range n.sources {
			assert.NotContains(t, seen, source, "read twice")
			seen[source] = n.metric
		}
	}
	for _, name := range superseded {
		assert.NotContains(t, seen, name)
	}
}

// TestEveryMetricHasASource: some server makes each declared metric appear.
func TestEveryMetricHasASource(t *testing.T) {
	missing := declared(t)
	see := func(got readings) {
		for _, r := range got {
			delete(missing, r.metric)
		}
	}
	for _, version := range simulator.VLLMVersions() {
		c := newClock()
		_, url := newSimulated(t, c, simulator.VLLMConfig{
			Version: version, SpeculativeTokens: 2, MFU: true, FaultTolerance: true,
			Models: []simulator.VLLMModel{{ID: "a", Adapters: []simulator.LoRAAdapter{{Name: "b"}}}},
		})
		see(newProbe(t, c, url, everything).read(t))
	}
	faulty := simulator.WithFault(simulator.FaultNotFound, simulator.NewVLLM(simulator.VLLMConfig{}).Handler())
	see(newProbe(t, newClock(), serve(t, faulty)).read(t))
	starting := newProbe(t, newClock(), "http://127.0.0.1:1")
	starting.inContainer(t, chatContainer(starting.clock))
	see(starting.read(t))
	see(readPage(t, "vllm:corrupted_requests_total 1\nvllm:admission_rejections_total 2\n"))
	assert.Empty(t, missing)
}

// TestRenamed: where a page has an old and a new name, the new one is taken.
func TestRenamed(t *testing.T) {
	got := readPage(t, "vllm:gpu_cache_usage_perc 0.1\nvllm:kv_cache_usage_perc 0.2\nvllm:gpu_prefix_cache_hits_total 3\n")
	assert.InDelta(t, 0.2, got.of("vllm.kv_cache.utilization")[0].value, 0)
	assert.InDelta(t, 3, got.of("vllm.prefix_cache.hits")[0].value, 0)
}

func TestAbsentIsNotZero(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Version: simulator.VLLM0_7_3, Now: c.now})
	p := newProbe(t, c, serve(t, v.Handler()))
	got := p.read(t) // a V0 server has no series before its first request
	for _, metric := range []string{"vllm.requests.running", "vllm.tokens.output", "gen_ai.server.time_to_first_token"} {
		assert.Empty(t, got.of(metric), metric)
	}
	v.SetLoad(0, simulator.VLLMLoad{Running: 1})
	got = p.read(t)
	assert.Empty(t, got.of("vllm.prefix_cache.hit_ratio"), "-1 means not known yet")
	assert.Zero(t, got.value(t, "vllm.scrape.invalid_series"))
	v.Finish(simulator.VLLMRequest{PromptTokens: 100, CachedTokens: 50, OutputTokens: 10})
	assert.NotEmpty(t, p.read(t).of("vllm.prefix_cache.hit_ratio"))
}

func TestInvalidValues(t *testing.T) {
	for _, value := range []string{"NaN", "+Inf", "-Inf", "-1", "-0.5", "1e300", "9223372036854775807"} {
		t.Run(value, func(t *testing.T) {
			got := readPage(t, fmt.Sprintf("vllm:num_requests_running{model_name=\"a\"} %s\nvllm:num_requests_running{model_name=\"b\"} 2\n", value))
			require.Len(t, got.of("vllm.requests.running"), 1)
			assert.InDelta(t, 2, got.of("vllm.requests.running")[0].value, 0)
			assert.InDelta(t, 1, got.value(t, "vllm.scrape.invalid_series"), 0)
			assert.Equal(t, "invalid_value", got.problem(t))
			assert.InDelta(t, 1, got.value(t, "vllm.up"), 0)
		})
	}
	for _, page := range []string{
		"vllm:request_success_total{finished_reason=\"stop\"} 1e300\n",
		"http_requests_total{method=\"GET\"} 1e300\n",
		"vllm:spec_decode_num_accepted_tokens_per_pos_total{position=\"x\"} 1\n",
		"vllm:spec_decode_num_accepted_tokens_per_pos_total{position=\"1\"} 1e300\n",
		"# TYPE vllm:num_requests_running histogram\nvllm:num_requests_running_count 1\nvllm:num_requests_running_sum 1\n",
		"vllm:e2e_request_latency_seconds 5\n",
	} {
		assert.InDelta(t, 1, readPage(t, page).value(t, "vllm.scrape.invalid_series"), 0, page)
	}
	large := readPage(t, "vllm:estimated_flops_per_gpu_total 1e22\n")
	assert.InDelta(t, 1e22, large.of("vllm.gpu.estimated_flops")[0].value, 0, "a number that fits no integer")
}

func TestUnknownSeries(t *testing.T) {
	c := newClock()
	page := "vllm:brand_new{a=\"1\"} 1\nvllm:brand_new{a=\"2\"} 1\n# TYPE vllm:newer_total counter\nvllm:newer_total 1\n" +
		"# TYPE vllm:announced gauge\nlmcache:hits 1\nvllm:num_requests_running 1\n"
	p := newProbe(t, c, serve(t, replay([]byte(page))))
	got := p.read(t)
	assert.InDelta(t, 3, got.value(t, "vllm.scrape.unknown_series"), 0)
	assert.Empty(t, got.problem(t), "a newer server is no failure")
	p.read(t)
	lines := p.logs.FilterMessageSnippet("does not know").All()
	require.Len(t, lines, 1)
	assert.Equal(t, "vllm:brand_new", lines[0].ContextMap()["metric"])
}

func TestEngines(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Engines: 2, Now: c.now})
	v.SetLoad(0, simulator.VLLMLoad{Running: 3})
	v.SetLoad(1, simulator.VLLMLoad{Running: 4})
	v.Finish(simulator.VLLMRequest{Engine: 1, PromptTokens: 8, OutputTokens: 2, Prefill: time.Second})
	got := newProbe(t, c, serve(t, v.Handler())).read(t)
	assert.InDelta(t, 3, got.value(t, "vllm.requests.running{gen_ai.request.model=sim-8b,vllm.engine=0}"), 0)
	assert.InDelta(t, 4, got.value(t, "vllm.requests.running{gen_ai.request.model=sim-8b,vllm.engine=1}"), 0)
	h := got["gen_ai.server.request.duration{gen_ai.provider.name=vllm,gen_ai.request.model=sim-8b,vllm.engine=1}"]
	require.True(t, h.isHistogram())
	assert.EqualValues(t, 1, h.histogram.Count())
}

// FuzzScrape: no page makes the scraper fail or emit what cannot be.
func FuzzScrape(f *testing.F) {
	for _, version := range simulator.VLLMVersions() {
		v := simulator.NewVLLM(simulator.VLLMConfig{Version: version, SpeculativeTokens: 2})
		v.Play(1, time.Hour, 1)
		f.Add(v.Page())
	}
	for _, seed := range []string{
		"", "\n", "vllm:\n", "vllm: 1\n", "vllm:_total 1\n", "vllm_ 1\n", "ray_vllm 1\n", "http_requests_total NaN\n",
		"process_start_time_seconds 1e308\n", "# TYPE process_start_time_seconds histogram\nprocess_start_time_seconds_count 1\n",
		"# TYPE vllm:e2e_request_latency_seconds summary\nvllm:e2e_request_latency_seconds{quantile=\"0.5\"} 1\n",
		"# TYPE vllm:lora_requests_info histogram\nvllm:lora_requests_info_sum 1\n",
		"vllm:cache_config_info{num_gpu_blocks=\"9223372036854775807\",block_size=\"9223372036854775807\"} 1\n",
		"vllm:num_requests_running{engine=\"0\"} 1\nvllm:num_requests_running{engine=\"\"} 1\n",
		"vllm:num_requests_running{a=\"0\"} 1\nvllm:num_requests_running{a=\"1\"} 1\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		c := newClock()
		p := newProbe(t, c, "http://fuzz")
		p.server = &pageServer{page: page, limits: p.server.(*httpServer).limits}
		for range 2 {
			md, err := p.scrape(t.Context())
			require.NoError(t, err)
			c.advance(time.Minute)
			for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
				for _, v := range valuesOf(m) {
					require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "%s: %v", m.Name(), v)
					require.GreaterOrEqual(t, v, 0.0, m.Name())
				}
			}
		}
	})
}

var _ server = (*pageServer)(nil)

// pageServer has a page and nothing else.
type pageServer struct {
	page   []byte
	limits promtext.Options
}

func (s *pageServer) metrics(context.Context) (*promtext.Page, error) {
	return promtext.Parse(bytes.NewReader(s.page), s.limits)
}

func (*pageServer) health(context.Context) error { return apiclient.ErrNotJSON }

func (*pageServer) version(context.Context) (string, error) { return "", apiclient.ErrNotJSON }

func (*pageServer) models(context.Context) ([]model, error) { return nil, apiclient.ErrNotJSON }

func (*pageServer) weights(context.Context) (weights, error) { return weights{}, apiclient.ErrNotJSON }

func (*pageServer) close() {}

func valuesOf(m pmetric.Metric) []float64 {
	var values []float64
	add := func(dps pmetric.NumberDataPointSlice) {
		for _, dp := range dps.All() {
			values = append(values, float64(dp.IntValue())+dp.DoubleValue())
		}
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		add(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		add(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		for _, dp := range m.Histogram().DataPoints().All() {
			values = append(values, float64(dp.Count()))
		}
	}
	return values
}
