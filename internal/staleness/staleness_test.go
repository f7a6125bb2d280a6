package staleness

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// emission is a metric of each type, with an attribute of each type.
func emission(models ...string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	addEmission(md, "x", models...)
	return md
}

func addEmission(md pmetric.Metrics, resource string, models ...string) {
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("name", resource)
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("scope")
	ms := sm.Metrics()
	gauge, sum, histogram := ms.AppendEmpty(), ms.AppendEmpty(), ms.AppendEmpty()
	gauge.SetName("gauge")
	gauge.SetEmptyGauge()
	sum.SetName("sum")
	sum.SetUnit("s")
	sum.SetEmptySum().SetIsMonotonic(true)
	histogram.SetName("histogram")
	histogram.SetEmptyHistogram()
	for _, model := range models {
		gauge.Gauge().DataPoints().AppendEmpty().Attributes().PutStr("model", model)
		dp := sum.Sum().DataPoints().AppendEmpty()
		dp.Attributes().PutStr("model", model)
		dp.Attributes().PutInt("position", int64(len(model)))
		histogram.Histogram().DataPoints().AppendEmpty().Attributes().PutStr("model", model)
	}
}

func metricsOf(md pmetric.Metrics) pmetric.MetricSlice {
	return md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
}

func TestMark(t *testing.T) {
	s := NewTracker()
	mark := func(models ...string) pmetric.MetricSlice {
		md := emission(models...)
		s.Mark(md, 7)
		require.Equal(t, 1, md.ResourceMetrics().Len())
		return metricsOf(md)
	}
	assert.Equal(t, 3, mark("a", "bb").Len())
	assert.Equal(t, 3, mark("a", "bb").Len())

	ms := mark("bb")
	require.Equal(t, 6, ms.Len(), "a metric for each series that ended")
	for i := 3; i < 6; i++ {
		m := ms.At(i)
		switch m.Type() {
		case pmetric.MetricTypeGauge:
			assertEnded(t, "gauge", m.Name(), m.Gauge().DataPoints())
		case pmetric.MetricTypeSum:
			assertEnded(t, "sum", m.Name(), m.Sum().DataPoints())
			assert.Equal(t, "s", m.Unit())
			assert.True(t, m.Sum().IsMonotonic())
			assert.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
			assert.Equal(t, map[string]any{"model": "a", "position": int64(1)}, m.Sum().DataPoints().At(0).Attributes().AsRaw())
		case pmetric.MetricTypeHistogram:
			require.Equal(t, 1, m.Histogram().DataPoints().Len())
			dp := m.Histogram().DataPoints().At(0)
			assert.True(t, dp.Flags().NoRecordedValue())
			assert.Equal(t, map[string]any{"model": "a"}, dp.Attributes().AsRaw())
			assert.Equal(t, pmetric.AggregationTemporalityCumulative, m.Histogram().AggregationTemporality())
		default:
			assert.Fail(t, "unexpected type", m.Type().String())
		}
	}
	assert.Equal(t, 3, mark("bb").Len(), "it ends once")
	assert.Equal(t, 3, mark("a", "bb").Len(), "it may come back")
	assert.Equal(t, 9, mark().Len(), "and end again")
	assert.Empty(t, s.series, "nothing is remembered of what is gone")
	assert.Empty(t, s.resources)
}

func assertEnded(t *testing.T, want, name string, dps pmetric.NumberDataPointSlice) {
	t.Helper()
	assert.Equal(t, want, name)
	require.Equal(t, 1, dps.Len())
	assert.True(t, dps.At(0).Flags().NoRecordedValue())
	assert.EqualValues(t, 7, dps.At(0).Timestamp())
}

func TestAllocatesNothing(t *testing.T) {
	s := NewTracker()
	md := emission("a", "bb", "ccc")
	addEmission(md, "y", "a")
	s.Mark(md, 1)
	assert.Zero(t, testing.AllocsPerRun(100, func() { s.Mark(md, 2) }))
}

// TestResources: the same series of two resources are two, and those of
// a resource that is gone end on it, before all that goes on.
func TestResources(t *testing.T) {
	s := NewTracker()
	both := emission("a")
	addEmission(both, "y", "a")
	s.Mark(both, 1)
	assert.Equal(t, 2, both.ResourceMetrics().Len())

	one := emission("a")
	s.Mark(one, 7)
	require.Equal(t, 2, one.ResourceMetrics().Len())
	gone := one.ResourceMetrics().At(0)
	assert.Equal(t, map[string]any{"name": "y"}, gone.Resource().Attributes().AsRaw())
	assert.Equal(t, "scope", gone.ScopeMetrics().At(0).Scope().Name())
	require.Equal(t, 3, metricsOf(one).Len())
	for _, m := range metricsOf(one).All() {
		if m.Type() == pmetric.MetricTypeGauge {
			assertEnded(t, "gauge", m.Name(), m.Gauge().DataPoints())
		}
	}
	goesOn := one.ResourceMetrics().At(1)
	assert.Equal(t, map[string]any{"name": "x"}, goesOn.Resource().Attributes().AsRaw())
	assert.Equal(t, 3, goesOn.ScopeMetrics().At(0).Metrics().Len())
	assert.Len(t, s.resources, 1)

	none := pmetric.NewMetrics()
	s.Mark(none, 8)
	assert.Equal(t, 1, none.ResourceMetrics().Len())
	assert.Empty(t, s.series)
	assert.Empty(t, s.resources)
}
