package litellmreceiver

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

// update makes the tests write what they would otherwise compare with: goldens and
// the tables of the README.
var update = flag.Bool("update", false, "write goldens and tables instead of comparing with them")

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name   string
		proxy  simulator.LiteLLMConfig
		change func(*Config)
		dies   bool
	}{
		{name: "oldest", proxy: simulator.LiteLLMConfig{Version: simulator.LiteLLM1_65_0}},
		{name: "newest", proxy: simulator.LiteLLMConfig{}},
		{name: "newest_everything", proxy: simulator.LiteLLMConfig{Redis: true, PrometheusSystem: true}, change: func(cfg *Config) {
			everything(cfg)
			allLabels(cfg)
		}},
		{name: "no_database", proxy: simulator.LiteLLMConfig{NoDatabase: true, Version: simulator.LiteLLM1_82_0}},
		{name: "dead", proxy: simulator.LiteLLMConfig{Deployments: models()[:3]}, dies: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClock()
			tt.proxy.Now = c.now
			if tt.proxy.Deployments == nil {
				tt.proxy.Deployments = models()
			}
			l := simulator.NewLiteLLM(tt.proxy)
			if !tt.dies {
				traffic(l)
			}
			c.advance(time.Hour)
			server := httptest.NewServer(l.Handler())
			t.Cleanup(server.Close)
			p := newProbe(t, c, server.URL, withKey, func(cfg *Config) {
				cfg.Name = "golden"
				if tt.change != nil {
					tt.change(cfg)
				}
			})
			if tt.dies {
				p.read(t)
				server.Close()
			}
			actual, err := p.scrape(t.Context())
			require.NoError(t, err)
			mergeByName(actual.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics())
			actual.ResourceMetrics().At(0).Resource().Attributes().PutInt("server.port", 4000) // it is another each time

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
				pmetrictest.IgnoreMetricValues("litellm.scrape.body.size"), // of start times, in the older ones
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
