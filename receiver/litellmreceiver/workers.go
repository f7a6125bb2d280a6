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
	// last are the values of each process by series, in the order in which the
	// processes were seen last.
	last []*worker
	// sums are the increments of all since the beginning.
	sums map[uint64][]float64
}

type worker struct {
	start float64
	// values are those of its last page. Before its first one was read, fresh says
	// that all it counted is new, else nothing of it is.
	values       map[uint64][]float64
	known, fresh bool
}

func newWorkers() *workers {
	w := &workers{seed: maphash.MakeSeed()}
	w.forget()
	return w
}

// forget begins anew.
func (w *workers) forget() {
	w.last, w.sums = nil, make(map[uint64][]float64)
}

// turnTo makes the process that began at start the one whose page is recorded next.
// fresh says that it began after the last page of any.
func (w *workers) turnTo(start float64, fresh bool) {
	for _, of := range w.last {
		of.known = true
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

// counted returns what a counter of the process at hand comes to with those of the
// others.
func (w *workers) counted(metric string, a *attributes, value float64) float64 {
	return w.add(metric, a, value)[0]
}

// observed is the same for a histogram.
func (w *workers) observed(metric string, a *attributes, h *promtext.Histogram) *promtext.Histogram {
	sums := w.add(metric, a, append(slices.Clone(h.Counts), h.Count, h.Sum)...)
	n := len(h.Counts)
	return &promtext.Histogram{Bounds: h.Bounds, Counts: slices.Clone(sums[:n]), Count: sums[n], Sum: sums[n+1]}
}

func (w *workers) add(metric string, a *attributes, values ...float64) []float64 {
	key := maphash.Comparable(w.seed, struct {
		metric string
		attributes
	}{metric, *a})
	of := w.last[len(w.last)-1]
	before, seen := of.values[key]
	of.values[key] = values
	sums := w.sums[key]
	if len(sums) != len(values) {
		sums = make([]float64, len(values))
	}
	w.sums[key] = sums
	switch {
	case !seen && !of.known && !of.fresh:
		return sums // it was counted before anybody looked
	case len(before) != len(values), fell(before, values):
		before = make([]float64, len(values))
	}
	for i := range sums {
		sums[i] += values[i] - before[i]
	}
	return sums
}

// fell says whether a value is lower than before. The last one of a histogram is a
// sum, which may fall if observations are negative; LiteLLM's are not.
func fell(before, values []float64) bool {
	for i := range values {
		if values[i] < before[i] {
			return true
		}
	}
	return false
}
