package nvmlreceiver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// await waits until so many records have come, and hands them over.
func (p *probe) await(count int) []plog.LogRecord {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.records) >= count
	}, 5*time.Second, time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	records := p.records
	p.records = nil
	return records
}

// registered waits until events of all GPUs are waited for.
func (p *probe) registered() {
	p.t.Helper()
	require.Eventually(p.t, func() bool { return p.sim.Calls("Wait") > 0 }, 5*time.Second, time.Millisecond)
}

func TestXID(t *testing.T) {
	p := newProbe(t, 2)
	p.read()
	p.registered()
	p.happened()
	tests := []struct {
		code     uint64
		severity string
		text     string
		number   plog.SeverityNumber
	}{
		{13, "app", "WARN", plog.SeverityNumberWarn},
		{31, "app", "WARN", plog.SeverityNumberWarn},
		{43, "app", "WARN", plog.SeverityNumberWarn},
		{45, "app", "WARN", plog.SeverityNumberWarn},
		{48, "fatal", "FATAL", plog.SeverityNumberFatal},
		{63, "degraded", "ERROR", plog.SeverityNumberError},
		{64, "fatal", "FATAL", plog.SeverityNumberFatal},
		{74, "fatal", "FATAL", plog.SeverityNumberFatal},
		{79, "fatal", "FATAL", plog.SeverityNumberFatal},
		{94, "degraded", "ERROR", plog.SeverityNumberError},
		{95, "fatal", "FATAL", plog.SeverityNumberFatal},
		{119, "fatal", "FATAL", plog.SeverityNumberFatal},
		{120, "fatal", "FATAL", plog.SeverityNumberFatal},
		{154, "degraded", "ERROR", plog.SeverityNumberError},
		{999, "unknown", "WARN", plog.SeverityNumberWarn},
	}
	for _, tt := range tests {
		p.sim.GPU(1).XID(tt.code)
		lr := p.await(1)[0]
		assert.Equal(t, "hw.gpu.xid", lr.EventName())
		assert.Equal(t, tt.number, lr.SeverityNumber())
		assert.Equal(t, tt.text, lr.SeverityText())
		attributes := lr.Attributes().AsRaw()
		assert.Equal(t, int64(tt.code), attributes["hw.gpu.xid"])
		assert.Equal(t, tt.severity, attributes["hw.gpu.xid.severity"])
		gpu := fmt.Sprintf("GPU 1 (%s): XID %d: ", p.sim.GPU(1).UUID(), tt.code)
		assert.Equal(t, gpu+attributes["hint"].(string), lr.Body().Str())
	}
	p.mu.Lock()
	assert.Equal(t, p.sim.GPU(1).UUID(), p.of[len(p.of)-1])
	p.mu.Unlock()
	p.sim.GPU(1).XID(31)
	p.await(1)
	got := p.read()
	assert.InDelta(t, 2, got.value(t, "1 hw.gpu.xid.events{hw.gpu.xid=31,hw.gpu.xid.severity=app}"), 0)
	assert.InDelta(t, 1, got.value(t, "1 hw.gpu.xid.events{hw.gpu.xid=79,hw.gpu.xid.severity=fatal}"), 0)
	assert.False(t, got.has("0 hw.gpu.xid.events"), "what is missing has not happened")
	assert.Equal(t, "degraded", got.state(t, "1 hw.status"))
	p.clock.advance(fatalMemory)
	assert.Equal(t, "ok", p.read().state(t, "1 hw.status"))
}

func TestDriverEvents(t *testing.T) {
	p := newProbe(t, 1)
	p.read()
	p.registered()
	p.happened()
	for _, e := range []nvml.EventType{nvml.EventDoubleBitECC, nvml.EventGPUUnavailable, nvml.EventRecoveryAction} {
		p.sim.GPU(0).Event(nvml.Event{Type: e})
	}
	p.sim.GPU(0).Event(nvml.Event{Type: nvml.EventClock}) // nobody asked for it
	records := p.await(3)
	var kinds []any
	for _, lr := range records {
		kinds = append(kinds, lr.Attributes().AsRaw()["hw.gpu.event.kind"])
	}
	assert.Equal(t, []any{"double_bit_ecc", "gpu_unavailable", "recovery_action"}, kinds)
	p.handleEvent(t.Context(), nvml.Event{UUID: "GPU-x", Type: nvml.EventClock})
	assert.Empty(t, p.happened())
}

// TestEventsOfAnUnknownGPU come before it was ever read.
func TestEventsOfAnUnknownGPU(t *testing.T) {
	p := newProbe(t, 1)
	p.handleEvent(t.Context(), nvml.Event{UUID: "GPU-x", Type: nvml.EventXID, Data: 79})
	assert.Equal(t, []string{"hw.gpu.xid FATAL"}, p.happened())
}

