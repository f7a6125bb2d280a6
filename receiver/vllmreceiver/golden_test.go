package vllmreceiver

import (
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// update makes the tests write what they would otherwise compare with: goldens
// and the tables of the README.
var update = flag.Bool("update", false, "write goldens and tables instead of comparing with them")

func TestGolden(t *testing.T) {
	lora := []simulator.VLLMModel{{
		ID: "qwen3-32b", Root: "Qwen/Qwen3-32B", MaxModelLen: 40960,
		Adapters: []simulator.LoRAAdapter{{Name: "sql", Path: "/lora/sql"}},
	}}
	tests := []struct {
		name   string
		server simulator.VLLMConfig
		change func(*Config)
		dies   bool
		// docker puts it into a container, loads lets it not answer yet.
		docker, loads bool
	}{
		{name: "oldest", server: simulator.VLLMConfig{Version: simulator.VLLM0_5_4}},
		{name: "middle", server: simulator.VLLMConfig{Version: simulator.VLLM0_9_2, SpeculativeTokens: 2}},
		{name: "newest", server: simulator.VLLMConfig{}},
		{name: "newest_everything", server: simulator.VLLMConfig{
			Models: lora, Engines: 2, SpeculativeTokens: 2, MFU: true, KVCacheMetrics: true, FaultTolerance: true,
			DevMode: true, Quantization: "fp8",
		}, change: everything},
		{name: "discovered", server: simulator.VLLMConfig{Models: lora}, docker: true},
		{name: "discovered_loading", docker: true, loads: true},
		{name: "dead", server: simulator.VLLMConfig{Version: simulator.VLLM0_5_4}, dies: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			tt.server.Now = c.now
			v := simulator.NewVLLM(tt.server)
			v.Play(7, 10*time.Minute, 2)
			server := httptest.NewServer(v.Handler())
			t.Cleanup(server.Close)
			p := newProbe(t, c, server.URL, func(cfg *Config) {
				cfg.Endpoints[0].Name = "golden"
				if tt.change != nil {
					tt.change(cfg)
				}
			})
			if tt.docker {
				p.inContainer(t, chatContainer(c))
			}
			if tt.loads {
				server.Close()
			}
			if tt.dies {
				p.read(t)
				server.Close()
			}
			actual, err := p.scrape(t.Context())
			require.NoError(t, err)
			mergeByName(actual.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics())
			actual.ResourceMetrics().At(0).Resource().Attributes().PutInt("server.port", 8000) // it is another each time

			file := filepath.Join("testdata", "scraper", tt.name, "expected.yaml")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
				require.NoError(t, golden.WriteMetricsToFile(file, actual))
			}
			expected, err := golden.ReadMetrics(file)
			require.NoError(t, err)
			require.NoError(t, pmetrictest.CompareMetrics(
				expected, actual,
				pmetrictest.IgnoreTimestamp(),
				pmetrictest.IgnoreStartTimestamp(),
				pmetrictest.IgnoreMetricsOrder(),
				pmetrictest.IgnoreMetricDataPointsOrder(),
				pmetrictest.IgnoreResourceMetricsOrder(),
			))
		})
	}
}

// mergeByName puts the points of metrics of one name together, sorted: those that
// end a series come in a metric each, which pmetrictest cannot compare.
func mergeByName(ms pmetric.MetricSlice) {
	first := map[string]pmetric.Metric{}
	ms.RemoveIf(func(m pmetric.Metric) bool {
		to, again := first[m.Name()]
		switch {
		case !again:
			first[m.Name()] = m
		case m.Type() == pmetric.MetricTypeGauge:
			m.Gauge().DataPoints().MoveAndAppendTo(to.Gauge().DataPoints())
		case m.Type() == pmetric.MetricTypeSum:
			m.Sum().DataPoints().MoveAndAppendTo(to.Sum().DataPoints())
		default:
			m.Histogram().DataPoints().MoveAndAppendTo(to.Histogram().DataPoints())
		}
		return again
	})
	ms.Sort(func(a, b pmetric.Metric) bool { return a.Name() < b.Name() })
}
