package promtext

import (
	"math"
	"slices"

	"github.com/prometheus/common/model"
)

// combine adds one line to the reduced series that it belongs to; the bound is
// already cut out of its block.
func (b *builder) combine(pt part, block []byte, bound, value float64) error {
	f, r := &b.page.Families[b.family], b.reducer
	if pt == partValue && r.Drop != nil && !r.dates && r.Drop(value) {
		return nil
	}
	if (pt == partValue || f.Type == model.MetricTypeSummary && pt != partBound) && !r.valid(value) {
		f.Invalid++
		return nil
	}
	s, fresh, err := b.reducedSeries(block)
	if err != nil {
		return err
	}
	h := s.Histogram
	switch pt {
	case partValue:
		if fresh {
			s.Value = value
		} else {
			s.Value = r.join(s.Value, value)
		}
	case partSum:
		h.Sum += value
		h.tally.sums++
	case partCount:
		h.Count += value
		h.tally.counts++
	case partBound:
		h.addTo(bound, value)
	}
	return nil
}

// reducedSeries returns the series of the current family that block is reduced to,
// and whether it is a new one.
func (b *builder) reducedSeries(block []byte) (s *Series, fresh bool, err error) {
	if b.lastFamily == b.family && string(b.lastBlock) == string(block) {
		return &b.page.Families[b.family].Series[b.lastSeries], false, nil
	}
	r := b.reducer
	if err := r.cut(block); err != nil {
		return nil, false, err
	}
	r.admit()
	b.key = r.appendKey(b.key[:0], b.family)
	i, ok := b.reduced[string(b.key)]
	if !ok {
		if i, err = b.newSeries(r.labels(&b.scratch)); err != nil {
			return nil, false, err
		}
		b.reduced[string(b.key)] = i
		if h := b.page.Families[b.family].Series[i].Histogram; h != nil {
			h.tally = &tally{}
		}
	}
	b.remember(block, i)
	return &b.page.Families[b.family].Series[i], !ok, nil
}

// tally counts how often each part of a combined histogram was given: by every
// source alike, or they do not fit together.
type tally struct {
	buckets           []uint32
	inf, sums, counts uint32
	// next is the bucket that the next line most likely belongs to.
	next int
}

// maxBuckets is the largest number of bounds that a combined histogram may have:
// sources that each bring their own must not make it grow with the page.
const maxBuckets = 1024

// addTo adds count to the bucket of that bound.
func (h *Histogram) addTo(bound, count float64) {
	t := h.tally
	if math.IsInf(bound, 1) {
		if t.inf == 0 {
			h.inf = 0
		}
		h.inf += count
		t.inf++
		t.next = 0
		return
	}
	i := t.next
	if i >= len(h.Counts) || h.Bounds[i] != bound {
		if i = h.bucket(bound); i < 0 {
			h.mixed = true
			return
		}
	}
	h.Counts[i] += count
	t.buckets[i]++
	t.next = i + 1
}

// bucket returns the index of the bucket of that bound, which it makes where there
// is none, or -1 where there are too many.
func (h *Histogram) bucket(bound float64) int {
	n := len(h.Counts)
	i, ok := slices.BinarySearch(h.Bounds[:n], bound)
	if ok {
		return i
	}
	if n >= maxBuckets {
		return -1
	}
	if !h.shared || i < n || n == len(h.Bounds) || h.Bounds[n] != bound {
		if h.shared {
			h.Bounds, h.shared = slices.Clone(h.Bounds[:n]), false
		}
		h.Bounds = slices.Insert(h.Bounds, i, bound)
	}
	h.Counts = slices.Insert(h.Counts, i, 0)
	h.tally.buckets = slices.Insert(h.tally.buckets, i, 0)
	return i
}

// settle ends the combining.
func (h *Histogram) settle(typ model.MetricType) {
	t := h.tally
	h.tally = nil
	n := len(h.Counts)
	h.Bounds = h.Bounds[:n:n]
	sources := max(t.inf, t.sums, t.counts)
	for _, given := range t.buckets {
		sources = max(sources, given)
	}
	if typ == model.MetricTypeSummary {
		if sources > 1 {
			h.Bounds, h.Counts = nil, nil
		}
		return
	}
	for _, given := range append(t.buckets, t.inf, t.sums, t.counts) {
		// One that none gave is missing on the page, as it may without a Reduction.
		h.mixed = h.mixed || given != 0 && given != sources
	}
}
