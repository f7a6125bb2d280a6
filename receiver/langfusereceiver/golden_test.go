package langfusereceiver

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
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
		server simulator.LangfuseConfig
		change func(*Config)
		dies   bool
	}{
		{name: "daily", server: simulator.LangfuseConfig{Version: "3.50.0"}},
		{name: "v1", server: simulator.LangfuseConfig{Version: "3.100.0", StringNumbers: true}},
		{name: "v2", server: simulator.LangfuseConfig{}},
		{name: "v2_everything", server: simulator.LangfuseConfig{}, change: func(cfg *Config) {
			everything(cfg)
			cfg.SplitByEnvironment, cfg.Name, cfg.QueriesPerDay = true, "golden", 5000
		}},
		{name: "dead", server: simulator.LangfuseConfig{}, dies: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin()
				var changes []func(*Config)
				if tt.change != nil {
					changes = append(changes, tt.change)
				}
				b := newBench(t, tt.server, changes...)
				newLife(b.sim).live(noon.Add(-day), noon.Add(time.Hour), 12)
				b.up(t)
				pass(17 * time.Minute)
				if tt.dies {
					b.read(t)
					b.wire.connect(nil)
					pass(day)
				}
				actual, err := b.scrape(t.Context())
				require.NoError(t, err)
				mergeByName(actual.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics())
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
		default:
			m.Sum().DataPoints().MoveAndAppendTo(to.Sum().DataPoints())
		}
		return again
	})
	ms.Sort(func(a, b pmetric.Metric) bool { return a.Name() < b.Name() })
}
