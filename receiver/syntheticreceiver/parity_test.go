package syntheticreceiver

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-llm/otelcol-llm/receiver/syntheticreceiver/internal/metadata"
)

// capture is what a real server once answered: OTELCOL_LLM_FIXTURES is a folder of them.
func capture(t *testing.T, path ...string) []byte {
	t.Helper()
	dir := os.Getenv("OTELCOL_LLM_FIXTURES")
	if dir == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set: no captures of real servers to compare with")
	}
	text, err := os.ReadFile(filepath.Join(append([]string{dir}, path...)...))
	require.NoError(t, err)
	return text
}

// afternoon is three hours of the reference site, as the receivers inside read it.
var afternoon = sync.OnceValues(func() ([]pmetric.Metrics, error) {
	var all []pmetric.Metrics
	r := &Replay{Config: createDefaultConfig().(*Config), From: replayStart, To: replayStart.Add(3 * time.Hour), Step: 5 * time.Minute}
	return all, r.Run(context.Background(), receivertest.NewNopSettings(metadata.Type), func(_ context.Context, _ time.Time, md pmetric.Metrics) error {
		all = append(all, md)
		return nil
	})
})

// shape is all of a series but its values: what dashboards and alerts are built on.
type shape struct{ metric, kind, unit, attributes string }

func (s shape) String() string {
	return fmt.Sprintf("%s{%s} %s in %q", s.metric, s.attributes, s.kind, s.unit)
}

// shapesOf returns the shapes of the metrics of the resources that are wanted.
func shapesOf(all []pmetric.Metrics, wanted func(pcommon.Map) bool) map[shape]bool {
	found := make(map[shape]bool)
	for _, md := range all {
		for _, rm := range md.ResourceMetrics().All() {
			if !wanted(rm.Resource().Attributes()) {
				continue
			}
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					for s := range shapesOfMetric(m) {
						found[s] = true
					}
				}
			}
		}
	}
	return found
}

func shapesOfMetric(m pmetric.Metric) map[shape]bool {
	found := make(map[shape]bool)
	add := func(kind string, attributes pcommon.Map) {
		found[shape{m.Name(), kind, m.Unit(), strings.Join(slices.Sorted(maps.Keys(attributes.AsRaw())), ",")}] = true
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, dp := range m.Gauge().DataPoints().All() {
			add("gauge", dp.Attributes())
		}
	case pmetric.MetricTypeSum:
		kind := fmt.Sprintf("sum, %s, monotonic %t", m.Sum().AggregationTemporality(), m.Sum().IsMonotonic())
		for _, dp := range m.Sum().DataPoints().All() {
			add(kind, dp.Attributes())
		}
	case pmetric.MetricTypeHistogram:
		for _, dp := range m.Histogram().DataPoints().All() {
			add("histogram, "+m.Histogram().AggregationTemporality().String(), dp.Attributes())
		}
	default:
		add(m.Type().String(), pcommon.NewMap())
	}
	return found
}

// readTwice lets a receiver read until it has handed on something twice.
func readTwice(t *testing.T, factory receiver.Factory, settings ...map[string]any) []pmetric.Metrics {
	t.Helper()
	cfg, err := settle(factory, append(settings, map[string]any{"collection_interval": "1s", "initial_delay": "0s"})...)
	require.NoError(t, err)
	sink := new(consumertest.MetricsSink)
	r, err := factory.CreateMetrics(t.Context(), receivertest.NewNopSettings(factory.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return len(sink.AllMetrics()) >= 2 }, 20*time.Second, 20*time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
	return sink.AllMetrics()
}

// servePages serves pages by path; the other paths are not found.
func servePages(t *testing.T, pages map[string][]byte) string {
	t.Helper()
	mux := http.NewServeMux()
	for path, page := range pages {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			if strings.HasPrefix(string(page), "{") {
				w.Header().Set("Content-Type", "application/json")
			} else {
				w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
			}
			_, _ = w.Write(page)
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// without returns the shapes without some attributes.
func without(all map[shape]bool, attributes ...string) map[shape]bool {
	rest := make(map[shape]bool)
	for s := range all {
		s.attributes = strings.Join(slices.DeleteFunc(strings.Split(s.attributes, ","), func(a string) bool { return slices.Contains(attributes, a) }), ",")
		rest[s] = true
	}
	return rest
}

// differing are shapes that one side does not have, by the beginning of the metric's
// name and its attributes, with the reason.
type differing map[string]string

func (d differing) of(s shape) (string, bool) {
	for _, key := range slices.Sorted(maps.Keys(d)) {
		if strings.HasPrefix(s.metric+"{"+s.attributes+"}", key) {
			return key, true
		}
	}
	return "", false
}

// assertParity fails for each shape that only one side has and that is not listed,
// and for what is listed and does not differ.
func assertParity(t *testing.T, captured, synthetic map[shape]bool, onlyReal, onlySynthetic differing) {
	t.Helper()
	require.NotEmpty(t, captured)
	require.NotEmpty(t, synthetic)
	compare := func(a, b map[shape]bool, listed differing, where string) {
		used := make(map[string]bool)
		for s := range a {
			if b[s] {
				continue
			}
			key, ok := listed.of(s)
			used[key] = true
			assert.True(t, ok, "only %s: %s", where, s)
		}
		for key := range listed {
			assert.True(t, used[key], "%s is listed as only %s, and is not", key, where)
		}
	}
	compare(captured, synthetic, onlyReal, "in the capture")
	compare(synthetic, captured, onlySynthetic, "in the synthetic site")
}
