package nvmlreceiver

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// update makes the tests write what they would otherwise compare with.
var update = flag.Bool("update", false, "write goldens and tables instead of comparing with them")

func TestGolden(t *testing.T) {
	tests := []struct {
		name    string
		gpus    int
		changes []func(*Config)
		before  func(*probe)
		// after happens between the second and the third scrape, which is compared.
		after func(*probe)
	}{
		{name: "idle", gpus: 1},
		{name: "shared", gpus: 2, before: shared},
		{name: "everything", gpus: 1, changes: []func(*Config){everything}, before: shared},
		{name: "mig", gpus: 1, before: cut},
		{name: "lost", gpus: 2, before: shared, after: func(p *probe) { p.sim.GPU(0).Lose(nvml.CodeGPUIsLost) }},
		{name: "unloaded", gpus: 1, after: func(p *probe) { p.sim.SetDriver(simulator.DriverUnloaded) }},
		{name: "absent", gpus: 1, before: func(p *probe) { p.sim.SetDriver(simulator.DriverAbsent) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newProbe(t, tt.gpus, tt.changes...)
			p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.SetLoad(0.8) })
			if tt.before != nil {
				tt.before(p)
			}
			p.read()
			p.read()
			if tt.after != nil {
				tt.after(p)
			}
			p.clock.advance(30 * time.Second)
			actual := p.raw()
			for _, rm := range actual.ResourceMetrics().All() {
				mergeByName(rm.ScopeMetrics().At(0).Metrics())
			}
			file := filepath.Join("testdata", "scraper", tt.name, "expected.yaml")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
				require.NoError(t, golden.WriteMetricsToFile(file, actual))
			}
			expected, err := golden.ReadMetrics(file)
			require.NoError(t, err)
			require.NoError(t, pmetrictest.CompareMetrics(
				expected, actual,
				pmetrictest.IgnoreTimestamp(),
				pmetrictest.IgnoreStartTimestamp(),
				pmetrictest.IgnoreMetricsOrder(),
				pmetrictest.IgnoreMetricDataPointsOrder(),
				pmetrictest.IgnoreResourceMetricsOrder(),
			))
		})
	}
}

func TestGoldenEvents(t *testing.T) {
	p := newProbe(t, 1)
	p.read()
	p.registered()
	p.sim.GPU(0).XID(79)
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.records) == 2
	}, 5*time.Second, time.Millisecond)
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.RecoveryAction = 1; s.Reasons = nvml.ClockEventHWThermal })
	p.read()
	p.sim.GPU(0).Lose(nvml.CodeResetRequired)
	p.read()
	p.sim.SetDriver(simulator.DriverMismatch)
	p.read()

	actual := plog.NewLogs()
	p.mu.Lock()
	for i, lr := range p.records {
		rl := actual.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("hw.id", p.of[i])
		lr.CopyTo(rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	}
	p.mu.Unlock()
	file := filepath.Join("testdata", "events", "expected.yaml")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(t, golden.WriteLogsToFile(file, actual))
	}
	expected, err := golden.ReadLogs(file)
	require.NoError(t, err)
	require.NoError(t, plogtest.CompareLogs(expected, actual, plogtest.IgnoreTimestamp(), plogtest.IgnoreObservedTimestamp()))
}

// mergeByName puts the points of metrics of one name together, sorted: those that
// end a series come in a metric each, which pmetrictest cannot compare.
func mergeByName(ms pmetric.MetricSlice) {
	first := map[string]pmetric.Metric{}
	ms.RemoveIf(func(m pmetric.Metric) bool {
		to, again := first[m.Name()]
		switch {
		case !again:
			first[m.Name()] = m
		case m.Type() == pmetric.MetricTypeGauge:
			m.Gauge().DataPoints().MoveAndAppendTo(to.Gauge().DataPoints())
		default:
			m.Sum().DataPoints().MoveAndAppendTo(to.Sum().DataPoints())
		}
		return again
	})
	ms.Sort(func(a, b pmetric.Metric) bool { return a.Name() < b.Name() })
}
