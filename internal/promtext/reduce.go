package promtext

import (
	"github.com/prometheus/common/model"
)

// ReduceFunc says how the series of a metric are made fewer; nil keeps them as they
// are. It sees the name and type of each family once; not those of start times that
// follow their family, which are reduced like it.
type ReduceFunc func(name string, typ model.MetricType) *Reduction

// Reduction drops labels while a page is read, so that memory grows with what is
// kept and not with the page. Series that become equal are combined:
//
//   - counters and untyped series are added;
//   - histograms are added bucket by bucket; those with different bounds make one
//     that is not Valid;
//   - the count and sum of summaries are added, their quantiles go;
//   - gauges are combined as Gauges says;
//   - of start times the earliest stands.
//
// A value that would spoil this (none may be NaN, what is added must be finite, a
// counter not negative) is left out and counted in Family.Invalid. A series that the
// page gives twice is added twice: to know it again would take the memory that this
// saves. Labels that are dropped are not checked for duplicates.
type Reduction struct {
	// Keep names the labels that stay. A nil *Values keeps every value of a label.
	Keep map[string]*Values
	// Absent lists values that stand for a missing label, such as "None". The empty
	// value always does.
	Absent []string
	// Gauges says how gauges that become equal are combined.
	Gauges Combine
	// Drop says which values of counters, gauges and untyped series are not recorded
	// at all, such as +Inf where that stands for "no limit". Nil drops none.
	Drop func(value float64) bool
}

// Combine is a way to make one gauge of several.
type Combine int

// The ways. CombineLast takes the last one on the page.
const (
	CombineLast Combine = iota
	CombineSum
	CombineMin
	CombineMax
)
