package syntheticreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

// scopePrefix is that of the scopes of contrib's hostmetrics receiver.
const scopePrefix = "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/hostmetricsreceiver/internal/scraper/"

// hostRecorder turns the state of the simulated host into what contrib's
// hostmetrics receiver emits with the settings of configs/otelcol-llm.yaml: the
// names, units and attributes are those of its documentation. It is the one source
// that is recorded directly; a test compares it with the real receiver.
type hostRecorder struct {
	version string
	// before are the times of the cores at the last record, which utilization is
	// the difference to.
	before []site.CoreTimes
}

func newHostRecorder(version string) *hostRecorder { return &hostRecorder{version: version} }

// record returns all metrics of the host at now.
func (r *hostRecorder) record(h site.Host, now time.Time) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	scope := func(name string) *scopeRecorder {
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName(scopePrefix + name)
		sm.Scope().SetVersion(r.version)
		return &scopeRecorder{to: sm.Metrics(), start: pcommon.NewTimestampFromTime(h.Boot), now: pcommon.NewTimestampFromTime(now)}
	}
	r.cpu(scope("cpuscraper"), &h)
	recordLoad(scope("loadscraper"), &h)
	recordMemory(scope("memoryscraper"), &h)
	recordPaging(scope("pagingscraper"), &h)
	recordDisks(scope("diskscraper"), &h)
	recordFilesystems(scope("filesystemscraper"), &h)
	recordNetworks(scope("networkscraper"), &h)
	recordProcesses(scope("processesscraper"), &h)
	system := scope("systemscraper")
	system.gauge("system.uptime", "s", "The time the system has been running").value(now.Sub(h.Boot).Seconds())
	return md
}

// scopeRecorder adds metrics to a scope.
type scopeRecorder struct {
	to         pmetric.MetricSlice
	start, now pcommon.Timestamp
}

// points takes the points of one metric.
type points struct {
	of         pmetric.NumberDataPointSlice
	start, now pcommon.Timestamp
}

func (s *scopeRecorder) metric(name, unit, description string) pmetric.Metric {
	m := s.to.AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	m.SetDescription(description)
	return m
}

func (s *scopeRecorder) gauge(name, unit, description string) points {
	return points{s.metric(name, unit, description).SetEmptyGauge().DataPoints(), 0, s.now}
}

// counter is a sum that only grows, level one that can be added up.
func (s *scopeRecorder) counter(name, unit, description string) points {
	return s.sum(name, unit, description, true)
}

func (s *scopeRecorder) level(name, unit, description string) points {
	return s.sum(name, unit, description, false)
}

func (s *scopeRecorder) sum(name, unit, description string, monotonic bool) points {
	sum := s.metric(name, unit, description).SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	sum.SetIsMonotonic(monotonic)
	return points{sum.DataPoints(), s.start, s.now}
}

func (p points) point(attributes []string) pmetric.NumberDataPoint {
	dp := p.of.AppendEmpty()
	dp.SetStartTimestamp(p.start)
	dp.SetTimestamp(p.now)
	for i := 0; i+1 < len(attributes); i += 2 {
		dp.Attributes().PutStr(attributes[i], attributes[i+1])
	}
	return dp
}

// value adds a point; attributes are keys and values in turn.
func (p points) value(v float64, attributes ...string) { p.point(attributes).SetDoubleValue(v) }

func (p points) count(n int64, attributes ...string) { p.point(attributes).SetIntValue(n) }
