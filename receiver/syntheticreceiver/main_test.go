package syntheticreceiver

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// quick are settings with which everything is there in seconds.
func quick() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.CollectionInterval = time.Second
	cfg.WarmUp = 20 * time.Minute
	cfg.Receivers = make(map[string]map[string]any)
	for _, name := range []string{"docker_stats", "docker_inventory", "nvml", "vllm", "litellm", "langfuse"} {
		cfg.Receivers[name] = map[string]any{"collection_interval": "1s", "initial_delay": "10ms"}
	}
	cfg.Receivers["filelog"] = map[string]any{"poll_interval": "50ms"}
	return cfg
}

// running is a synthetic receiver at work.
type running struct {
	t       *testing.T
	player  *player
	metrics *consumertest.MetricsSink
	logs    *consumertest.LogsSink
	said    *observer.ObservedLogs
	parts   []component.Component
}

func start(t *testing.T, cfg *Config) *running {
	t.Helper()
	core, said := observer.New(zap.InfoLevel)
	r := &running{t: t, metrics: new(consumertest.MetricsSink), logs: new(consumertest.LogsSink), said: said}
	f := NewFactory()
	set := receivertest.NewNopSettings(f.Type())
	set.Logger = zap.New(core)
	m, err := f.CreateMetrics(t.Context(), set, cfg, r.metrics)
	require.NoError(t, err)
	l, err := f.CreateLogs(t.Context(), set, cfg, r.logs)
	require.NoError(t, err)
	r.player = m.(*signal).player
	require.Same(t, r.player, l.(*signal).player, "one site for both signals")
	r.parts = []component.Component{m, l}
	for _, part := range r.parts {
		require.NoError(t, part.Start(t.Context(), componenttest.NewNopHost()))
	}
	t.Cleanup(r.stop)
	return r
}

func (r *running) stop() {
	for _, part := range r.parts {
		assert.NoError(r.t, part.Shutdown(context.Background()))
	}
	r.parts = nil
}

// eventually waits until check holds for all that came so far.
func (r *running) eventually(check func(map[string][]point) bool, about string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return check(pointsOf(r.metrics.AllMetrics())) }, 40*time.Second, 100*time.Millisecond, about)
}

// point is a point with the attributes of its resource.
type point struct {
	value      float64
	attributes map[string]any
}

// pointsOf returns the points of each metric in the order in which they came.
func pointsOf(all []pmetric.Metrics) map[string][]point {
	found := make(map[string][]point)
	for _, md := range all {
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					var dps pmetric.NumberDataPointSlice
					switch m.Type() {
					case pmetric.MetricTypeGauge:
						dps = m.Gauge().DataPoints()
					case pmetric.MetricTypeSum:
						dps = m.Sum().DataPoints()
					default:
						found[m.Name()] = append(found[m.Name()], point{attributes: rm.Resource().Attributes().AsRaw()})
						continue
					}
					for _, dp := range dps.All() {
						p := point{value: dp.DoubleValue(), attributes: rm.Resource().Attributes().AsRaw()}
						if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
							p.value = float64(dp.IntValue())
						}
						maps.Copy(p.attributes, dp.Attributes().AsRaw())
						found[m.Name()] = append(found[m.Name()], p)
					}
				}
			}
		}
	}
	return found
}

// last returns the newest point with such attributes.
func last(points []point, attributes ...string) (float64, bool) {
	for _, p := range slices.Backward(points) {
		all := true
		for j := 0; j+1 < len(attributes); j += 2 {
			all = all && p.attributes[attributes[j]] == attributes[j+1]
		}
		if all {
			return p.value, true
		}
	}
	return 0, false
}

func records(all []plog.Logs) []plog.LogRecord {
	var list []plog.LogRecord
	for _, ld := range all {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, r := range sl.LogRecords().All() {
					list = append(list, r)
				}
			}
		}
	}
	return list
}

// folder is an empty one for a site, with a name short enough for a socket.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "syn") //nolint:usetesting // a socket has a name of at most 107 bytes
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func socketOf(dir string) string { return "unix://" + filepath.Join(dir, "d.sock") }
