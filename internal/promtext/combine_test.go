package promtext

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReduceMixedHistograms(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		valid      bool
	}{
		{"the same bounds", `h_bucket{key="1",le="1"} 1
h_bucket{key="1",le="+Inf"} 2
h_count{key="1"} 2
h_bucket{key="2",le="1"} 1
h_bucket{key="2",le="+Inf"} 2
h_count{key="2"} 2
`, true},
		{"nothing but counts", "h_count{key=\"1\"} 1\nh_count{key=\"2\"} 1\n", true},
		{"another bound", `h_bucket{key="1",le="1"} 1
h_bucket{key="1",le="+Inf"} 2
h_count{key="1"} 2
h_bucket{key="2",le="3"} 1
h_bucket{key="2",le="+Inf"} 2
h_count{key="2"} 2
`, false},
		{"a bound more", `h_bucket{key="1",le="1"} 1
h_bucket{key="1",le="+Inf"} 2
h_count{key="1"} 2
h_bucket{key="2",le="1"} 1
h_bucket{key="2",le="2"} 2
h_bucket{key="2",le="+Inf"} 2
h_count{key="2"} 2
`, false},
		{"a bound less", `h_bucket{key="1",le="1"} 1
h_bucket{key="1",le="2"} 1
h_count{key="1"} 2
h_bucket{key="2",le="2"} 2
h_count{key="2"} 2
`, false},
		{"no +Inf bucket", `h_bucket{key="1",le="+Inf"} 0
h_count{key="1"} 0
h_count{key="2"} 0
`, false},
		{"no sum", "h_sum{key=\"1\"} 1\nh_count{key=\"1\"} 1\nh_count{key=\"2\"} 0\n", false},
		{"no count", "h_sum{key=\"1\"} 1\nh_count{key=\"1\"} 1\nh_sum{key=\"2\"} 0\n", false},
		{"falling buckets", "h_bucket{key=\"1\",le=\"1\"} 3\nh_bucket{key=\"1\",le=\"2\"} 1\nh_count{key=\"1\"} 3\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := reduce(t, "# TYPE h histogram\n"+tt.page, keep()).Family("h")
			require.Len(t, f.Series, 1)
			assert.Equal(t, tt.valid, f.Series[0].Histogram.Valid())
		})
	}
}

// Sources that each bring a bound of their own must not make the sum grow with them.
func TestReduceTooManyBounds(t *testing.T) {
	var page strings.Builder
	page.WriteString("# TYPE h histogram\n")
	for i := range 3 * maxBuckets {
		fmt.Fprintf(&page, "h_bucket{key=\"%d\",le=\"%d\"} 0\n", i, -i)
	}
	h := reduce(t, page.String(), keep()).Family("h").Series[0].Histogram
	assert.Len(t, h.Bounds, maxBuckets)
	assert.Len(t, h.Counts, maxBuckets)
	assert.IsIncreasing(t, h.Bounds)
	assert.False(t, h.Valid())
}

func TestReduceBoundsAreShared(t *testing.T) {
	f := reduce(t, `# TYPE h histogram
h_bucket{a="x",le="1"} 1
h_bucket{a="x",le="8"} 1
h_bucket{a="y",le="1"} 1
h_bucket{a="y",le="8"} 1
h_bucket{a="z",le="1"} 1
h_bucket{a="z",le="8"} 1
h_bucket{a="x",le="4"} 1
h_bucket{a="y",le="2"} 1
h_bucket{a="y",le="9"} 1
`, keep("a")).Family("h")
	assert.Equal(t, []float64{1, 4, 8}, f.Series[0].Histogram.Bounds)
	assert.Equal(t, []float64{1, 2, 8, 9}, f.Series[1].Histogram.Bounds)
	assert.Equal(t, []float64{1, 8}, f.Series[2].Histogram.Bounds)

	f = reduce(t, "# TYPE h histogram\nh_bucket{a=\"x\",le=\"1\"} 1\nh_bucket{a=\"y\",le=\"1\"} 1\nh_bucket{a=\"x\",le=\"1\"} 1\n", keep("a")).Family("h")
	assert.Same(t, &f.Series[0].Histogram.Bounds[0], &f.Series[1].Histogram.Bounds[0])
}
