package litellmreceiver

import (
	"hash/maphash"
	"slices"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// workers adds up what several processes count, of which one shows its page at a
// time. It holds the last values of each.
type workers struct {
	seed maphash.Seed
	// last are the processes in the order in which they were seen last.
	last []*worker
	// totals are the increments of all since the beginning, and of holds those of each
	// number or histogram in their order: a page lacks what only other workers counted.
	totals map[uint64]*total
	of     map[any][]*total
}

type worker struct {
	start float64
	// values are those of its last page by series. Before its first one was read, fresh
	// says that all it counted is new, else nothing of it is.
	values      map[uint64][]float64
	read, fresh bool
}

// total is that of a series: one value, or the counts, the count and the sum of a
// histogram.
type total struct {
	attributes
	bounds []float64
	values []float64
}

func newWorkers() *workers {
	return &workers{seed: maphash.MakeSeed(), totals: make(map[uint64]*total), of: make(map[any][]*total)}
}

// turnTo makes the process that began at start the one whose page is recorded next.
// fresh says that it began after the last page of any.
func (w *workers) turnTo(start float64, fresh bool) {
	if n := len(w.last); n > 0 {
		w.last[n-1].read = true
	}
	i := slices.IndexFunc(w.last, func(of *worker) bool { return of.start == start })
	of := &worker{start: start, fresh: fresh, values: make(map[uint64][]float64)}
	if i >= 0 {
		of = w.last[i]
		w.last = slices.Delete(w.last, i, i+1)
	} else if len(w.last) == maxProcesses {
		w.last = slices.Delete(w.last, 0, 1)
	}
	w.last = append(w.last, of)
}

// numbers returns what the counters of the process at hand come to with those of the
// others.
func (w *workers) numbers(n *number, points []point) []point {
	for i := range points {
		w.add(n, n.metric, &points[i].attributes, nil, points[i].value)
	}
	points = points[:0]
	for _, t := range w.of[n] {
		points = append(points, point{t.attributes, t.values[0]})
	}
	return points
}

// distributions is the same for histograms.
func (w *workers) distributions(h *histogram, points []distribution) []distribution {
	for i := range points {
		p := &points[i]
		w.add(h, h.metric, &p.attributes, p.Bounds, append(slices.Clone(p.Counts), p.Count, p.Sum)...)
	}
	points = points[:0]
	for _, t := range w.of[h] {
		n := len(t.bounds)
		points = append(points, distribution{t.attributes, &promtext.Histogram{
			Bounds: t.bounds, Counts: slices.Clone(t.values[:n]), Count: t.values[n], Sum: t.values[n+1],
		}})
	}
	return points
}

func (w *workers) add(of any, metric string, a *attributes, bounds []float64, values ...float64) {
	key := maphash.Comparable(w.seed, struct {
		metric string
		attributes
	}{metric, *a})
	t := w.totals[key]
	if t == nil {
		t = &total{attributes: *a}
		w.totals[key] = t
		w.of[of] = append(w.of[of], t)
	}
	if !slices.Equal(t.bounds, bounds) || t.values == nil {
		t.bounds, t.values = bounds, make([]float64, len(values))
	}
	by := w.last[len(w.last)-1]
	before, seen := by.values[key]
	by.values[key] = values
	switch {
	case !seen && !by.read && !by.fresh:
		return // it was counted before anybody looked
	case len(before) != len(values), fell(before, values):
		before = make([]float64, len(values))
	}
	for i := range values {
		t.values[i] += values[i] - before[i]
	}
}

// fell says whether a value is lower than before.
func fell(before, values []float64) bool {
	for i := range values {
		if values[i] < before[i] {
			return true
		}
	}
	return false
}
