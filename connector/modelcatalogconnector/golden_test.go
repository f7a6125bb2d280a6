package modelcatalogconnector

import (
	"flag"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// update makes the tests write what they would otherwise compare with.
var update = flag.Bool("update", false, "write goldens and tables instead of comparing with them")

// TestGolden: a site with two servers, a proxy and Langfuse; a minute later the
// proxy is down, a server has loaded, and an adapter is gone.
func TestGolden(t *testing.T) {
	p := newProbe(t, func(cfg *Config) {
		cfg.File = filepath.Join("testdata", "site", "models.yaml")
		cfg.Endpoints.LiteLLM = "https://llm.example.org"
	})
	for _, step := range []string{"1", "2"} {
		input, err := golden.ReadMetrics(filepath.Join("testdata", "site", step+"_input.yaml"))
		require.NoError(t, err)
		original := pmetric.NewMetrics()
		input.CopyTo(original)
		require.NoError(t, p.ConsumeMetrics(t.Context(), input))
		require.NoError(t, pmetrictest.CompareMetrics(original, input), "what passes is not changed")

		actual := p.snapshot(t.Context(), time.Now())
		mergeByName(actual)
		file := filepath.Join("testdata", "site", step+"_expected.yaml")
		if *update {
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
	}
}

// mergeByName puts the points of metrics of one name together, sorted: those that
// end a series come in a metric each, which pmetrictest cannot compare.
func mergeByName(md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		ms := rm.ScopeMetrics().At(0).Metrics()
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
}
