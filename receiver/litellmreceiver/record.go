package litellmreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// recording is all that it takes to record a page.
type recording struct {
	collector
	mb *builder
	// histograms are those made by hand, switches say which are wanted.
	histograms pmetric.MetricSlice
	switches   HistogramsConfig
	// since is nil unless the counters are those of one of several workers.
	since      *workers
	start, now pcommon.Timestamp
}

// page records what the page says.
func (r *recording) page(page *proxyPage) {
	for i := range numbers {
		n := &numbers[i]
		if f := page.first(n.sources); f != nil && (len(n.only) == 0 || r.labels.keeps(n.only)) {
			r.number(n, f, n.as)
		}
	}
	for i := range histograms {
		h := &histograms[i]
		if f := page.first(h.sources); f != nil && r.switches.enabled(h) {
			r.distribution(h, r.distributions(h, f, ""))
		}
	}
	r.services(page)
	r.tally.refused = r.labels.refused()
}

// services records the families that are called like services, and counts those
// that nothing here knows.
func (r *recording) services(page *proxyPage) {
	var took []distribution
	for i := range page.page.Families {
		f := &page.page.Families[i]
		name, ok := bareName(f.Name, f.Type)
		if !ok || len(f.Series) == 0 || numberOf[name] != nil || histogramOf[name] != nil || name == notPremium {
			continue
		}
		if n, of := serviceNumberOf(name); n != nil {
			r.number(n, f, of)
		} else if h, of := serviceHistogramOf(name, f.Type); h != nil {
			took = append(took, r.distributions(h, f, of)...)
		} else {
			r.tally.addUnknown(f.Name, len(f.Series))
		}
	}
	if r.switches.enabled(&serviceHistogram) {
		r.distribution(&serviceHistogram, took)
	}
}

func (r *recording) number(n *number, f *promtext.Family, as string) {
	points := r.points(n, f, as)
	for i := range points {
		p := &points[i]
		if r.since != nil && !n.gauge {
			p.value = r.since.counted(n.metric, &p.attributes, p.value)
		}
		if !n.record(r.mb, r.now, p) {
			r.tally.addInvalid(f.Name, 1)
		}
	}
}

func (r *recording) distribution(h *histogram, points []distribution) {
	if r.since != nil {
		for i := range points {
			points[i].Histogram = r.since.observed(h.metric, &points[i].attributes, points[i].Histogram)
		}
	}
	h.write(r.histograms, points, r.start, r.now)
}
