package litellmreceiver

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// reading is one data point.
type reading struct {
	metric     string
	attributes map[string]any
	value      float64
	histogram  pmetric.HistogramDataPoint
	start, at  pcommon.Timestamp
	// none says that the point has no value: the series ends.
	none bool
	// monotonic says that it counts.
	monotonic bool
}

func (r reading) isHistogram() bool { return r.histogram != pmetric.HistogramDataPoint{} }

// readings are the data points of a scrape by series, such as litellm.up or
// litellm.requests.finished{gen_ai.request.model=a,http.response.status_code=200}.
type readings map[string]reading

// readingsOf fails if two points belong to one series.
func readingsOf(t testing.TB, md pmetric.Metrics) readings {
	t.Helper()
	all := readings{}
	add := func(m pmetric.Metric, attributes pcommon.Map, r reading) {
		r.metric, r.attributes = m.Name(), attributes.AsRaw()
		key := seriesName(r.metric, r.attributes)
		if _, twice := all[key]; twice {
			require.Fail(t, "two points of one series", key)
		}
		all[key] = r
	}
	require.LessOrEqual(t, md.ResourceMetrics().Len(), 1)
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			var numbers pmetric.NumberDataPointSlice
			monotonic := false
			switch m.Type() {
			case pmetric.MetricTypeHistogram:
				require.NotZero(t, m.Histogram().DataPoints().Len(), "%s has no points", m.Name())
				require.Equal(t, pmetric.AggregationTemporalityCumulative, m.Histogram().AggregationTemporality())
				for _, dp := range m.Histogram().DataPoints().All() {
					add(m, dp.Attributes(), reading{
						histogram: dp, start: dp.StartTimestamp(), at: dp.Timestamp(), none: dp.Flags().NoRecordedValue(), monotonic: true,
					})
				}
				continue
			case pmetric.MetricTypeSum:
				numbers, monotonic = m.Sum().DataPoints(), m.Sum().IsMonotonic()
				require.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
			default:
				numbers = m.Gauge().DataPoints()
			}
			require.NotZero(t, numbers.Len(), "%s has no points", m.Name())
			for _, dp := range numbers.All() {
				value := dp.DoubleValue()
				if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
					value = float64(dp.IntValue())
				}
				add(m, dp.Attributes(), reading{
					value: value, start: dp.StartTimestamp(), at: dp.Timestamp(), none: dp.Flags().NoRecordedValue(), monotonic: monotonic,
				})
			}
		}
	}
	return all
}

func seriesName(metric string, attributes map[string]any) string {
	if len(attributes) == 0 {
		return metric
	}
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(attributes)) {
		pairs = append(pairs, fmt.Sprintf("%s=%v", k, attributes[k]))
	}
	return metric + "{" + strings.Join(pairs, ",") + "}"
}

// value fails unless the series is there and has a value.
func (rs readings) value(t testing.TB, series string) float64 {
	t.Helper()
	require.Contains(t, slices.Sorted(maps.Keys(rs)), series)
	require.False(t, rs[series].none, "%s has ended", series)
	return rs[series].value
}

// of returns the points of a metric that have a value.
func (rs readings) of(metric string) []reading {
	var found []reading
	for _, key := range slices.Sorted(maps.Keys(rs)) {
		if rs[key].metric == metric && !rs[key].none {
			found = append(found, rs[key])
		}
	}
	return found
}

// sum adds up the points of a metric.
func (rs readings) sum(metric string) float64 {
	total := 0.0
	for _, r := range rs.of(metric) {
		total += r.value
	}
	return total
}

// problems are what is wrong now, as endpoint and error.type, sorted.
func (rs readings) problems() []string {
	problems := []string{}
	for _, r := range rs.of("litellm.scrape.error") {
		if r.value == 1 {
			problems = append(problems, fmt.Sprintf("%v %v", r.attributes["litellm.endpoint"], r.attributes["error.type"]))
		}
	}
	slices.Sort(problems)
	return problems
}

// ended are the series that got a point without a value.
func (rs readings) ended() []string {
	var series []string
	for key, r := range rs {
		if r.none {
			series = append(series, key)
		}
	}
	slices.Sort(series)
	return series
}

func (rs readings) metricNames() []string {
	names := map[string]bool{}
	for _, r := range rs {
		if !r.none {
			names[r.metric] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
