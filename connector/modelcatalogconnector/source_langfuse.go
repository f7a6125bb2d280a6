package modelcatalogconnector

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// readLangfuse takes in what Langfuse counts. It offers no models.
func (s *store) readLangfuse(rm pmetric.ResourceMetrics, id instance, now time.Time) {
	eachMetric(rm, func(m pmetric.Metric) {
		if m.Name() != "langfuse.tokens" {
			return
		}
		s.eachPoint(m, func(dp pmetric.NumberDataPoint, series uint64, ended bool) {
			if ended || !s.takes(dp.Attributes()) {
				return
			}
			model := s.resolver().any(text(dp.Attributes(), attrRequestModel))
			kind := text(dp.Attributes(), attrTokenType)
			if model != "" && (kind == tokenInput || kind == tokenOutput) {
				s.count(id, series, model, kind, originLangfuse, dp, now)
			}
		})
	})
}
