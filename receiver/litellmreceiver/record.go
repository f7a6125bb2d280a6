package litellmreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
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
		if len(n.only) == 0 || r.labels.keeps(n.only) {
			r.number(n, r.points(n, page.first(n.sources), n.as))
		}
	}
	for i := range histograms {
		if h := &histograms[i]; r.switches.enabled(h) {
			r.distribution(h, r.distributions(h, page.first(h.sources), ""))
		}
	}
	r.services(page)
	r.tally.refused = r.labels.refused()
}

// services records the families that are called like services, and counts those
// that nothing here knows.
func (r *recording) services(page *proxyPage) {
	counts := make(map[*number][]point)
	var took []distribution
	for i := range page.page.Families {
		f := &page.page.Families[i]
		name, ok := bareName(f.Name, f.Type)
		if !ok || page.families[name] != f || numberOf[name] != nil || histogramOf[name] != nil || name == notPremium {
			continue
		}
		if n, of := serviceNumberOf(name); n != nil {
			counts[n] = append(counts[n], r.points(n, f, of)...)
		} else if h, of := serviceHistogramOf(name, f.Type); h != nil {
			took = append(took, r.distributions(h, f, of)...)
		} else {
			r.tally.addUnknown(f.Name, len(f.Series))
		}
	}
	for i := range serviceNumbers {
		n := &serviceNumbers[i].number
		r.number(n, counts[n])
	}
	if r.switches.enabled(&serviceHistogram) {
		r.distribution(&serviceHistogram, took)
	}
}

func (r *recording) number(n *number, points []point) {
	if r.since != nil && !n.gauge {
		points = r.since.numbers(n, points)
	}
	for i := range points {
		if !n.record(r.mb, r.now, &points[i]) {
			r.tally.addInvalid(n.metric, 1)
		}
	}
}

func (r *recording) distribution(h *histogram, points []distribution) {
	if r.since != nil {
		points = r.since.distributions(h, points)
	}
	h.write(r.histograms, points, r.start, r.now)
}
