package vllmreceiver

import (
	"fmt"
	"math"
	"strings"
	"testing"

	prom "github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

func TestWanted(t *testing.T) {
	for _, name := range []string{"vllm:num_requests_running", "ray_vllm:e2e", "ray_vllm_e2e", "http_requests_total", "process_start_time_seconds"} {
		assert.True(t, wanted([]byte(name)), name)
	}
	for _, name := range []string{"", "python_info", "process_cpu_seconds_total", "lmcache:hits", "nixl_bytes", "ray_node_cpu"} {
		assert.False(t, wanted([]byte(name)), name)
	}
}

func TestEngineMetric(t *testing.T) {
	tests := []struct {
		name string
		typ  prom.MetricType
		want string
	}{
		{"vllm:prompt_tokens_total", prom.MetricTypeCounter, "prompt_tokens"},
		{"vllm:prompt_tokens_total", prom.MetricTypeUnknown, "prompt_tokens"},
		{"vllm_prompt_tokens", prom.MetricTypeCounter, "prompt_tokens"},
		{"ray_vllm:prompt_tokens_total", prom.MetricTypeCounter, "prompt_tokens"},
		{"ray_vllm_prompt_tokens_total", prom.MetricTypeCounter, "prompt_tokens"},
		{"vllm:iteration_tokens_total", prom.MetricTypeHistogram, "iteration_tokens_total"},
		{"vllm:num_requests_running", prom.MetricTypeGauge, "num_requests_running"},
		{"vllmx:y", prom.MetricTypeGauge, ""},
		{"vllm", prom.MetricTypeGauge, ""},
		{"http_requests_total", prom.MetricTypeCounter, ""},
	}
	for _, tt := range tests {
		got, ok := engineMetric(&promtext.Family{Name: tt.name, Type: tt.typ})
		assert.Equal(t, tt.want, got, tt.name)
		assert.Equal(t, tt.want != "", ok, tt.name)
	}
}

func TestEnginePage(t *testing.T) {
	const created = "# TYPE vllm:a_total counter\nvllm:a_total 1\n# TYPE vllm:a_created gauge\nvllm:a_created %s\n"
	t.Run("start", func(t *testing.T) {
		tests := map[string]float64{
			"process_start_time_seconds 1.5e9\n":                                              1.5e9,
			"process_start_time_seconds 1.5e9\n" + strings.ReplaceAll(created, "%s", "1.4e9"): 1.5e9,
			strings.ReplaceAll(created, "%s", "1.4e9"):                                        1.4e9,
			strings.ReplaceAll(created, "%s", "NaN"):                                          0,
			strings.ReplaceAll(created, "%s", "+Inf"):                                         0,
			"process_start_time_seconds NaN\n":                                                0,
			"process_start_time_seconds +Inf\n":                                               0,
			"process_start_time_seconds -1\n":                                                 0,
			"process_start_time_seconds 1e300\n":                                              0,
			"":                                                                                0,
		}
		for text, want := range tests {
			assert.InDelta(t, want, enginePageOf(t, text).start, 0, text)
		}
	})
	t.Run("engines", func(t *testing.T) {
		assert.False(t, enginePageOf(t, "vllm:a 1\n").severalEngines)
		assert.False(t, enginePageOf(t, "vllm:a{engine=\"0\"} 1\nvllm:b{engine=\"0\"} 1\nvllm:c 1\n").severalEngines)
		assert.True(t, enginePageOf(t, "vllm:a{engine=\"0\"} 1\nvllm:a{engine=\"1\"} 1\nvllm:b{engine=\"0\"} 1\n").severalEngines)
	})
	t.Run("counted", func(t *testing.T) {
		assert.InDelta(t, 5, enginePageOf(t, "# TYPE vllm:a_total counter\nvllm:a_total 2\n# TYPE vllm:b_total counter\nvllm:b_total 3\n# TYPE vllm:c gauge\nvllm:c 9\n").counted, 0)
		assert.True(t, math.IsNaN(enginePageOf(t, "# TYPE vllm:a_total counter\nvllm:a_total NaN\n").counted))
	})
	t.Run("counts", func(t *testing.T) {
		assert.False(t, enginePageOf(t, "# TYPE vllm:a_total counter\npython_info 1\nprocess_start_time_seconds 5\n").counts())
		assert.True(t, enginePageOf(t, "vllm:a 1\n").counts())
		assert.True(t, enginePageOf(t, "http_requests_total 1\n").counts())
	})
	t.Run("model names", func(t *testing.T) {
		assert.Equal(t, []string{"x", "y"}, enginePageOf(t, "vllm:a{model_name=\"x\"} 1\nvllm:b{model_name=\"x\"} 1\nvllm:b{model_name=\"y\"} 1\nhttp_requests_total{model_name=\"z\"} 1\n").modelNames())
		var many strings.Builder
		for i := range 2 * maxModels {
			fmt.Fprintf(&many, "vllm:a{model_name=\"m%d\"} 1\n", i)
		}
		assert.Len(t, enginePageOf(t, many.String()).modelNames(), maxModels)
	})
}
