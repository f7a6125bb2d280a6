package syntheticreceiver

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/hostmetricsreceiver"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"gopkg.in/yaml.v3"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

// shapes describes each metric by all that a dashboard may depend on: name, type, unit, and the keys of its attributes.
func shapes(all ...pmetric.Metrics) map[string]string {
	found := make(map[string]string)
	for _, md := range all {
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					found[m.Name()] = shapeOf(sm.Scope().Name(), m)
				}
			}
		}
	}
	return found
}

func shapeOf(scope string, m pmetric.Metric) string {
	keys := make(map[string]bool)
	number := ""
	look := func(dps pmetric.NumberDataPointSlice) {
		for _, dp := range dps.All() {
			number = dp.ValueType().String()
			for key := range dp.Attributes().All() {
				keys[key] = true
			}
		}
	}
	kind := m.Type().String()
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		look(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		look(m.Sum().DataPoints())
		kind += fmt.Sprintf(" monotonic=%t %s", m.Sum().IsMonotonic(), m.Sum().AggregationTemporality())
	case pmetric.MetricTypeHistogram:
		for _, dp := range m.Histogram().DataPoints().All() {
			for key := range dp.Attributes().All() {
				keys[key] = true
			}
		}
	}
	return fmt.Sprintf("%s %s %s unit=%q scope=%s keys=%v", m.Name(), kind, number, m.Unit(), scope, slices.Sorted(maps.Keys(keys)))
}

// machine are metrics that a real host may lack: swap is not everywhere.
var machine = []string{"system.paging.usage", "system.paging.utilization"}

// TestHostParity runs contrib's receiver on this machine, with the settings of the production configuration, and compares
// what it emits with what is recorded of the simulated host.
func TestHostParity(t *testing.T) {
	text, err := os.ReadFile("../../configs/otelcol-llm.yaml")
	require.NoError(t, err)
	var whole struct{ Receivers map[string]map[string]any }
	require.NoError(t, yaml.Unmarshal(text, &whole))
	settings := whole.Receivers["hostmetrics"]
	settings["collection_interval"], settings["initial_delay"], settings["root_path"] = "1s", "1ms", "/"
	factory := hostmetricsreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(settings).Unmarshal(cfg))
	sink := new(consumertest.MetricsSink)
	actual, err := factory.CreateMetrics(t.Context(), receivertest.NewNopSettings(factory.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, actual.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { // the second time has utilization, too
		return len(sink.AllMetrics()) >= 2
	}, 20*time.Second, 50*time.Millisecond)
	require.NoError(t, actual.Shutdown(t.Context()))

	w := site.New(site.Config{Seed: 1, Start: time.Unix(1_780_000_000, 0)})
	recorder := newHostRecorder("")
	w.Advance(w.Now().Add(time.Minute))
	first := recorder.record(w.Host(), w.Now())
	w.Advance(w.Now().Add(time.Minute))
	got := shapes(first, recorder.record(w.Host(), w.Now()))
	want := shapes(sink.AllMetrics()...)
	require.Greater(t, len(want), 25)
	for name, shape := range want {
		assert.Equal(t, shape, got[name])
	}
	for name := range got {
		if !slices.Contains(machine, name) {
			assert.Contains(t, want, name, "the real receiver does not emit it")
		}
	}
}

// TestHostDescriptions: what the exporter shows as HELP is the real receiver's text.
func TestHostDescriptions(t *testing.T) {
	w := site.New(site.Config{Seed: 1, Start: time.Unix(1_780_000_000, 0)})
	for _, sm := range newHostRecorder("").record(w.Host(), w.Now()).ResourceMetrics().At(0).ScopeMetrics().All() {
		assert.True(t, strings.HasPrefix(sm.Scope().Name(), scopePrefix))
		for _, m := range sm.Metrics().All() {
			assert.NotEmpty(t, m.Description(), m.Name())
		}
	}
}
