package syntheticreceiver

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver"
	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver"
)

// means are those of all histograms, by metric: one for each series at the end.
func means(all []pmetric.Metrics, wanted func(pcommon.Map) bool) map[string][]float64 {
	last := make(map[string]pmetric.HistogramDataPoint)
	names := make(map[string]string)
	for _, md := range all {
		for _, rm := range md.ResourceMetrics().All() {
			if !wanted(rm.Resource().Attributes()) {
				continue
			}
			instance := fmt.Sprint(rm.Resource().Attributes().AsRaw())
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					if m.Type() != pmetric.MetricTypeHistogram {
						continue
					}
					for _, dp := range m.Histogram().DataPoints().All() {
						key := m.Name() + instance + fmt.Sprint(dp.Attributes().AsRaw())
						last[key], names[key] = dp, m.Name()
					}
				}
			}
		}
	}
	found := make(map[string][]float64)
	for key, dp := range last {
		if dp.Count() > 0 {
			found[names[key]] = append(found[names[key]], dp.Sum()/float64(dp.Count()))
		}
	}
	return found
}

// spread is by how much a number of the synthetic site may be below the least or above
// the greatest of the captures, as a factor: they are of other models on other GPUs.
const spread = 6

// assertWithin fails for values that no real server of the captures would have.
func assertWithin(t *testing.T, name string, captured, synthetic []float64) {
	t.Helper()
	require.NotEmpty(t, captured, name)
	require.NotEmpty(t, synthetic, name)
	low, high := slices.Min(captured)/spread, slices.Max(captured)*spread
	for _, v := range synthetic {
		assert.True(t, v >= low && v <= high, "%s is %g, and from %g to %g in the captures", name, v, slices.Min(captured), slices.Max(captured))
	}
}

// TestRangesLLM: times that depend on the machinery and not on what is asked are those
// of real servers.
func TestRangesLLM(t *testing.T) {
	of := func(name string) func(pcommon.Map) bool {
		return func(a pcommon.Map) bool {
			service, _ := a.Get("service.name")
			instance, _ := a.Get("service.instance.id")
			return service.Str() == name && !strings.Contains(instance.Str(), "-bge-") // those generate nothing
		}
	}
	synthetic, err := afternoon()
	require.NoError(t, err)

	captured := make(map[string][]float64)
	for _, tt := range vllmPages {
		url := servePages(t, map[string][]byte{"/metrics": capture(t, "vllm", tt.page)})
		for name, values := range means(readTwice(t, vllmreceiver.NewFactory(), map[string]any{"endpoints": []any{url}}), of("vllm")) {
			captured[name] = append(captured[name], values...)
		}
	}
	servers := means(synthetic, of("vllm"))
	for _, name := range []string{"gen_ai.server.time_per_output_token", "vllm.inter_token_latency", "vllm.request.prefill.duration", "vllm.request.queue.duration"} {
		assertWithin(t, name, captured[name], servers[name])
	}

	url := servePages(t, map[string][]byte{"/metrics/": capture(t, "litellm", "litellm-main-2026-05-metrics.prom")})
	pages, proxy := means(readTwice(t, litellmreceiver.NewFactory(), map[string]any{"endpoint": url}), of("litellm")), means(synthetic, of("litellm"))
	for _, name := range []string{"litellm.overhead.duration", "litellm.request.queue.duration"} {
		assertWithin(t, name, pages[name], proxy[name])
	}
}

// TestRangesGPU: GPUs are as warm and take as much as the real H200 of nvidia-smi -q.
func TestRangesGPU(t *testing.T) {
	text := string(capture(t, "nvidia", "nvidia-smi__h200__590.48.01.txt"))
	numbers := func(pattern string) (list []float64) {
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			v, err := strconv.ParseFloat(match[1], 64)
			require.NoError(t, err)
			list = append(list, v)
		}
		require.NotEmpty(t, list, pattern)
		return list
	}
	cfg := createDefaultConfig().(*Config)
	cfg.Scenario = "high_load"
	got := play(t, &Replay{Config: cfg, From: replayStart, To: replayStart.Add(time.Hour), Step: 5 * time.Minute})
	values := func(metric string, attributes ...string) (list []float64) {
		for _, p := range pointsOf(got.all)[metric] {
			if _, ok := last([]point{p}, attributes...); ok {
				list = append(list, p.value)
			}
		}
		require.NotEmpty(t, list, metric)
		return list
	}
	within := func(metric string, captured, synthetic []float64) {
		low, high := slices.Min(captured)*0.9, slices.Max(captured)*1.15
		for _, v := range synthetic {
			assert.True(t, v >= low && v <= high, "%s is %g, and from %g to %g in the capture", metric, v, slices.Min(captured), slices.Max(captured))
		}
	}
	within("hw.temperature of GPUs", numbers(`GPU Current Temp +: (\d+) C`), values("hw.temperature", "hw.sensor_location", "gpu"))
	within("hw.temperature of memory", numbers(`Memory Current Temp +: (\d+) C`), values("hw.temperature", "hw.sensor_location", "memory"))
	within("hw.power", numbers(`GPU Power Readings\n +Average Power Draw +: ([\d.]+) W`), values("hw.power"))
	assert.Equal(t, []float64{numbers(`FB Memory Usage\n +Total +: (\d+) MiB`)[0] * (1 << 20)}, slices.Compact(values("hw.gpu.memory.limit")))
	assert.Greater(t, slices.Max(values("hw.power")), 300.0, "they are at work")
}
