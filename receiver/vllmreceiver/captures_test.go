package vllmreceiver

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prom "github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// captures are real pages: OTELCOL_LLM_FIXTURES is a folder with vllm/*.prom.
func captures(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("OTELCOL_LLM_FIXTURES")
	if dir == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set: no captures of real servers to test with")
	}
	files, err := filepath.Glob(filepath.Join(dir, "vllm", "*.prom"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "OTELCOL_LLM_FIXTURES is set, but has no vllm/*.prom")
	return files
}

// replay serves a captured page; the other paths are not found.
func replay(page []byte) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(page)
	})
	return mux
}

func TestCaptures(t *testing.T) {
	for _, file := range captures(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			page, err := os.ReadFile(file)
			require.NoError(t, err)
			p := newProbe(t, newClock(), serve(t, replay(page)), everything)
			got := p.read(t)
			assert.InDelta(t, 1, got.value(t, "vllm.up"), 0)
			assert.Empty(t, got.problem(t))
			assertNothingLost(t, page, got)
		})
	}
}

// TestCapturedPair reads two captures of one process: nothing may look like a
// restart, and nothing may fall.
func TestCapturedPair(t *testing.T) {
	var pair [][]byte
	for _, file := range captures(t) {
		if strings.Contains(file, "mtp-specdecode-") {
			page, err := os.ReadFile(file)
			require.NoError(t, err)
			pair = append(pair, page)
		}
	}
	require.Len(t, pair, 2, "after and before")
	now := 1
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { replay(pair[now]).ServeHTTP(w, r) }))
	c := newClock()
	p := newProbe(t, c, url, everything)
	before := p.read(t)
	now = 0
	after := p.read(t)

	grew := 0
	for key, b := range before {
		if !b.monotonic || strings.HasPrefix(b.metric, "vllm.scrape") {
			continue
		}
		a, ok := after[key]
		require.True(t, ok, key)
		assert.Equal(t, b.start, a.start, key)
		if b.isHistogram() {
			assert.GreaterOrEqual(t, a.histogram.Count(), b.histogram.Count(), key)
			assert.GreaterOrEqual(t, a.histogram.Sum(), b.histogram.Sum(), key)
			for i, n := range b.histogram.BucketCounts().All() {
				assert.GreaterOrEqual(t, a.histogram.BucketCounts().At(i), n, key)
			}
			continue
		}
		assert.GreaterOrEqual(t, a.value, b.value, key)
		if a.value > b.value {
			grew++
		}
	}
	assert.Positive(t, grew)
	assert.Empty(t, after.ended())
}

// leftOut are the series of vLLM whose values are deliberately not recorded, with
// the name on the same page that says the same. Whoever adds one gives a reason.
var leftOut = map[string]string{
	"tokens":                        "prompt_tokens",               // the sum of prompt_tokens and generation_tokens
	"gpu_cache_usage_perc":          "kv_cache_usage_perc",         // renamed, both for a while
	"gpu_prefix_cache_queries":      "prefix_cache_queries",        // renamed, both for a while
	"gpu_prefix_cache_hits":         "prefix_cache_hits",           // renamed, both for a while
	"time_per_output_token_seconds": "inter_token_latency_seconds", // renamed, both for a while
	"time_in_queue_requests":        "request_queue_time_seconds",  // duplicate
}

// information are families whose labels, not values, tell something; tests of
// their own look at what becomes of them.
var information = []string{cacheConfig, loraInfo}

