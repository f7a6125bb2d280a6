package nvmlreceiver

import (
	"hash/maphash"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// seriesTracker ends series that are gone, and knows since when counters count.
//
// Without an end the exporters would go on showing the last value: a lost GPU
// would look busy. And a counter that falls without a new start time would look
// like a huge rate to some backends.
type seriesTracker struct {
	seed   maphash.Seed
	scrape uint64
	series map[uint64]*series
	// own are counters of the receiver, which count since began; all others are
	// the driver's, which count since loaded.
	own           map[string]bool
	began, loaded pcommon.Timestamp
}

// series is the identity of a series, and of a counter what it last was.
type series struct {
	resource   pcommon.Resource
	metric     string
	unit       string
	typ        pmetric.MetricType
	monotonic  bool
	attributes pcommon.Map
	// scrape is the last one that emitted it; ended says that its end was told.
	scrape uint64
	ended  bool

	value float64
	seen  pcommon.Timestamp
	start pcommon.Timestamp
}

func newSeriesTracker(began, loaded time.Time) *seriesTracker {
	return &seriesTracker{
		seed: maphash.MakeSeed(), series: make(map[uint64]*series),
		own:   map[string]bool{"hw.gpu.xid.events": true, "hw.gpu.scrape.errors": true, "hw.gpu.scrape.skipped": true},
		began: pcommon.NewTimestampFromTime(began), loaded: pcommon.NewTimestampFromTime(loaded),
	}
}

// finish sets the start times in md and adds a point without a value for each
// series that was there in the scrape before and is not now. Each such point is a
// metric of its own: exporters may stop at the first one they find in a metric.
func (t *seriesTracker) finish(md pmetric.Metrics, now pcommon.Timestamp) {
	t.scrape++
	resources := make(map[uint64]pmetric.MetricSlice)
	for _, rm := range md.ResourceMetrics().All() {
		resource := t.hash(maphash.Hash{}, rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			resources[resource.Sum64()] = sm.Metrics()
			for _, m := range sm.Metrics().All() {
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					t.see(resource, rm.Resource(), m, m.Gauge().DataPoints(), now)
				case pmetric.MetricTypeSum:
					t.see(resource, rm.Resource(), m, m.Sum().DataPoints(), now)
				}
			}
		}
	}
	for key, s := range t.series {
		if s.scrape == t.scrape || s.ended {
			continue
		}
		hash := t.hash(maphash.Hash{}, s.resource.Attributes())
		metrics, ok := resources[hash.Sum64()]
		if !ok {
			rm := md.ResourceMetrics().AppendEmpty()
			s.resource.CopyTo(rm.Resource())
			sm := rm.ScopeMetrics().AppendEmpty()
			sm.Scope().SetName(metadata.ScopeName)
			metrics = sm.Metrics()
			resources[hash.Sum64()] = metrics
		}
		s.end(metrics.AppendEmpty(), now)
		if s.ended = s.monotonic; !s.ended {
			delete(t.series, key) // a counter is kept, to know whether it begins anew
		}
	}
}

// restart says that the counters of a GPU began anew, or those of all where uuid
// is empty, even if they have already grown past what they were.
func (t *seriesTracker) restart(uuid string) {
	for _, s := range t.series {
		id, ok := s.resource.Attributes().Get("hw.id")
		if s.monotonic && !t.own[s.metric] && ok && (uuid == "" || id.Str() == uuid) {
			s.value = math.Inf(1)
		}
	}
}

func (t *seriesTracker) see(resource maphash.Hash, r pcommon.Resource, m pmetric.Metric, dps pmetric.NumberDataPointSlice, now pcommon.Timestamp) {
	monotonic := m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic()
	for _, dp := range dps.All() {
		hash := resource
		_, _ = hash.WriteString(m.Name())
		hash = t.hash(hash, dp.Attributes())
		s, ok := t.series[hash.Sum64()]
		if !ok {
			s = &series{
				resource: pcommon.NewResource(), metric: m.Name(), unit: m.Unit(), typ: m.Type(), monotonic: monotonic,
				attributes: pcommon.NewMap(), start: t.loaded,
			}
			if t.own[m.Name()] {
				s.start = t.began
			}
			r.CopyTo(s.resource)
			dp.Attributes().CopyTo(s.attributes)
			t.series[hash.Sum64()] = s
		}
		if monotonic {
			value := dp.DoubleValue()
			if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
				value = float64(dp.IntValue())
			}
			if value < s.value {
				// It began anew somewhere between the last time and now, and the new
				// life must not overlap the old one.
				s.start = s.seen + pcommon.Timestamp(time.Millisecond)
			}
			s.value, s.seen = value, now
			dp.SetStartTimestamp(s.start)
		} else {
			dp.SetStartTimestamp(0) // a level has no beginning
		}
		s.scrape, s.ended = t.scrape, false
	}
}

// hash adds attributes to a hash. The receiver's are strings and integers, and in
// the same order in every scrape, so that they need no sorting.
func (t *seriesTracker) hash(h maphash.Hash, attributes pcommon.Map) maphash.Hash {
	if h.Seed() != t.seed {
		h.SetSeed(t.seed)
	}
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
	return h
}

func (s *series) end(m pmetric.Metric, now pcommon.Timestamp) {
	m.SetName(s.metric)
	m.SetUnit(s.unit)
	var dp pmetric.NumberDataPoint
	if s.typ == pmetric.MetricTypeSum {
		sum := m.SetEmptySum()
		sum.SetIsMonotonic(s.monotonic)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		dp = sum.DataPoints().AppendEmpty()
	} else {
		dp = m.SetEmptyGauge().DataPoints().AppendEmpty()
	}
	dp.SetTimestamp(now)
	dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	s.attributes.CopyTo(dp.Attributes())
}
