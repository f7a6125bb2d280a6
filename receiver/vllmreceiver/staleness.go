package vllmreceiver

import (
	"hash/maphash"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// staleness ends series that a server no longer has. Without it the exporters
// would go on showing the last value: a dead server would look busy.
//
// It remembers the identity of what was emitted, not the values; while nothing
// disappears it allocates nothing.
type staleness struct {
	seed   maphash.Seed
	scrape uint64
	series map[uint64]*emitted
}

// emitted is the identity of a series.
type emitted struct {
	metric     string
	unit       string
	typ        pmetric.MetricType
	monotonic  bool
	attributes pcommon.Map
	// scrape is the last one that emitted it.
	scrape uint64
}

func newStaleness() *staleness {
	return &staleness{seed: maphash.MakeSeed(), series: make(map[uint64]*emitted)}
}

// mark notes the series in ms and adds a point without a value for each that
// was there in the scrape before and is not now. Each such point is a metric of
// its own: exporters may stop at the first one they find in a metric.
func (s *staleness) mark(ms pmetric.MetricSlice, now pcommon.Timestamp) {
	s.scrape++
	for i := range ms.Len() {
		m := ms.At(i)
		switch m.Type() {
		case pmetric.MetricTypeGauge:
			s.seeNumbers(m, m.Gauge().DataPoints())
		case pmetric.MetricTypeSum:
			s.seeNumbers(m, m.Sum().DataPoints())
		case pmetric.MetricTypeHistogram:
			dps := m.Histogram().DataPoints()
			for j := range dps.Len() {
				s.see(m, dps.At(j).Attributes())
			}
		}
	}
	for key, e := range s.series {
		if e.scrape != s.scrape {
			e.end(ms.AppendEmpty(), now)
			delete(s.series, key)
		}
	}
}

func (s *staleness) seeNumbers(m pmetric.Metric, dps pmetric.NumberDataPointSlice) {
	for j := range dps.Len() {
		s.see(m, dps.At(j).Attributes())
	}
}

func (s *staleness) see(m pmetric.Metric, attributes pcommon.Map) {
	key := s.key(m.Name(), attributes)
	if e, ok := s.series[key]; ok {
		e.scrape = s.scrape
		return
	}
	e := &emitted{metric: m.Name(), unit: m.Unit(), typ: m.Type(), attributes: pcommon.NewMap(), scrape: s.scrape}
	if e.typ == pmetric.MetricTypeSum {
		e.monotonic = m.Sum().IsMonotonic()
	}
	attributes.CopyTo(e.attributes)
	s.series[key] = e
}

// key identifies a series. The receiver's attributes are strings and integers,
// and in the same order in every scrape, so that they need no sorting.
func (s *staleness) key(metric string, attributes pcommon.Map) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_, _ = h.WriteString(metric)
	for k, v := range attributes.All() {
		_ = h.WriteByte(0)
		_, _ = h.WriteString(k)
		_ = h.WriteByte(0)
		if v.Type() == pcommon.ValueTypeInt {
			maphash.WriteComparable(&h, v.Int())
		} else {
			_, _ = h.WriteString(v.Str())
		}
	}
	return h.Sum64()
}

func (e *emitted) end(m pmetric.Metric, now pcommon.Timestamp) {
	m.SetName(e.metric)
	m.SetUnit(e.unit)
	noValue := pmetric.DefaultDataPointFlags.WithNoRecordedValue(true)
	if e.typ == pmetric.MetricTypeHistogram {
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		dp := h.DataPoints().AppendEmpty()
		dp.SetTimestamp(now)
		dp.SetFlags(noValue)
		e.attributes.CopyTo(dp.Attributes())
		return
	}
	var dp pmetric.NumberDataPoint
	if e.typ == pmetric.MetricTypeSum {
		sum := m.SetEmptySum()
		sum.SetIsMonotonic(e.monotonic)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		dp = sum.DataPoints().AppendEmpty()
	} else {
		dp = m.SetEmptyGauge().DataPoints().AppendEmpty()
	}
	dp.SetTimestamp(now)
	dp.SetFlags(noValue)
	e.attributes.CopyTo(dp.Attributes())
}
