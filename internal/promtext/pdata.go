package promtext

import "go.opentelemetry.io/collector/pdata/pmetric"

// CopyTo writes count, sum, bounds and buckets to dp. Prometheus buckets are
// cumulative and inclusive at the upper bound, those of OpenTelemetry hold
// their own observations only and are inclusive there too, so that nothing is
// lost: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#histograms.
// The histogram must be Valid.
func (h *Histogram) CopyTo(dp pmetric.HistogramDataPoint) {
	dp.SetCount(uint64(h.Count))
	dp.SetSum(h.Sum)
	dp.ExplicitBounds().FromRaw(h.Bounds)
	buckets := dp.BucketCounts()
	buckets.EnsureCapacity(len(h.Counts) + 1)
	below := uint64(0)
	for _, c := range h.Counts {
		buckets.Append(uint64(c) - below)
		below = uint64(c)
	}
	buckets.Append(uint64(h.Count) - below)
}