func TestEventsAfterReload(t *testing.T) {
	p := newProbe(t, 1)
	p.read()
	p.registered()
	p.sim.SetDriver(simulator.DriverUnloaded)
	p.read()
	p.sim.SetDriver(simulator.DriverLoaded)
	p.clock.advance(time.Minute)
	before := p.sim.Calls("Wait")
	p.read()
	require.Eventually(t, func() bool { return p.sim.Calls("Wait") > before }, 5*time.Second, time.Millisecond)
	p.happened()
	p.sim.GPU(0).XID(31)
	p.await(1)
}

func TestEventsThatSpin(t *testing.T) {
	sim := simulator.NewNVML(simulator.NVMLConfig{GPUs: 1})
	require.NoError(t, sim.Init())
	device, err := sim.Device(0)
	require.NoError(t, err)
	sim.Fail("Wait", nvml.CodeGPUIsLost)
	var handled atomic.Int32
	w := watchEvents(sim, []found{{device, "x"}}, 20*time.Millisecond, func(context.Context, nvml.Event) { handled.Add(1) }, func(error) {})
	time.Sleep(100 * time.Millisecond)
	assert.Less(t, sim.Calls("Wait"), 10, "it backs off")
	sim.Fail("Wait", nil)
	require.Eventually(t, func() bool { sim.GPU(0).XID(1); return handled.Load() > 0 }, 5*time.Second, 5*time.Millisecond)
	w.stop(t.Context())
	require.NoError(t, sim.Shutdown(t.Context()))
}

func TestNoEvents(t *testing.T) {
	for _, call := range []string{"library", "gpu"} {
		t.Run(call, func(t *testing.T) {
			p := newProbe(t, 1)
			if call == "library" {
				p.sim.Fail("NewEventSet", nvml.CodeNotSupported)
			} else {
				p.sim.GPU(0).Fail("Register", nvml.CodeNotSupported)
			}
			p.read()
			require.Eventually(t, func() bool { return p.lines.Len() == 2 }, 5*time.Second, time.Millisecond)
			assert.Contains(t, p.messages(), "warn The NVIDIA driver delivers no events: XID errors will not be seen.")
		})
	}
}

func TestRecoveryAction(t *testing.T) {
	p := newProbe(t, 1)
	p.read()
	p.happened()
	tests := []struct {
		action int
		name   string
		state  string
		events []string
	}{
		{0, "none", "ok", nil},
		{1, "gpu_reset", "failed", []string{"hw.gpu.recovery_action.changed ERROR"}},
		{2, "node_reboot", "failed", []string{"hw.gpu.recovery_action.changed ERROR"}},
		{3, "drain_p2p", "degraded", []string{"hw.gpu.recovery_action.changed ERROR"}},
		{4, "drain_and_reset", "failed", []string{"hw.gpu.recovery_action.changed ERROR"}},
		{5, "imex_recovery", "failed", []string{"hw.gpu.recovery_action.changed ERROR"}},
		{6, "bus_reset", "failed", []string{"hw.gpu.recovery_action.changed ERROR"}},
		{7, "system_reboot", "failed", []string{"hw.gpu.recovery_action.changed ERROR"}},
		{0, "none", "ok", []string{"hw.gpu.recovery_action.changed INFO"}},
	}
	for _, tt := range tests {
		p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.RecoveryAction = tt.action })
		got := p.read()
		assert.Equal(t, tt.name, got.state(t, "0 hw.gpu.recovery_action"))
		assert.Equal(t, tt.state, got.state(t, "0 hw.status"))
		assert.Equal(t, tt.events, p.happened())
	}
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.RecoveryAction = 8 })
	got := p.read()
	assert.Equal(t, "ok", got.state(t, "0 hw.status"), "one that a later driver has")
	assert.True(t, got.has("0 hw.gpu.recovery_action"))
}

func TestStatus(t *testing.T) {
	reset := metadata.AttributeHwGpuRecoveryActionGpuReset
	tests := []struct {
		health health
		want   gpuState
	}{
		{health{}, stateOK},
		{health{action: actionNone}, stateOK},
		{health{remapPending: true}, stateDegraded},
		{health{fatal: true}, stateDegraded},
		{health{action: actionDrainP2P}, stateDegraded},
		{health{worn: true}, statePredicts},
		{health{worn: true, remapPending: true}, statePredicts},
		{health{remapFailed: true}, stateFailed},
		{health{action: reset}, stateFailed},
		{health{action: reset, worn: true}, stateFailed},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, tt.health.state(), "%+v", tt.health)
	}
	p := newProbe(t, 1)
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.SRAM.ThresholdExceeded = true })
	got := p.read()
	assert.Equal(t, "predicted_failure", got.state(t, "0 hw.status"))
	assert.InDelta(t, 1, got.value(t, "0 hw.gpu.ecc.sram.threshold_exceeded"), 0)
}

