// Package staleness ends series that a receiver no longer emits. Without it the
// exporters would go on showing the last value: a dead server would look busy, a
// removed container would look as if it ran. See docs/adr/0005.
package staleness

import (
	"hash/maphash"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Tracker remembers the identity of the series of a receiver, not their values;
// while nothing disappears it allocates nothing. It is for one caller at a time.
type Tracker struct {
	seed      maphash.Seed
	scrape    uint64
	resources map[uint64]*known
	series    map[uint64]*emitted
}

// known is a resource that has series.
type known struct {
	resource pcommon.Resource
	scope    pcommon.InstrumentationScope
	// scrape is the last one that had it, metrics what it had there.
	scrape  uint64
	metrics pmetric.MetricSlice
	series  int
}

// emitted is the identity of a series.
type emitted struct {
	of         *known
	metric     string
	unit       string
	typ        pmetric.MetricType
	monotonic  bool
	attributes pcommon.Map
	// scrape is the last one that emitted it.
	scrape uint64
}

// NewTracker returns a tracker that knows no series.
func NewTracker() *Tracker {
	return &Tracker{seed: maphash.MakeSeed(), resources: make(map[uint64]*known), series: make(map[uint64]*emitted)}
}

// Len is the number of series that were there in the last scrape.
func (t *Tracker) Len() int { return len(t.series) }

// Mark notes the series in md and adds a point without a value for each that was
// there in the scrape before and is not now. Each such point is a metric of its
// own: exporters may stop at the first one they find in a metric.
func (t *Tracker) Mark(md pmetric.Metrics, now pcommon.Timestamp) {
	t.scrape++
	for i := range md.ResourceMetrics().Len() {
		rm := md.ResourceMetrics().At(i)
		key := t.key(0, "", rm.Resource().Attributes())
		for j := range rm.ScopeMetrics().Len() {
			sm := rm.ScopeMetrics().At(j)
			of := t.seeResource(key, rm.Resource(), sm)
			for k := range sm.Metrics().Len() {
				t.seeMetric(key, of, sm.Metrics().At(k))
			}
		}
	}
	var gone *pmetric.ResourceMetricsSlice
	for key, e := range t.series {
		if e.scrape != t.scrape {
			if e.of.scrape != t.scrape {
				if gone == nil {
					rms := pmetric.NewResourceMetricsSlice()
					gone = &rms
				}
				e.of.reappear(gone.AppendEmpty(), t.scrape)
			}
			e.end(e.of.metrics.AppendEmpty(), now)
			e.of.series--
			delete(t.series, key)
		}
	}
	if gone != nil { // first: a successor may look the same to who reads on
		md.ResourceMetrics().MoveAndAppendTo(*gone)
		gone.MoveAndAppendTo(md.ResourceMetrics())
	}
	for key, of := range t.resources {
		of.metrics = pmetric.MetricSlice{} // it is the next consumer's now
		if of.series == 0 {
			delete(t.resources, key)
		}
	}
}

func (t *Tracker) seeResource(key uint64, resource pcommon.Resource, sm pmetric.ScopeMetrics) *known {
	of := t.resources[key]
	if of == nil {
		of = &known{resource: pcommon.NewResource(), scope: pcommon.NewInstrumentationScope()}
		resource.CopyTo(of.resource)
		sm.Scope().CopyTo(of.scope)
		t.resources[key] = of
	}
	of.scrape, of.metrics = t.scrape, sm.Metrics()
	return of
}

func (t *Tracker) seeMetric(resource uint64, of *known, m pmetric.Metric) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		t.seeNumbers(resource, of, m, m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		t.seeNumbers(resource, of, m, m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		dps := m.Histogram().DataPoints()
		for j := range dps.Len() {
			t.see(resource, of, m, dps.At(j).Attributes())
		}
	}
}

func (t *Tracker) seeNumbers(resource uint64, of *known, m pmetric.Metric, dps pmetric.NumberDataPointSlice) {
	for j := range dps.Len() {
		t.see(resource, of, m, dps.At(j).Attributes())
	}
}

func (t *Tracker) see(resource uint64, of *known, m pmetric.Metric, attributes pcommon.Map) {
	key := t.key(resource, m.Name(), attributes)
	if e, ok := t.series[key]; ok {
		e.scrape = t.scrape
		return
	}
	e := &emitted{of: of, metric: m.Name(), unit: m.Unit(), typ: m.Type(), attributes: pcommon.NewMap(), scrape: t.scrape}
	if e.typ == pmetric.MetricTypeSum {
		e.monotonic = m.Sum().IsMonotonic()
	}
	attributes.CopyTo(e.attributes)
	t.series[key] = e
	of.series++
}

// key identifies a resource, or a series of one. Attributes must be strings or
// integers, and in the same order in every scrape, so that they need no sorting.
func (t *Tracker) key(resource uint64, metric string, attributes pcommon.Map) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	maphash.WriteComparable(&h, resource)
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

// reappear makes rm a resource that is gone, for its series to end there.
func (k *known) reappear(rm pmetric.ResourceMetrics, scrape uint64) {
	k.resource.CopyTo(rm.Resource())
	sm := rm.ScopeMetrics().AppendEmpty()
	k.scope.CopyTo(sm.Scope())
	k.scrape, k.metrics = scrape, sm.Metrics()
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
