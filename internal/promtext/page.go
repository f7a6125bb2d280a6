package promtext

import (
	"math"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// Page is one parsed page: its families in the order of the page.
type Page struct {
	// Families never holds two entries of the same name.
	Families []Family
	// Bytes is the size of the page as read, that is after decompression.
	Bytes int64
	// Samples is the number of lines with a value, with those that were not kept
	// and before any Reduction.
	Samples int

	index map[string]int
}

// Family is every series of one metric name.
type Family struct {
	// Name is the name on the TYPE line (counters keep their _total), or the
	// name of the sample where the page has no TYPE line for it.
	Name string
	// Type is model.MetricTypeUnknown where the page does not tell.
	Type model.MetricType
	// Series holds one entry for each label set, in the order of the page. Where
	// the page gives one twice, the last value stands.
	Series []Series
	// Invalid is the number of samples that a Reduction left out, because a sum
	// with their value would be wrong.
	Invalid int

	// reducer is nil once the page is complete.
	reducer *reducer
}

// Series is the state of one label set of a family.
type Series struct {
	// Labels has neither the metric name nor le or quantile.
	Labels labels.Labels
	// Value of a counter, a gauge or an untyped series; not used by histograms
	// and summaries.
	Value float64
	// Created is the Unix time in seconds at which the series began to count,
	// 0 where the page does not tell.
	Created float64
	// Histogram is nil except in families of type histogram or summary. For a
	// summary, Bounds holds quantiles and Counts their values.
	Histogram *Histogram
}

// Histogram is a classic histogram as the page gives it.
type Histogram struct {
	// Bounds are the upper bounds, ascending, without +Inf. Series of one family
	// share the slice where their bounds are equal: do not change it.
	Bounds []float64
	// Counts are cumulative, one for each bound.
	Counts []float64
	// Count is the number of observations, Sum their sum.
	Count, Sum float64

	// inf is the +Inf bucket; NaN until seen.
	inf float64
	// shared says that Bounds are those of another series, unsorted that they
	// did not ascend on the page.
	shared, unsorted bool
	// tally is nil unless the histogram is being combined of several; mixed says
	// that they did not fit together.
	tally *tally
	mixed bool
}

// Family returns the family of that name, or nil.
func (p *Page) Family(name string) *Family {
	if i, ok := p.index[name]; ok {
		return &p.Families[i]
	}
	return nil
}

// SeriesCount is the number of series on the page, a histogram counting as one.
func (p *Page) SeriesCount() int {
	n := 0
	for i := range p.Families {
		n += len(p.Families[i].Series)
	}
	return n
}

// Valid says whether the histogram can be true: counts that are not negative, do
// not fall from bucket to bucket and fit an integer, a +Inf bucket (if any) that
// equals the count, and a finite sum. One that a Reduction combined must be of
// histograms with the same bounds. It has no meaning for summaries.
func (h *Histogram) Valid() bool {
	if h.mixed {
		return false
	}
	last := 0.0
	for _, c := range h.Counts {
		if !(c >= last) { // NaN fails the comparison
			return false
		}
		last = c
	}
	return h.Count >= last && h.Count < 1<<63 && !math.IsNaN(h.Sum) && !math.IsInf(h.Sum, 0) &&
		(math.IsNaN(h.inf) || h.inf == h.Count)
}
