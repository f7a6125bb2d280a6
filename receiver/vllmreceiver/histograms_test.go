package vllmreceiver

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func TestHistogramTable(t *testing.T) {
	names := map[string]bool{}
	for _, h := range slices.Concat(histograms, httpHistograms) {
		assert.False(t, names[h.metric], "%s stands there twice", h.metric)
		names[h.metric] = true
		assert.NotContains(t, declared(t), h.metric)
		assert.NotEmpty(t, h.unit, h.metric)
		assert.Regexp(t, `^[A-Z].*\.$`, h.description, h.metric)
		assert.NotEmpty(t, h.sources, h.metric)
	}
	assert.Len(t, histogramNames(), len(names))
}

// latency is a histogram of one observation, on a page of its own value.
func latency(name, value string) string {
	return "# TYPE vllm:" + name + " histogram\nvllm:" + name + "_bucket{le=\"1.0\"} 1\nvllm:" + name + "_bucket{le=\"+Inf\"} 1\nvllm:" +
		name + "_count 1\nvllm:" + name + "_sum " + value + "\n"
}

// TestTimePerOutputToken: the same quantity through the versions.
func TestTimePerOutputToken(t *testing.T) {
	const spec = "# TYPE vllm:spec_decode_num_drafts_total counter\nvllm:spec_decode_num_drafts_total 0\n"
	perRequest, perToken, perStep := latency("request_time_per_output_token_seconds", "0.1"), latency("time_per_output_token_seconds", "0.2"), latency("inter_token_latency_seconds", "0.3")
	tests := []struct {
		name, page      string
		perOutput, step float64
	}{
		{"oldest", perToken, 0.2, 0.2},
		{"both", perToken + perStep, 0.2, 0.3},
		{"newest", perRequest + perStep, 0.1, 0.3},
		{"all", perRequest + perToken + perStep, 0.1, 0.3},
		{"steps are tokens", perStep, 0.3, 0.3},
		{"steps are not tokens", perStep + spec, 0, 0.3},
		{"newest, speculating", perRequest + perStep + spec, 0.1, 0.3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := readPage(t, tt.page)
			sum := func(metric string) float64 {
				if points := got.of(metric); len(points) > 0 {
					return points[0].histogram.Sum()
				}
				return 0
			}
			assert.InDelta(t, tt.perOutput, sum("gen_ai.server.time_per_output_token"), 0)
			assert.InDelta(t, tt.step, sum("vllm.inter_token_latency"), 0)
		})
	}
}

func TestInvalidHistograms(t *testing.T) {
	const head = "# TYPE vllm:e2e_request_latency_seconds histogram\n"
	for name, page := range map[string]string{
		"falling buckets": head + "vllm:e2e_request_latency_seconds_bucket{le=\"1\"} 5\nvllm:e2e_request_latency_seconds_bucket{le=\"2\"} 4\nvllm:e2e_request_latency_seconds_count 5\n",
		"no number":       head + "vllm:e2e_request_latency_seconds_count NaN\nvllm:e2e_request_latency_seconds_sum 1\n",
		"endless sum":     head + "vllm:e2e_request_latency_seconds_count 1\nvllm:e2e_request_latency_seconds_sum +Inf\n",
		"quantiles":       "# TYPE vllm:e2e_request_latency_seconds summary\nvllm:e2e_request_latency_seconds{quantile=\"0.5\"} 1\nvllm:e2e_request_latency_seconds_count 1\nvllm:e2e_request_latency_seconds_sum 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := readPage(t, page)
			assert.Empty(t, got.of("gen_ai.server.request.duration"))
			assert.InDelta(t, 1, got.value(t, "vllm.scrape.invalid_series"), 0)
		})
	}
}

func TestHistogramSwitches(t *testing.T) {
	c := newClock()
	_, url := newSimulated(t, c, simulator.VLLMConfig{})
	on, off := true, false
	names := newProbe(t, c, url, func(cfg *Config) {
		cfg.Histograms = HistogramsConfig{
			"vllm.request.params.n":          {Enabled: &on},
			"gen_ai.server.request.duration": {Enabled: &off},
			"http.server.request.duration":   {Enabled: &off},
			"http.server.response.body.size": {Enabled: &on},
			"vllm.request.prefill.duration":  {Enabled: &on},
			"vllm.request.max_output_tokens": {Enabled: &off},
		}
	}).read(t).metricNames()
	for _, want := range []string{"vllm.request.params.n", "http.server.response.body.size", "vllm.request.prefill.duration", "gen_ai.server.time_to_first_token"} {
		assert.Contains(t, names, want)
	}
	for _, unwanted := range []string{"gen_ai.server.request.duration", "http.server.request.duration", "vllm.request.max_output_tokens", "vllm.request.params.max_tokens"} {
		assert.NotContains(t, names, unwanted)
	}
}

func TestHTTPHistograms(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
	v.ObserveHTTP("/v1/completions", "POST", "4xx", 3, time.Second)
	got := newProbe(t, c, serve(t, v.Handler()), everything).read(t)
	h := got["http.server.request.duration{http.request.method=POST,http.route=/v1/completions}"]
	require.True(t, h.isHistogram())
	assert.EqualValues(t, 3, h.histogram.Count())
	assert.InDelta(t, 3, got.value(t, "vllm.http.requests{http.request.method=POST,http.route=/v1/completions,vllm.http.status_class=4xx}"), 0)
	assert.True(t, got["vllm.http.request.duration"].isHistogram())
}
