package promtext

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestValues(t *testing.T) {
	teams := NewValues(2, "other")
	r := &Reduction{Keep: map[string]*Values{"team": teams}, Absent: []string{"None"}}
	long := strings.Repeat("x", maxValue+1)

	p := reduce(t, `c{team="b"} 1
c{team="`+long+`"} 2
c{team="None"} 4
c{team="other"} 8
c{team="\"a\""} 16
c{team="c"} 32
c{team="b"} 64
c{team="d"} 128
# TYPE h histogram
h_bucket{team="d",le="1"} 1
h_bucket{team="d",le="+Inf"} 1
h_count{team="d"} 1
h_count{team="b"} 1
`, r)
	assert.Equal(t, `unknown c
  {team="b"} 65
  {team="other"} 170
  {} 4
  {team="\"a\""} 16
histogram h
  {team="other"} count=1 sum=0 1:1 inf=1
  {team="b"} count=1 sum=0 inf=NaN
`, dump(p))
	assert.Equal(t, 4, teams.Refused())
	assert.Zero(t, teams.Refused())

	p = reduce(t, "c{team=\"c\"} 1\nc{team=\"\\\"a\\\"\"} 2\nc{team=\"b\"} 4\n", r)
	assert.Equal(t, "unknown c\n  {team=\"other\"} 1\n  {team=\"\\\"a\\\"\"} 2\n  {team=\"b\"} 4\n", dump(p), "the first stay the first")
	assert.Equal(t, 1, teams.Refused())
}

func TestValuesOfTheLimit(t *testing.T) {
	longest := strings.Repeat("x", maxValue)
	v := NewValues(1, "other")
	p := reduce(t, "c{a=\""+longest+"\"} 1\nc{a=\"y\"} 1\n", &Reduction{Keep: map[string]*Values{"a": v}})
	assert.Equal(t, longest, p.Family("c").Series[0].Labels.Get("a"))
	assert.Equal(t, 1, v.Refused())

	none := NewValues(0, "other")
	p = reduce(t, "c{a=\"x\"} 1\nc{a=\"y\"} 2\n", &Reduction{Keep: map[string]*Values{"a": none}})
	assert.Equal(t, "unknown c\n  {a=\"other\"} 3\n", dump(p))
}

// A value that Drop or a Reduction leaves out takes no place.
func TestValuesOfDroppedSamples(t *testing.T) {
	v := NewValues(1, "other")
	p := reduce(t, "# TYPE g gauge\ng{a=\"x\"} 9\ng{a=\"y\"} NaN\ng{a=\"z\"} 1\n", &Reduction{
		Keep: map[string]*Values{"a": v},
		Drop: func(value float64) bool { return value == 9 },
	})
	assert.Equal(t, "gauge g\n  {a=\"z\"} 1\n", dump(p))
	assert.Zero(t, v.Refused())
}
