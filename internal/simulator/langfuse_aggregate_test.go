package simulator

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLangfuseQuantile(t *testing.T) {
	values := []float64{40, 10, 30, 20}
	for level, want := range map[float64]float64{0: 10, 0.5: 25, 0.75: 32.5, 0.9: 37, 1: 40} {
		assert.InDelta(t, want, quantileOf(values, level), 1e-12, level)
	}
	assert.InDelta(t, 7, quantileOf([]float64{7}, 0.99), 0)
	assert.True(t, math.IsNaN(quantileOf(nil, 0.5)))
}

func TestLangfuseHistogram(t *testing.T) {
	assert.Empty(t, histogramOf(nil, 10))
	assert.Equal(t, [][3]float64{{5, 5, 2}}, histogramOf([]float64{5, 5}, 10))
	assert.Equal(t, [][3]float64{{0, 2.5, 2}, {2.5, 5, 0}, {5, 7.5, 1}, {7.5, 10, 2}}, histogramOf([]float64{0, 1, 5, 9, 10}, 4))
}

func TestLangfuseBuckets(t *testing.T) {
	sunday := time.Date(2026, time.March, 1, 23, 59, 59, 999, time.FixedZone("", 3600)) // 22:59:59 UTC
	for granularity, want := range map[string][2]string{
		"minute": {"2026-03-01T22:59:00Z", "2026-03-01T23:00:00Z"},
		"hour":   {"2026-03-01T22:00:00Z", "2026-03-01T23:00:00Z"},
		"day":    {"2026-03-01", "2026-03-02"},
		"week":   {"2026-02-23", "2026-03-02"},
		"month":  {"2026-03-01", "2026-04-01"},
	} {
		b := bucketOf(sunday, granularity)
		assert.Equal(t, want[0], bucketText(b, granularity))
		assert.Equal(t, want[1], bucketText(nextBucket(b, granularity), granularity))
		assert.Equal(t, b, bucketOf(b, granularity), "a bucket begins with itself")
	}
	for d, want := range map[time.Duration]string{
		2*time.Hour - 1: "minute", 2 * time.Hour: "hour", 72*time.Hour - 1: "hour", 72 * time.Hour: "day",
		1440 * time.Hour: "week", 8759 * time.Hour: "week", 8760 * time.Hour: "month",
	} {
		assert.Equal(t, want, autoGranularity(d), d)
	}
}
