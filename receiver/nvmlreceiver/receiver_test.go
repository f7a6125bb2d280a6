package nvmlreceiver

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// simulated are sources for a factory under test.
func simulated(sim *simulator.NVML) sourcesFunc {
	return func(*Config, *zap.Logger) (nvml.Library, resolver, error) { return sim, pids{}, nil }
}

// quick is a configuration that scrapes at once.
func quick() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.CollectionInterval = 20 * time.Millisecond
	cfg.InitialDelay = 0
	return cfg
}

// TestSharedBySignals has metrics and logs of one configuration come from one
// reading of the GPUs.
func TestSharedBySignals(t *testing.T) {
	sim := simulator.NewNVML(simulator.NVMLConfig{GPUs: 2})
	factory := newFactory(simulated(sim), time.Now)
	cfg, set := quick(), receivertest.NewNopSettings(metadata.Type)
	var metrics consumertest.MetricsSink
	var logs consumertest.LogsSink
	m, err := factory.CreateMetrics(t.Context(), set, cfg, &metrics)
	require.NoError(t, err)
	l, err := factory.CreateLogs(t.Context(), set, cfg, &logs)
	require.NoError(t, err)
	require.NoError(t, l.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, m.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return metrics.DataPointCount() > 0 && logs.LogRecordCount() > 0 && sim.Calls("Wait") > 0 }, 5*time.Second, time.Millisecond)
	assert.Equal(t, 1, sim.Calls("Init"))

	// Without the logs the metrics go on.
	require.NoError(t, l.Shutdown(t.Context()))
	records := logs.LogRecordCount()
	metrics.Reset()
	sim.GPU(0).XID(79)
	require.Eventually(t, func() bool { return metrics.DataPointCount() > 0 }, 5*time.Second, time.Millisecond)
	assert.Equal(t, records, logs.LogRecordCount())
	require.NoError(t, m.Shutdown(t.Context()))
	require.NoError(t, m.Shutdown(t.Context()))
	assert.False(t, sim.Open(), "the driver is let go of")
	calls := sim.Calls("DeviceCount")
	time.Sleep(60 * time.Millisecond)
	assert.Equal(t, calls, sim.Calls("DeviceCount"))

	// The same configuration can be started again.
	m, err = factory.CreateMetrics(t.Context(), set, cfg, &metrics)
	require.NoError(t, err)
	require.NoError(t, m.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, sim.Open, 5*time.Second, time.Millisecond)
	require.NoError(t, m.Shutdown(t.Context()))
}

func TestLogsOnly(t *testing.T) {
	sim := simulator.NewNVML(simulator.NVMLConfig{GPUs: 1})
	var logs consumertest.LogsSink
	l, err := newFactory(simulated(sim), time.Now).CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), quick(), &logs)
	require.NoError(t, err)
	require.NoError(t, l.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return sim.Calls("Wait") > 0 }, 5*time.Second, time.Millisecond)
	sim.GPU(0).XID(79)
	require.Eventually(t, func() bool { return logs.LogRecordCount() == 2 }, 5*time.Second, time.Millisecond)
	devices := map[string]string{}
	for _, ld := range logs.AllLogs() {
		rl := ld.ResourceLogs().At(0)
		id, _ := rl.Resource().Attributes().Get("hw.id")
		devices[rl.ScopeLogs().At(0).LogRecords().At(0).EventName()] = id.Str()
	}
	assert.Equal(t, map[string]string{"nvml.available": "", "hw.gpu.xid": sim.GPU(0).UUID()}, devices)
	require.NoError(t, l.Shutdown(t.Context()))
}

func TestRequired(t *testing.T) {
	sim := simulator.NewNVML(simulator.NVMLConfig{GPUs: 1})
	cfg := quick()
	cfg.Required = true
	start := func() error {
		r, err := newFactory(simulated(sim), time.Now).CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
		require.NoError(t, err)
		err = r.Start(t.Context(), componenttest.NewNopHost())
		require.NoError(t, r.Shutdown(t.Context()))
		return err
	}
	require.NoError(t, start())
	sim.SetDriver(simulator.DriverAbsent)
	err := start()
	require.ErrorIs(t, err, nvml.CodeLibraryNotFound)
	assert.ErrorContains(t, err, "install the driver")
}

func TestStartWithoutDriver(t *testing.T) {
	core, lines := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	cfg := quick()
	cfg.Attribution.Enabled = false
	cfg.Library = filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	var metrics consumertest.MetricsSink
	r, err := NewFactory().CreateMetrics(t.Context(), set, cfg, &metrics)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return metrics.DataPointCount() > 20 }, 5*time.Second, time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Equal(t, 1, lines.Len(), "one line: %v", lines.All())
	got := readingsOf(t, metrics.AllMetrics()[0])
	assert.InDelta(t, 0, got.value(t, " nvml.up"), 0)
}

func TestBadDocker(t *testing.T) {
	cfg := quick()
	cfg.Docker.Timeout = 0
	r, err := NewFactory().CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorIs(t, r.Start(t.Context(), componenttest.NewNopHost()), docker.ErrTimeout)
	require.NoError(t, r.Shutdown(t.Context()))
}

func TestReleaseWhileRunning(t *testing.T) {
	sim := simulator.NewNVML(simulator.NVMLConfig{GPUs: 1})
	cfg := quick()
	cfg.CollectionInterval = time.Hour
	cfg.ReleaseFile = filepath.Join(t.TempDir(), "maintenance")
	r, err := newFactory(simulated(sim), time.Now).CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, sim.Open, 5*time.Second, time.Millisecond)
	require.NoError(t, os.WriteFile(cfg.ReleaseFile, nil, 0o600))
	require.Eventually(t, func() bool { return !sim.Open() }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
}

// TestShutdownWhileStuck must not wait for a call that hangs.
func TestShutdownWhileStuck(t *testing.T) {
	sim := simulator.NewNVML(simulator.NVMLConfig{GPUs: 1})
	release := sim.GPU(0).Hang("Memory")
	r, err := newFactory(simulated(sim), time.Now).CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), quick(), consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return sim.GPU(0).Calls("Memory") > 0 }, 5*time.Second, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	require.NoError(t, r.Shutdown(ctx))
	assert.Less(t, time.Since(begin), 5*time.Second)
	release()
}
