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
			of := counted{text(dp.Attributes(), attrRequestModel), text(dp.Attributes(), attrTokenType), originLangfuse, false}
			if of.model != "" && (of.tokenType == tokenInput || of.tokenType == tokenOutput) {
				s.count(id, series, of, dp, now)
			}
		})
	})
}
