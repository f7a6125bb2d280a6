package promtext

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func TestCopyTo(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		bounds     []float64
		buckets    []uint64
		count      uint64
		sum        float64
	}{
		{"usual", `h_bucket{le="0.5"} 1
h_bucket{le="1"} 1
h_bucket{le="2"} 4
h_bucket{le="+Inf"} 6
h_sum 9.5
h_count 6
`, []float64{.5, 1, 2}, []uint64{1, 0, 3, 2}, 6, 9.5},
		{"no observation", "h_bucket{le=\"1\"} 0\nh_bucket{le=\"+Inf\"} 0\n", []float64{1}, []uint64{0, 0}, 0, 0},
		{"no bucket", "h_count 3\nh_sum 1\n", nil, []uint64{3}, 3, 1},
		{"fractions", "h_bucket{le=\"1\"} 1.6\nh_bucket{le=\"2\"} 3.4\nh_count 3.9\n", []float64{1, 2}, []uint64{1, 2, 0}, 3, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := parse(t, "# TYPE h histogram\n"+tt.page).Family("h").Series[0].Histogram
			require.True(t, h.Valid())
			dp := pmetric.NewHistogramDataPoint()
			h.CopyTo(dp)
			assert.Equal(t, tt.bounds, dp.ExplicitBounds().AsRaw())
			assert.Equal(t, tt.buckets, dp.BucketCounts().AsRaw())
			assert.Equal(t, tt.count, dp.Count())
			assert.InDelta(t, tt.sum, dp.Sum(), 0)
		})
	}
}

// assertCopies copies h and adds its buckets up again.
func assertCopies(tb testing.TB, h *Histogram) {
	tb.Helper()
	dp := pmetric.NewHistogramDataPoint()
	h.CopyTo(dp)
	require.Equal(tb, len(h.Bounds), dp.ExplicitBounds().Len())
	require.Equal(tb, len(h.Bounds)+1, dp.BucketCounts().Len())
	total := uint64(0)
	for i := range dp.BucketCounts().Len() {
		total += dp.BucketCounts().At(i)
		if i < len(h.Bounds) {
			require.Equal(tb, uint64(h.Counts[i]), total)
			require.True(tb, i == 0 || h.Bounds[i-1] < h.Bounds[i], "bounds %v", h.Bounds)
		}
	}
	require.Equal(tb, dp.Count(), total)
}
