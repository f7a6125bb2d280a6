package promtext

import (
	"cmp"
	"math"
	"slices"

	"github.com/prometheus/common/model"
)

// newHistogram returns one for the next series of f, nil where f has none.
func newHistogram(f *Family) *Histogram {
	if f.Type != model.MetricTypeHistogram && f.Type != model.MetricTypeSummary {
		return nil
	}
	h := &Histogram{inf: math.NaN()}
	if n := len(f.Series); n > 0 {
		last := f.Series[n-1].Histogram
		h.Bounds, h.shared = last.Bounds, true
		last.shared = last.shared || last.tally != nil // which may insert in the middle
		// No more than usual: one huge histogram must not make all that follow huge.
		h.Counts = make([]float64, 0, min(len(h.Bounds), 64))
	}
	return h
}

// add appends a bucket. Nearly every page lists them in order, and with the
// bounds of the series before, which are then shared; finish sorts the others.
func (h *Histogram) add(bound, count float64) {
	if math.IsInf(bound, 1) {
		h.inf = count
		return
	}
	n := len(h.Counts)
	if !h.shared || n == len(h.Bounds) || h.Bounds[n] != bound {
		if h.shared {
			h.Bounds, h.shared = slices.Clone(h.Bounds[:n]), false
		}
		h.Bounds = append(h.Bounds, bound)
	}
	h.Counts = append(h.Counts, count)
	h.unsorted = h.unsorted || n > 0 && bound <= h.Bounds[n-1]
}

// finish leaves the bounds ascending, and as many as counts. Of a bound given
// twice the last count stands.
func (h *Histogram) finish() {
	h.Bounds = h.Bounds[:len(h.Counts):len(h.Counts)]
	if !h.unsorted {
		return
	}
	type bucket struct{ bound, count float64 }
	buckets := make([]bucket, len(h.Counts))
	for i := range buckets {
		buckets[i] = bucket{h.Bounds[i], h.Counts[i]}
	}
	slices.SortStableFunc(buckets, func(x, y bucket) int { return cmp.Compare(x.bound, y.bound) })
	h.Bounds, h.Counts = nil, nil // shared, the first of them
	for i, x := range buckets {
		if i+1 == len(buckets) || buckets[i+1].bound != x.bound {
			h.Bounds, h.Counts = append(h.Bounds, x.bound), append(h.Counts, x.count)
		}
	}
}
