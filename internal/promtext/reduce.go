package promtext

import (
	"github.com/prometheus/common/model"
)

// ReduceFunc says how the series of a metric are made fewer; nil keeps them as they
// are. It sees the name and type of each family once.
type ReduceFunc func(name string, typ model.MetricType) *Reduction

// Reduction drops labels while a page is read, so that memory grows with what is
// kept and not with the page. Series that become equal are combined: those of
// counters and histograms are added, bucket by bucket, start times become the
// earliest, and gauges are combined as Gauges says.
type Reduction struct {
	// Keep names the labels that stay. A nil *Values keeps every value of a label.
	Keep map[string]*Values
	// Absent lists values that stand for a missing label, such as "None". The empty
	// value always does.
	Absent []string
	// Gauges says how gauges that become equal are combined.
	Gauges Combine
	// Drop says which values are not recorded at all, such as +Inf where that stands
	// for "no limit". Nil drops none.
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

// Values admits the first values of a label that it sees, up to a limit, and turns
// all others into one. It remembers them from page to page, so that a series does
// not change its name. It is for one page at a time.
type Values struct {
	limit    int
	overflow string
	admitted map[string]string
	refused  int
}

// NewValues returns a Values that turns what is beyond limit into overflow.
func NewValues(limit int, overflow string) *Values {
	return &Values{limit: limit, overflow: overflow, admitted: make(map[string]string)}
}
