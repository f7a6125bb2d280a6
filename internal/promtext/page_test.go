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

// parse returns the page in text, which must be a good one.
func parse(tb testing.TB, text string) *Page {
	tb.Helper()
	p, err := Parse(strings.NewReader(text), Options{})
	require.NoError(tb, err)
	return p
}

// dump writes a page in a form that tests can compare: a line for each family
// and one for each of its series.
func dump(p *Page) string {
	var out strings.Builder
	for _, f := range p.Families {
		fmt.Fprintln(&out, f.Type, f.Name)
		for _, s := range f.Series {
			fmt.Fprint(&out, "  ", s.Labels)
			if h := s.Histogram; h != nil {
				fmt.Fprint(&out, " count=", h.Count, " sum=", h.Sum)
				for i, bound := range h.Bounds {
					fmt.Fprint(&out, " ", bound, ":", h.Counts[i])
				}
				fmt.Fprint(&out, " inf=", h.inf)
			} else {
				fmt.Fprint(&out, " ", s.Value)
			}
			if s.Created != 0 {
				fmt.Fprint(&out, " created=", s.Created)
			}
			fmt.Fprintln(&out)
		}
	}
	return out.String()
}

func TestPageFamily(t *testing.T) {
	p := parse(t, "# TYPE a counter\na 1\n# TYPE a_created gauge\na_created 5\n# TYPE b gauge\nb 2\nb{x=\"1\"} 3\n")
	assert.Equal(t, "a", p.Family("a").Name)
	assert.Equal(t, model.MetricTypeGauge, p.Family("b").Type)
	assert.Nil(t, p.Family("a_created"), "handed to a")
	assert.Nil(t, p.Family("c"))
	assert.Equal(t, 3, p.SeriesCount())
}

func TestHistogramValid(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tt := range []struct {
		name  string
		h     Histogram
		valid bool
	}{
		{"good", Histogram{Counts: []float64{0, 1, 1, 4}, Count: 5, Sum: -2, inf: 5}, true},
		{"no observation", Histogram{Counts: []float64{0, 0}, inf: 0}, true},
		{"no bucket", Histogram{Count: 3, inf: nan}, true},
		{"no +Inf bucket", Histogram{Counts: []float64{2}, Count: 3, inf: nan}, true},
		{"negative bucket", Histogram{Counts: []float64{-1, 2}, Count: 3, inf: 3}, false},
		{"bucket falls", Histogram{Counts: []float64{2, 1}, Count: 3, inf: 3}, false},
		{"bucket is NaN", Histogram{Counts: []float64{nan}, Count: 3, inf: 3}, false},
		{"bucket is infinite", Histogram{Counts: []float64{inf}, Count: 3, inf: 3}, false},
		{"bucket above count", Histogram{Counts: []float64{4}, Count: 3, inf: 3}, false},
		{"negative count", Histogram{Count: -1, inf: -1}, false},
		{"count is NaN", Histogram{Count: nan, inf: nan}, false},
		{"count is infinite", Histogram{Count: inf, inf: inf}, false},
		{"count fits no integer", Histogram{Count: 1 << 63, inf: 1 << 63}, false},
		{"sum is NaN", Histogram{Count: 1, Sum: nan, inf: 1}, false},
		{"sum is infinite", Histogram{Count: 1, Sum: inf, inf: 1}, false},
		{"sum is -infinite", Histogram{Count: 1, Sum: -inf, inf: 1}, false},
		{"+Inf bucket below count", Histogram{Count: 3, inf: 2}, false},
		{"+Inf bucket above count", Histogram{Count: 3, inf: inf}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.valid, tt.h.Valid())
		})
	}
}
