package litellmreceiver

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver/internal/metadata"
)

type (
	// problem is what is wrong with reading an endpoint.
	problem struct{ endpoint, reason string }

	// trouble is a problem and what caused it; nil if the proxy itself says it.
	trouble struct {
		problem
		err error
	}

	// status is how the scrape went.
	status struct {
		up       bool
		troubles []trouble
		took     time.Duration
	}
)

func (st *status) has(p problem) bool {
	return slices.ContainsFunc(st.troubles, func(tr trouble) bool { return tr.problem == p })
}

// recordStatus records how the proxy is. seen holds the problems so far: they go to
// 0 instead of vanishing.
func recordStatus(mb *builder, st *status, seen map[problem]bool, now pcommon.Timestamp) {
	mb.RecordLitellmUpDataPoint(now, number01(st.up))
	for _, tr := range st.troubles {
		seen[tr.problem] = true
	}
	for p := range seen {
		mb.RecordLitellmScrapeErrorDataPoint(now, number01(st.has(p)),
			metadata.WithErrorTypeMetricAttribute(p.reason), metadata.WithLitellmEndpointMetricAttribute(p.endpoint))
	}
	if st.up {
		mb.RecordLitellmScrapeDurationDataPoint(now, st.took.Seconds())
	}
}

// recordTally records what the page was like.
func recordTally(mb *builder, page *proxyPage, t *tally, now pcommon.Timestamp) {
	mb.RecordLitellmScrapeBodySizeDataPoint(now, page.page.Bytes)
	mb.RecordLitellmScrapeSamplesDataPoint(now, int64(page.page.Samples))
	mb.RecordLitellmScrapeSeriesDataPoint(now, int64(page.page.SeriesCount()))
	mb.RecordLitellmScrapeUnknownSeriesDataPoint(now, int64(t.unknown))
	mb.RecordLitellmScrapeInvalidSeriesDataPoint(now, int64(t.invalid))
	for a, n := range t.refused {
		mb.RecordLitellmScrapeOverflowSeriesDataPoint(now, int64(n), metadata.WithLitellmLabelMetricAttribute(writers[a].name))
	}
}

func number01(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// newResource is the identity of the proxy, made of nothing that it says itself: it
// must survive the proxy.
func newResource(rb *metadata.ResourceBuilder, cfg *Config) pcommon.Resource {
	rb.SetServiceName("litellm")
	rb.SetServiceInstanceID(cfg.instance())
	if host, port, _ := cfg.address(); host != "" {
		rb.SetServerAddress(host)
		rb.SetServerPort(int64(port))
	}
	return rb.Emit()
}