// assertNothingLost is the law of this receiver: every series of the page is in
// what was recorded, with its value. The page is read by another parser than the
// receiver's own.
func assertNothingLost(t *testing.T, page []byte, got readings) {
	t.Helper()
	assert.Zero(t, got.value(t, "vllm.scrape.unknown_series"))
	assert.Zero(t, got.value(t, "vllm.scrape.invalid_series"))

	parser := expfmt.NewTextParser(prom.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	require.NoError(t, err)
	checked := 0
	for name, family := range families {
		source, ok := plainName(name, family.GetType())
		if !ok || strings.HasSuffix(name, "_created") || len(family.Metric) == 0 {
			continue
		}
		metrics := metricsOf(source)
		if instead, ok := leftOut[source]; ok {
			require.NotNil(t, familyOf(families, source), source)
			if familyOf(families, instead) != nil {
				continue
			}
		}
		if slices.Contains(information, source) {
			continue
		}
		require.NotEmpty(t, metrics, "%s: no metric is made of it", name)
		for _, series := range family.Metric {
			if strings.HasSuffix(source, "prefix_cache_hit_rate") && series.GetGauge().GetValue() == -1 {
				continue // not known yet
			}
			assertRecorded(t, name, series, metrics, got)
			checked++
		}
	}
	assert.Greater(t, checked, 10)
}

func familyOf(families map[string]*dto.MetricFamily, source string) *dto.MetricFamily {
	for name, family := range families {
		if plain, ok := plainName(name, family.GetType()); ok && plain == source && len(family.Metric) > 0 {
			return family
		}
	}
	return nil
}

// plainName is the name in the receiver's tables; false for other owners' names.
func plainName(name string, typ dto.MetricType) (string, bool) {
	if typ == dto.MetricType_COUNTER {
		name = strings.TrimSuffix(name, "_total")
	}
	for _, prefix := range []string{"ray_vllm:", "ray_vllm_", "vllm:", "vllm_"} {
		if plain, ok := strings.CutPrefix(name, prefix); ok {
			return plain, true
		}
	}
	return name, strings.HasPrefix(name, "http_")
}

// metricsOf are the metrics that may be made of a family.
func metricsOf(source string) []string {
	var metrics []string
	for _, n := range slices.Concat(numbers, httpNumbers) {
		if slices.Contains(n.sources, source) {
			metrics = append(metrics, n.metric)
		}
	}
	for _, h := range slices.Concat(histograms, httpHistograms) {
		if slices.Contains(h.sources, source) {
			metrics = append(metrics, h.metric)
		}
	}
	return metrics
}

// assertRecorded looks for a point of one of the metrics with the labels and the
// value of the series. Which attribute a label becomes is not asked: what each
// says must be there.
func assertRecorded(t *testing.T, name string, series *dto.Metric, metrics []string, got readings) {
	t.Helper()
	var mismatches []string
	for _, metric := range metrics {
		for _, r := range got.of(metric) {
			if !hasLabels(r, series) {
				continue
			}
			if difference := differs(r, series); difference != "" {
				mismatches = append(mismatches, difference)
				continue
			}
			return
		}
	}
	assert.Fail(t, "series lost", "%s%v is not in %v: %v", name, series.GetLabel(), metrics, mismatches)
}

func hasLabels(r reading, series *dto.Metric) bool {
	values := map[string]bool{}
	for _, v := range r.attributes {
		values[fmt.Sprint(v)] = true
	}
	for _, l := range series.GetLabel() {
		switch l.GetName() {
		case "NodeAddress", "SessionName", "Version", "WorkerId": // Ray's own
			continue
		case "engine": // recorded only where there are several
			if _, several := r.attributes["vllm.engine"]; !several && l.GetValue() == "0" {
				continue
			}
		}
		if !values[l.GetValue()] {
			return false
		}
	}
	return true
}

// differs says in what the point differs from the series, empty if in nothing.
func differs(r reading, series *dto.Metric) string {
	h, s := series.GetHistogram(), series.GetSummary()
	switch {
	case h != nil:
		return histogramDiffers(r, h)
	case s != nil:
		if r.histogram.Count() != s.GetSampleCount() || r.histogram.Sum() != s.GetSampleSum() {
			return r.metric + ": count or sum"
		}
		return ""
	}
	want := series.GetGauge().GetValue() + series.GetCounter().GetValue() + series.GetUntyped().GetValue()
	if r.value != want {
		return fmt.Sprintf("%s: %v, not %v", r.metric, r.value, want)
	}
	return ""
}

func histogramDiffers(r reading, h *dto.Histogram) string {
	if r.histogram.Count() != h.GetSampleCount() || r.histogram.Sum() != h.GetSampleSum() {
		return r.metric + ": count or sum"
	}
	bounds, counts := r.histogram.ExplicitBounds(), r.histogram.BucketCounts()
	if counts.Len() != bounds.Len()+1 || counts.Len() != len(h.GetBucket()) {
		return fmt.Sprintf("%s: %d buckets, not %d", r.metric, counts.Len(), len(h.GetBucket()))
	}
	cumulative := uint64(0)
	for i, bucket := range h.GetBucket() {
		cumulative += counts.At(i)
		bound := math.Inf(1)
		if i < bounds.Len() {
			bound = bounds.At(i)
		}
		if bound != bucket.GetUpperBound() || cumulative != bucket.GetCumulativeCount() {
			return fmt.Sprintf("%s: bucket %v", r.metric, bucket.GetUpperBound())
		}
	}
	return ""
}

// TestCapturedStart: the start time is that of the process on the page.
func TestCapturedStart(t *testing.T) {
	const mark = "\nprocess_start_time_seconds "
	for _, file := range captures(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			page, err := os.ReadFile(file)
			require.NoError(t, err)
			_, rest, ok := strings.Cut(string(page), mark)
			require.True(t, ok)
			var want float64
			_, err = fmt.Sscan(rest, &want)
			require.NoError(t, err)
			got := newProbe(t, newClock(), serve(t, replay(page))).read(t)
			for _, r := range got.of("vllm.tokens.output") {
				assert.WithinDuration(t, unixTime(want), r.start.AsTime(), time.Millisecond)
			}
		})
	}
}
