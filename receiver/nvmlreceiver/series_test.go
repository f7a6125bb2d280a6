package nvmlreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func TestStartTimes(t *testing.T) {
	p := newProbe(t, 1)
	began := p.clock.now()
	p.sim.GPU(0).Fail("Temperature", nvml.CodeIRQIssue)
	got := p.read()
	assert.Equal(t, began.Add(-time.Hour).UTC(), got["0 hw.energy"].start, "the driver counts since it was loaded")
	assert.Equal(t, began.UTC(), got["0 hw.gpu.scrape.errors{error.type=ERROR_IRQ_ISSUE}"].start, "the receiver counts since it was started")
	assert.Equal(t, time.Unix(0, 0).UTC(), got["0 hw.power"].start, "a gauge has none")

	// A counter that cannot be read for a while goes on counting.
	p.sim.GPU(0).Fail("Energy", nvml.CodeIRQIssue)
	assert.True(t, p.read().ended("0 hw.energy"))
	assert.NotContains(t, p.read(), "0 hw.energy", "its end is told once")
	p.sim.GPU(0).Fail("Energy", nil)
	assert.Equal(t, began.Add(-time.Hour).UTC(), p.read()["0 hw.energy"].start)

	// One that falls has begun anew, after it was last seen.
	last := p.clock.now()
	p.clock.advance(10 * time.Second)
	p.sim.GPU(0).Return()
	got = p.read()
	assert.InDelta(t, 77.5*30, got.value(t, "0 hw.energy"), 1e-6)
	assert.Equal(t, last.Add(time.Millisecond).UTC(), got["0 hw.energy"].start)
	assert.Equal(t, last.Add(time.Millisecond).UTC(), p.read()["0 hw.energy"].start)
	assert.Equal(t, began.UTC(), p.read()["0 hw.gpu.scrape.errors{error.type=ERROR_IRQ_ISSUE}"].start)
}

// TestReloadWithLargerCounters is a driver that was away for so long, and so busy
// since, that no counter fell.
func TestReloadWithLargerCounters(t *testing.T) {
	p := newProbe(t, 1)
	p.read()
	last := p.clock.now()
	p.sim.SetDriver(simulator.DriverUnloaded)
	p.read()
	p.sim.SetDriver(simulator.DriverLoaded)
	p.clock.advance(time.Hour)
	got := p.read()
	assert.Greater(t, got.value(t, "0 hw.energy"), 77.5*30)
	assert.Equal(t, last.Add(time.Millisecond).UTC(), got["0 hw.energy"].start)
}

// TestNewDriverVersion is an upgrade: the resource changes, and its series end.
func TestNewDriverVersion(t *testing.T) {
	p := newProbe(t, 1, func(cfg *Config) { cfg.MetricsBuilderConfig.ResourceAttributes.HwDriverVersion.Enabled = true })
	p.read()
	p.gpus[p.sim.GPU(0).UUID()].reader.id.driver = "600.00"
	md := p.raw()
	assert.Equal(t, 3, md.ResourceMetrics().Len(), "the driver, the GPU as it was, and as it is")
}

func TestUnwrapper(t *testing.T) {
	var u unwrapper
	for _, step := range []struct{ value, want uint64 }{
		{3 << 30, 3 << 30},
		{100, 1<<32 + 100},
		{3 << 30, 1<<32 + 3<<30},
		{50, 2<<32 + 50},
		{10, 10}, // too little for having wrapped: it began anew
		{1 << 40, 1 << 40},
		{5, 5},
	} {
		assert.Equal(t, step.want, u.next(step.value))
	}
}
