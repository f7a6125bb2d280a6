package promtext

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keep is a Reduction of all families to labels with any value.
func keep(names ...string) *Reduction {
	r := &Reduction{Keep: map[string]*Values{}, Absent: []string{"None"}}
	for _, name := range names {
		r.Keep[name] = nil
	}
	return r
}

func always(r *Reduction) ReduceFunc {
	return func(string, model.MetricType) *Reduction { return r }
}

// reduce returns the page in text, which must be a good one, with r for all families.
func reduce(tb testing.TB, text string, r *Reduction) *Page {
	tb.Helper()
	p, err := Parse(strings.NewReader(text), Options{Reduce: always(r)})
	require.NoError(tb, err)
	return p
}

func TestReduce(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		reduction  *Reduction
		want       string
		invalid    int
	}{
		{
			"counters are added", `# TYPE c_total counter
c_total{key="1",model="a"} 1
c_total{key="2",model="a"} 2
c_total{key="1",model="b"} 4
c_total{key="3",model="a"} 8
u{key="1",model="a"} -1
u{key="2",model="a"} 3
`, keep("model"), `counter c_total
  {model="a"} 11
  {model="b"} 4
unknown u
  {model="a"} 2
`, 0,
		},
		{
			"no label stays", `# TYPE c_total counter
c_total{key="1"} 1
c_total 2
c_total{} 4
`, keep(), `counter c_total
  {} 7
`, 0,
		},
		{
			"the order of labels, blanks and escapes", `# TYPE c_total counter
c_total{a="\\x",key="1",b="2"} 1
c_total{ b = "2" , a = "\x" , } 2
c_total{b="2",key="\"",key="",a="\x"} 4
{"c_total","b"="2","a"="\x"} 8
c_total{b="é\n\"\\\\",key="3"} 16
`, keep("a", "b"), `counter c_total
  {a="\\x", b="2"} 15
  {b="é\n\"\\\\"} 16
`, 0,
		},
		{
			"quoted names of labels", `# TYPE c_total counter
c_total{"a.b"="1",key="1"} 1
c_total{key="2","a.b"="1"} 2
c_total{"a\"b"="1","a.b"="1"} 4
`, keep("a.b", `a"b`), `counter c_total
  {"a.b"="1"} 3
  {"a\"b"="1", "a.b"="1"} 4
`, 0,
		},
		{
			"absent values", `# TYPE c_total counter
c_total{a="None",b="x"} 1
c_total{a="",b="x"} 2
c_total{b="x"} 4
c_total{a="none",b="x"} 8
c_total{a="None",b=""} 16
`, keep("a", "b"), `counter c_total
  {b="x"} 7
  {a="none", b="x"} 8
  {} 16
`, 0,
		},
		{
			"values that run into each other", `# TYPE c_total counter
c_total{a="x",b="y"} 1
c_total{a="xy"} 2
c_total{b="xy"} 4
`, keep("a", "b"), `counter c_total
  {a="x", b="y"} 1
  {a="xy"} 2
  {b="xy"} 4
`, 0,
		},
		{
			"the last gauge", `# TYPE g gauge
g{key="1"} 3
g{key="2"} NaN
g{key="3"} +Inf
g{key="4"} -2
`, keep(), "gauge g\n  {} -2\n", 1,
		},
		{
			"the sum of gauges", `# TYPE g gauge
g{key="1"} 3
g{key="2"} NaN
g{key="3"} +Inf
g{key="4"} -2
`, &Reduction{Gauges: CombineSum}, "gauge g\n  {} 1\n", 2,
		},
		{
			"the least of gauges", `# TYPE g gauge
g{key="1"} 3
g{key="2"} NaN
g{key="3"} +Inf
g{key="4"} -2
g{key="5"} 0
`, &Reduction{Gauges: CombineMin}, "gauge g\n  {} -2\n", 1,
		},
		{
			"the greatest of gauges", `# TYPE g gauge
g{key="1"} 3
g{key="2"} NaN
g{key="3"} -Inf
g{key="4"} 2
`, &Reduction{Gauges: CombineMax}, "gauge g\n  {} 3\n", 1,
		},
		{
			"values that are dropped", `# TYPE g gauge
g{a="1"} +Inf
g{a="2"} 1
# TYPE c_total counter
c_total +Inf
`, &Reduction{Keep: map[string]*Values{"a": nil}, Drop: func(v float64) bool { return math.IsInf(v, 0) }}, `gauge g
  {a="2"} 1
counter c_total
`, 0,
		},
		{
			"counters that would spoil the sum", `# TYPE c_total counter
c_total{key="1"} 1
c_total{key="2"} NaN
c_total{key="3"} -1
c_total{key="4"} +Inf
c_total{key="5"} 2
u{key="1"} NaN
u{key="2"} -Inf
u{key="3"} -3
`, keep(), "counter c_total\n  {} 3\nunknown u\n  {} -3\n", 5,
		},
		{
			"a family of nothing but such", "# TYPE c_total counter\nc_total{a=\"x\"} NaN\n", keep("a"), "counter c_total\n", 1,
		},
		{
			"histograms are added", `# TYPE h histogram
h_bucket{a="x",key="1",le="1"} 1
h_bucket{a="x",key="1",le="2"} 2
h_bucket{a="x",key="1",le="+Inf"} 3
h_count{a="x",key="1"} 3
h_sum{a="x",key="1"} 4.5
h_bucket{a="y",key="1",le="1"} 0
h_bucket{a="y",key="1",le="2"} 0
h_bucket{a="y",key="1",le="+Inf"} 1
h_count{a="y",key="1"} 1
h_sum{a="y",key="1"} 9
h_bucket{le="1",a="x",key="2"} 10
h_bucket{le="2",a="x",key="2"} 10
h_bucket{le="+Inf",a="x",key="2"} 20
h_count{a="x",key="2"} 20
h_sum{a="x",key="2"} 100
`, keep("a"), `histogram h
  {a="x"} count=23 sum=104.5 1:11 2:12 inf=23
  {a="y"} count=1 sum=9 1:0 2:0 inf=1
`, 0,
		},
		{
			"histograms interleaved", `# TYPE h histogram
h_sum{key="1"} 4.5
h_bucket{key="1",le="2"} 2
h_bucket{key="2",le="1"} 10
h_count{key="2"} 20
h_bucket{key="1",le="+Inf"} 3
h_bucket{key="2",le="2"} 10
h_bucket{key="1",le="1"} 1
h_sum{key="2"} 100
h_bucket{key="2",le="+Inf"} 20
h_count{key="1"} 3
`, keep(), "histogram h\n  {} count=23 sum=104.5 1:11 2:12 inf=23\n", 0,
		},
		{
			"le stays no label", `# TYPE h histogram
h_bucket{a="x",le="1"} 1
h_count{a="x"} 1
`, keep("a", "le"), "histogram h\n  {a=\"x\"} count=1 sum=0 1:1 inf=NaN\n", 0,
		},
		{
			"a series given twice is added twice", "# TYPE c_total counter\nc_total{a=\"x\"} 1\nc_total{a=\"x\"} 1\n", keep("a"),
			"counter c_total\n  {a=\"x\"} 2\n", 0,
		},
		{
			"one summary keeps its quantiles", `# TYPE s summary
s{a="x",quantile="0.5"} 1
s{a="x",quantile="0.9"} 2
s_sum{a="x"} 3
s_count{a="x"} 4
`, keep("a"), "summary s\n  {a=\"x\"} count=4 sum=3 0.5:1 0.9:2 inf=NaN\n", 0,
		},
		{
			"several lose them", `# TYPE s summary
s{key="1",quantile="0.5"} 1
s_sum{key="1"} 3
s_count{key="1"} 4
s{key="2",quantile="0.5"} 1
s_sum{key="2"} NaN
s_count{key="2"} 4
`, keep("a"), "summary s\n  {} count=8 sum=3 inf=NaN\n", 1,
		},
		{
			"the earliest start time", `# TYPE c_total counter
c_total{a="x",key="1"} 1
c_total{a="x",key="2"} 2
c_total{a="y",key="2"} 2
c_total{a="z",key="2"} 2
# TYPE c_created gauge
c_created{a="x",key="1"} 1.6e9
c_created{a="x",key="2"} 1.5e9
c_created{a="x",key="3"} NaN
c_created{a="x",key="4"} 0
c_created{key="2",a="y"} 1.7e9
c_created{key="2",a="None"} 1.7e9
# TYPE h histogram
h_count{a="x",key="1"} 1
# TYPE h_created gauge
h_created{a="x",key="1"} 5
`, &Reduction{Keep: map[string]*Values{"a": nil}, Drop: func(v float64) bool { return v > 1e9 }}, `counter c_total
  {a="x"} 3 created=1.5e+09
  {a="y"} 2 created=1.7e+09
  {a="z"} 2
histogram h
  {a="x"} count=1 sum=0 inf=NaN created=5
`, 0,
		},
		{
			"start times before what they date are not used", `# TYPE c_created gauge
c_created{a="x",key="1"} 5
c_created{a="x",key="2"} 7
# TYPE c_total counter
c_total{a="x",key="1"} 1
c_total{a="x",key="2"} 2
`, keep("a"), "counter c_total\n  {a=\"x\"} 3\n", 0,
		},
		{
			"families twice and interleaved", `# TYPE c_total counter
c_total{key="1"} 1
# TYPE g gauge
g{key="1"} 1
c_total{key="2"} 2
# TYPE c_total counter
c_total{key="3"} 4
`, keep(), "counter c_total\n  {} 7\ngauge g\n  {} 1\n", 0,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := reduce(t, tt.page, tt.reduction)
			assert.Equal(t, tt.want, dump(p))
			invalid := 0
			for _, f := range p.Families {
				invalid += f.Invalid
			}
			assert.Equal(t, tt.invalid, invalid)
			assert.EqualValues(t, len(tt.page), p.Bytes)
		})
	}
}