func TestThrottle(t *testing.T) {
	p := newProbe(t, 1)
	set := func(r nvml.ClockEventReasons) {
		p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.Reasons = r })
	}
	p.read()
	p.happened()
	steps := []struct {
		reasons nvml.ClockEventReasons
		want    []string
	}{
		{nvml.ClockEventIdle | nvml.ClockEventApplicationClocks | nvml.ClockEventSyncBoost | nvml.ClockEventDisplayClocks, nil},
		{nvml.ClockEventSWPowerCap, []string{"hw.gpu.throttle.started INFO"}},
		{nvml.ClockEventSWPowerCap | nvml.ClockEventHWThermal, []string{"hw.gpu.throttle.started WARN"}},
		{nvml.ClockEventHWThermal, nil}, // the power cap comes and goes
		{nvml.ClockEventSWPowerCap | nvml.ClockEventHWThermal, nil},
		{nvml.ClockEventHWThermal, nil},
		{nvml.ClockEventHWThermal, nil},
		{nvml.ClockEventHWThermal, []string{"hw.gpu.throttle.ended INFO"}},
		{0, nil},
		{0, nil},
		{0, []string{"hw.gpu.throttle.ended INFO"}},
		{nvml.ClockEventHWSlowdown | nvml.ClockEventSWThermal | nvml.ClockEventHWPowerBrake, []string{
			"hw.gpu.throttle.started WARN", "hw.gpu.throttle.started WARN", "hw.gpu.throttle.started WARN",
		}},
	}
	for i, step := range steps {
		set(step.reasons)
		p.read()
		assert.Equal(t, step.want, p.happened(), "step %d", i)
	}
}

func TestEventsSwitchedOff(t *testing.T) {
	p := newProbe(t, 1, func(cfg *Config) { cfg.Events.NvmlAvailable.Enabled = false })
	p.read()
	assert.Empty(t, p.happened())
}

func TestXIDTrackerIsBounded(t *testing.T) {
	x := newXIDTracker()
	for code := range uint64(1000) {
		x.add("a", code, time.Now())
	}
	counts := x.of("a")
	assert.LessOrEqual(t, len(counts), maxXIDs+1)
	assert.Equal(t, int64(1000-maxXIDs), counts[xidNotTold])
	assert.Empty(t, x.of("b"))
}

func TestRelease(t *testing.T) {
	file := filepath.Join(t.TempDir(), "maintenance")
	p := newProbe(t, 1, func(cfg *Config) { cfg.ReleaseFile = file })
	p.releaseNow(t.Context())
	p.read()
	p.registered()
	p.releaseNow(t.Context())
	assert.True(t, p.sim.Open())
	p.messages()
	p.happened()

	require.NoError(t, os.WriteFile(file, nil, 0o600))
	p.releaseNow(t.Context())
	assert.False(t, p.sim.Open(), "at once, not at the next scrape")
	p.releaseNow(t.Context())
	calls := p.sim.GPU(0).Calls("Memory")
	for range 3 {
		got := p.read()
		assert.InDelta(t, 0, got.value(t, " nvml.up"), 0)
		assert.Equal(t, "released", got.state(t, " nvml.state"))
		assert.True(t, got.has("0 hw.gpu.info"))
		assert.False(t, got.has("0 hw.status"))
		assert.False(t, got.has(" hw.gpu.scrape.errors"))
	}
	assert.Equal(t, calls, p.sim.GPU(0).Calls("Memory"))
	assert.Equal(t, 1, p.sim.Calls("Init"))
	assert.Equal(t, []string{"info The NVIDIA driver is let go of: the release file exists. Nothing is read until it is gone."}, p.messages())
	assert.Equal(t, []string{"nvml.released INFO"}, p.happened())

	require.NoError(t, os.Remove(file))
	got := p.read()
	assert.InDelta(t, 1, got.value(t, " nvml.up"), 0)
	assert.Equal(t, "ok", got.state(t, "0 hw.status"))
	assert.Equal(t, []string{"nvml.available INFO"}, p.happened())
}

// TestReleaseFromTheStart is a collector that is started during maintenance.
func TestReleaseFromTheStart(t *testing.T) {
	p := newProbe(t, 1, func(cfg *Config) { cfg.ReleaseFile = t.TempDir() })
	assert.Equal(t, "released", p.read().state(t, " nvml.state"))
	assert.Zero(t, p.sim.Calls("Init"))
	require.NoError(t, p.requireDriver(t.Context()))
	assert.Zero(t, p.sim.Calls("Init"))
}

func TestReleaseStuck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "maintenance")
	p := newProbe(t, 1, func(cfg *Config) { cfg.ReleaseFile = file })
	p.read()
	release := p.sim.GPU(0).Hang("Memory")
	defer release()
	p.timeout = 50 * time.Millisecond
	p.read()
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	p.releaseNow(ctx)
	require.Eventually(t, p.sim.Open, 5*time.Second, time.Millisecond)
	assert.Equal(t, "stuck", p.read().state(t, " nvml.state"))
	release()
	p.timeout = 5 * time.Second
	require.Eventually(t, func() bool { return p.read().state(t, " nvml.state") == "released" }, 5*time.Second, time.Millisecond)
	assert.False(t, p.sim.Open())
}
