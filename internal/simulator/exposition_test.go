package simulator

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return x
}

func TestFormatFloat(t *testing.T) {
	for want, x := range map[string]float64{
		"0.0":                0,
		"1.0":                1,
		"-1.0":               -1,
		"0.001":              0.001,
		"2.5e-05":            0.000025,
		"99999.5":            99999.5,
		"131072.0":           131072,
		"999999.0":           999999,
		"1e+06":              1e6,
		"1.048576e+06":       1048576,
		"1.793798144e+09":    1793798144,
		"3.5915956224e+010":  35915956224,
		"1.23456789e+06":     1234567.89,
		"1e+16":              1e16,
		"-3000000.0":         -3e6,
		"0.5106480121612549": 0.5106480121612549,
		"+Inf":               math.Inf(1),
		"-Inf":               math.Inf(-1),
		"NaN":                math.NaN(),
	} {
		assert.Equal(t, want, formatFloat(x))
		if !math.IsNaN(x) {
			assert.Equal(t, x, number(t, want))
		}
	}
}

// TestFloatsOfCaptures prints every number of real pages as the real server did.
func TestFloatsOfCaptures(t *testing.T) {
	dir := os.Getenv("OTELCOL_LLM_FIXTURES")
	if dir == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "vllm", "*.prom"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		capture, err := os.ReadFile(file) // #nosec G304 -- chosen by the developer
		require.NoError(t, err)
		for sample, value := range parse(t, capture).values {
			assert.Equal(t, value, formatFloat(number(t, value)), sample)
		}
	}
}

func TestHistogramBoundIsInclusive(t *testing.T) {
	h := newHistogram([]float64{1, 2})
	h.observe(1, 1)
	h.observe(1.5, 2)
	h.observe(2, 1)
	h.observe(9, 1)
	assert.Equal(t, []float64{1, 3, 1}, h.counts)
	assert.InDelta(t, 5, h.count(), 0)
	assert.InDelta(t, 15, h.sum, 0)
}

func TestPageFamilies(t *testing.T) {
	created := time.Unix(1700000000, 500_000_000)
	h := newHistogram([]float64{0.1})
	h.observe(0.05, 1)
	h.observe(3, 1)
	var p page
	p.family("a:c", kindCounter, "Help.", []series{{labels: []label{{"z", "1"}, {"a", "q\"\\\n"}}, value: 2, created: created}})
	p.family("a:h", kindHistogram, "Help.", []series{{hist: h, created: created}})
	p.family("a:s", kindSummary, "Help.", []series{{hist: h}})
	p.family("a:empty", kindCounter, "Help.", nil)
	assert.Equal(t, strings.Join([]string{
		`# HELP a:c_total Help.`,
		`# TYPE a:c_total counter`,
		`a:c_total{a="q\"\\\n",z="1"} 2.0`,
		`# HELP a:c_created Help.`,
		`# TYPE a:c_created gauge`,
		`a:c_created{a="q\"\\\n",z="1"} 1.7000000005e+09`,
		`# HELP a:h Help.`,
		`# TYPE a:h histogram`,
		`a:h_bucket{le="0.1"} 1.0`,
		`a:h_bucket{le="+Inf"} 2.0`,
		`a:h_count 2.0`,
		`a:h_sum 3.05`,
		`# HELP a:h_created Help.`,
		`# TYPE a:h_created gauge`,
		`a:h_created 1.7000000005e+09`,
		`# HELP a:s Help.`,
		`# TYPE a:s summary`,
		`a:s_count 2.0`,
		`a:s_sum 3.05`,
		`# HELP a:empty_total Help.`,
		`# TYPE a:empty_total counter`,
		``,
	}, "\n"), p.String())
}