func TestReduceSomeFamilies(t *testing.T) {
	const page = `# TYPE a_total counter
a_total{key="1"} 1
a_total{key="2"} 2
# TYPE a_created gauge
a_created{key="1"} 3
# TYPE h histogram
h_count{key="1"} 1
# TYPE g gauge
g{key="1"} 1
# TYPE g gauge
g{key="2"} 1
u 1
u 1
# TYPE h_created gauge
h_created{key="1"} 4
# TYPE skipped gauge
skipped{key="1"} 1
`
	var asked []string
	p, err := Parse(strings.NewReader(page), Options{
		Keep: func(name []byte) bool { return string(name) != "skipped" },
		Reduce: func(name string, typ model.MetricType) *Reduction {
			asked = append(asked, fmt.Sprint(typ, " ", name))
			if name != "a_total" {
				return nil
			}
			return keep()
		},
	})
	require.NoError(t, err)
	assert.Equal(t, `counter a_total
  {} 3 created=3
histogram h
  {key="1"} count=1 sum=0 inf=NaN created=4
gauge g
  {key="1"} 1
  {key="2"} 1
unknown u
  {} 1
`, dump(p))
	assert.Equal(t, []string{"counter a_total", "histogram h", "gauge g", "unknown u"}, asked)
	assert.Equal(t, 10, p.Samples)
}

func TestReduceErrors(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		want       error
	}{
		{"a label twice", "c{a=\"1\",key=\"1\",a=\"1\"} 1\n", ErrSyntax},
		{"an absent label twice", "c{a=\"None\",a=\"1\"} 1\n", ErrSyntax},
		{"no le", "# TYPE h histogram\nh_bucket{a=\"1\"} 1\n", ErrSyntax},
		{"kept series above the limit", "c{a=\"1\",key=\"1\"} 1\nc{a=\"1\",key=\"2\"} 1\nc{a=\"2\"} 1\nc{a=\"3\"} 1\n", ErrTooManySeries},
		{"kept series of the limit", "c{a=\"1\",key=\"1\"} 1\nc{a=\"1\",key=\"2\"} 1\nc{a=\"2\",key=\"3\"} 1\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(strings.NewReader(tt.page), Options{MaxSeries: 2, Reduce: always(keep("a"))})
			require.ErrorIs(t, err, tt.want)
		})
	}
}
