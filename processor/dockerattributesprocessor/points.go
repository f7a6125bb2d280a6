package dockerattributesprocessor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// enrichPoints adds to each data point what its own container is.
func (e *enricher) enrichPoints(rm pmetric.ResourceMetrics, count *tally) {
	eachPoint(rm, func(attributes pcommon.Map) bool {
		if d := e.lookUp(e.points, attributes, count); d != nil {
			e.add(attributes, d, false)
		}
		return true
	})
}

// pointsHaveModel reports whether a data point says which model it is of.
func pointsHaveModel(rm pmetric.ResourceMetrics) bool {
	return !eachPoint(rm, func(attributes pcommon.Map) bool {
		_, there := attributes.Get(requestModel)
		return !there
	})
}

// eachPoint calls fn with the attributes of every data point, and reports false
// when fn did.
func eachPoint(rm pmetric.ResourceMetrics, fn func(pcommon.Map) bool) bool {
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			if !eachPointOf(m, fn) {
				return false
			}
		}
	}
	return true
}

func eachPointOf(m pmetric.Metric, fn func(pcommon.Map) bool) bool {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, p := range m.Gauge().DataPoints().All() {
			if !fn(p.Attributes()) {
				return false
			}
		}
	case pmetric.MetricTypeSum:
		for _, p := range m.Sum().DataPoints().All() {
			if !fn(p.Attributes()) {
				return false
			}
		}
	case pmetric.MetricTypeHistogram:
		for _, p := range m.Histogram().DataPoints().All() {
			if !fn(p.Attributes()) {
				return false
			}
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			if !fn(p.Attributes()) {
				return false
			}
		}
	case pmetric.MetricTypeSummary:
		for _, p := range m.Summary().DataPoints().All() {
			if !fn(p.Attributes()) {
				return false
			}
		}
	}
	return true
}
