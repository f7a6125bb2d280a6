package langfusereceiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// point is one data point.
type point struct {
	metric     string
	attributes map[string]any
	value      float64
	start, at  pcommon.Timestamp
	// none says that the point has no value: the series ends.
	none bool
	// monotonic says that it counts.
	monotonic bool
}

// readings are the data points of a scrape by series, such as langfuse.up or
// langfuse.api{langfuse.api=v2}.
type readings map[string]point

// readingsOf fails if two points belong to one series.
func readingsOf(t *testing.T, md pmetric.Metrics) readings {
	t.Helper()
	all := readings{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			monotonic := m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic()
			var dps pmetric.NumberDataPointSlice
			if m.Type() == pmetric.MetricTypeSum {
				dps = m.Sum().DataPoints()
			} else {
				dps = m.Gauge().DataPoints()
			}
			for _, dp := range dps.All() {
				p := point{
					metric: m.Name(), attributes: dp.Attributes().AsRaw(), value: dp.DoubleValue() + float64(dp.IntValue()),
					start: dp.StartTimestamp(), at: dp.Timestamp(), none: dp.Flags().NoRecordedValue(), monotonic: monotonic,
				}
				name := p.series()
				if before, twice := all[name]; twice { // of the project while it was not known
					require.True(t, before.none, "two points of one series")
				}
				all[name] = p
			}
		}
	}
	return all
}

func (p point) series() string {
	if len(p.attributes) == 0 {
		return p.metric
	}
	var parts []string
	for _, k := range sortedKeys(p.attributes) {
		parts = append(parts, k+"="+asText(p.attributes[k]))
	}
	return p.metric + "{" + strings.Join(parts, ",") + "}"
}

// value is that of a series, which must be there.
func (r readings) value(t *testing.T, series string) float64 {
	t.Helper()
	p, ok := r[series]
	require.True(t, ok, "%s is not among %v", series, sortedKeys(r))
	return p.value
}

// of are the points of a metric.
func (r readings) of(metric string) []point {
	var points []point
	for _, name := range sortedKeys(r) {
		if r[name].metric == metric && !r[name].none {
			points = append(points, r[name])
		}
	}
	return points
}

// sum adds up the points of a metric that have all of the attributes.
func (r readings) sum(metric string, attributes ...string) float64 {
	total := 0.0
	for _, p := range r.of(metric) {
		if p.has(attributes) {
			total += p.value
		}
	}
	return total
}

func (p point) has(attributes []string) bool {
	for _, a := range attributes {
		k, v, _ := strings.Cut(a, "=")
		if asText(p.attributes[k]) != v {
			return false
		}
	}
	return true
}

// problem is the reason that is 1 now, empty if none is.
func (r readings) problem() string {
	for _, p := range r.of("langfuse.scrape.error") {
		if p.value == 1 {
			return asText(p.attributes["error.type"])
		}
	}
	return ""
}

// counted are the sums, to be compared with those of another run.
func (r readings) counted() map[string]float64 {
	sums := map[string]float64{}
	for name, p := range r {
		if p.monotonic || p.metric == "langfuse.score.sum" {
			sums[name] = p.value
		}
	}
	return sums
}

// cutSeries takes a name such as a{b=c,d=e} apart.
func cutSeries(series string) (metric string, labels map[string]string) {
	metric, rest, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	labels = map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		if k, v, found := strings.Cut(part, "="); found {
			labels[k] = v
		}
	}
	return metric, labels
}
