package nvmlreceiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// clock stands still until it is moved. Driver and scraper share it.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ns.Store(time.Date(2026, 9, 20, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.ns.Load()) }

func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// pids resolves processes by a table.
type pids map[uint32]workload

func (p pids) resolve(pid uint32) (workload, bool) {
	w, ok := p[pid]
	return w, ok
}

func (pids) close() {}

// probe is a scraper under test, which reads when told to.
type probe struct {
	*nvmlScraper
	t     testing.TB
	clock *clock
	sim   *simulator.NVML
	pids  pids
	lines *observer.ObservedLogs

	mu      sync.Mutex
	records []plog.LogRecord
	of      []string // hw.id of each record
	timeout time.Duration
}

func newProbe(t testing.TB, gpus int, changes ...func(*Config)) *probe {
	t.Helper()
	c := newClock()
	return newProbeOf(t, c, simulator.NewNVML(simulator.NVMLConfig{GPUs: gpus, Now: c.now}), changes...)
}

func newProbeOf(t testing.TB, c *clock, sim *simulator.NVML, changes ...func(*Config)) *probe {
	t.Helper()
	p := probeOf(t, c, sim, changes...)
	p.sim = sim
	return p
}

func probeOf(t testing.TB, c *clock, library nvml.Library, changes ...func(*Config)) *probe {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	for _, change := range changes {
		change(cfg)
	}
	require.NoError(t, xconfmap.Validate(cfg))
	core, lines := observer.New(zapcore.DebugLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	p := &probe{t: t, clock: c, pids: pids{}, lines: lines, timeout: 5 * time.Second}
	events := newEventLog(cfg, set, func(_ context.Context, logs plog.Logs) { p.keep(logs) })
	events.now = c.now
	p.nvmlScraper = newScraper(cfg, set, library, p.pids, events)
	p.now = c.now
	p.series = newSeriesTracker(c.now(), c.now().Add(-time.Hour))
	t.Cleanup(func() { p.shutdown(context.Background()) })
	return p
}

func (p *probe) keep(logs plog.Logs) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rl := range logs.ResourceLogs().All() {
		id, _ := rl.Resource().Attributes().Get("hw.id")
		for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
			p.records = append(p.records, lr)
			p.of = append(p.of, id.Str())
		}
	}
}

// happened are the events since it was last asked, such as
// "hw.gpu.lost WARN".
func (p *probe) happened() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var names []string
	for _, lr := range p.records {
		name, ok := lr.Attributes().Get("event.name")
		require.True(p.t, ok)
		require.Equal(p.t, lr.EventName(), name.Str())
		require.NotEmpty(p.t, lr.Body().Str())
		names = append(names, lr.EventName()+" "+lr.SeverityText())
	}
	p.records, p.of = nil, nil
	return names
}

// messages are the lines that the receiver wrote since it was last asked.
func (p *probe) messages() []string {
	var messages []string
	for _, entry := range p.lines.TakeAll() {
		messages = append(messages, entry.Level.String()+" "+entry.Message)
	}
	return messages
}

// read scrapes once; 30 seconds pass before.
func (p *probe) read() readings {
	p.t.Helper()
	p.clock.advance(30 * time.Second)
	return readingsOf(p.t, p.raw())
}

func (p *probe) raw() pmetric.Metrics {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	md, err := p.scrape(ctx)
	require.NoError(p.t, err)
	return md
}

func everything(cfg *Config) {
	metrics := reflect.ValueOf(&cfg.Metrics).Elem()
	for i := range metrics.NumField() {
		metrics.Field(i).FieldByName("Enabled").SetBool(true)
	}
	attributes := reflect.ValueOf(&cfg.MetricsBuilderConfig.ResourceAttributes).Elem()
	for i := range attributes.NumField() {
		attributes.Field(i).FieldByName("Enabled").SetBool(true)
	}
	cfg.Attribution.ContainerID = true
}

func nothing(cfg *Config) {
	metrics := reflect.ValueOf(&cfg.Metrics).Elem()
	for i := range metrics.NumField() {
		metrics.Field(i).FieldByName("Enabled").SetBool(false)
	}
}

// point is one data point.
type point struct {
	value    float64
	start    time.Time
	at       time.Time
	none     bool
	resource map[string]any
}

// readings are the data points of a scrape by device and series, such as
// "0 hw.power" for GPU 0 or " nvml.up" for none.
type readings map[string]point

func readingsOf(t testing.TB, md pmetric.Metrics) readings {
	t.Helper()
	all := readings{}
	for _, rm := range md.ResourceMetrics().All() {
		resource := rm.Resource().Attributes().AsRaw()
		device := deviceOf(resource)
		require.Equal(t, 1, rm.ScopeMetrics().Len())
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			var dps pmetric.NumberDataPointSlice
			if m.Type() == pmetric.MetricTypeSum {
				dps = m.Sum().DataPoints()
				require.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
			} else {
				dps = m.Gauge().DataPoints()
			}
			for _, dp := range dps.All() {
				key := device + " " + seriesName(m.Name(), dp.Attributes().AsRaw())
				_, twice := all[key]
				require.False(t, twice, "two points of %s", key)
				value := dp.DoubleValue()
				if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
					value = float64(dp.IntValue())
				}
				all[key] = point{value, dp.StartTimestamp().AsTime(), dp.Timestamp().AsTime(), dp.Flags().NoRecordedValue(), resource}
			}
		}
	}
	return all
}

// deviceOf shortens the UUIDs of the simulator to a number.
func deviceOf(resource map[string]any) string {
	id, _ := resource["hw.id"].(string)
	for i := range 16 {
		if strings.HasPrefix(id, fmt.Sprintf("GPU-%08x", 0x8b3c0000+i)) {
			return strconv.Itoa(i)
		}
	}
	return id
}

func seriesName(metric string, attributes map[string]any) string {
	if len(attributes) == 0 {
		return metric
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(attributes)) {
		parts = append(parts, fmt.Sprintf("%s=%v", k, attributes[k]))
	}
	return metric + "{" + strings.Join(parts, ",") + "}"
}

// value is that of a series that must be there.
func (r readings) value(t testing.TB, series string) float64 {
	t.Helper()
	p, ok := r[series]
	require.True(t, ok, "no %s", series)
	require.False(t, p.none, "%s has ended", series)
	return p.value
}

// has says whether there is any series with that beginning, and a value.
func (r readings) has(beginning string) bool {
	for series, p := range r {
		if strings.HasPrefix(series, beginning) && !p.none {
			return true
		}
	}
	return false
}

// ended says whether a series ends here.
func (r readings) ended(series string) bool { return r[series].none }

// state is the one of a state set that holds.
func (r readings) state(t testing.TB, set string) string {
	t.Helper()
	var on []string
	for series, p := range r {
		if rest, ok := strings.CutPrefix(series, set+"{"); ok && p.value == 1 && !p.none {
			_, state, _ := strings.Cut(strings.TrimSuffix(rest, "}"), "=")
			on = append(on, state)
		}
	}
	require.Len(t, on, 1, set)
	return on[0]
}

func TestFirstScrapes(t *testing.T) {
	p := newProbe(t, 8)
	got := p.read()
	assert.InDelta(t, 1, got.value(t, " nvml.up"), 0)
	assert.Equal(t, "ready", got.state(t, " nvml.state"))
	assert.InDelta(t, 8, got.value(t, " hw.gpu.count"), 0)
	assert.InDelta(t, 1, got.value(t, " nvml.info{nvml.cuda.version=13.1,nvml.driver.version=590.48.01,nvml.version=13.590.48.01}"), 0)
	for i := range 8 {
		gpu := strconv.Itoa(i)
		assert.InDelta(t, 77.5, got.value(t, gpu+" hw.power"), 0)
		assert.Equal(t, "ok", got.state(t, gpu+" hw.status"))
	}
	assert.Equal(t, map[string]any{
		"hw.id": p.sim.GPU(3).UUID(), "hw.type": "gpu", "hw.vendor": "NVIDIA", "hw.model": "NVIDIA H200", "hw.name": "nvidia3",
	}, got["3 hw.power"].resource)
	assert.InDelta(t, 1, got.value(t, "3 hw.gpu.info{hw.gpu.board.part_number=900-21010-0040-000,hw.gpu.index=3,hw.gpu.minor=3,hw.gpu.pci.bus_id=00000000:5D:00.0}"), 0)
	assert.False(t, got.has("0 hw.gpu.sm.activity"), "there is nothing to compare with")

	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.SetLoad(1) })
	got = p.read()
	assert.InDelta(t, 0.93, got.value(t, "0 hw.gpu.sm.activity"), 0)
	assert.InDelta(t, 0, got.value(t, "1 hw.gpu.sm.activity"), 0)
	assert.InDelta(t, 630*30+77.5*30, got.value(t, "0 hw.energy"), 1)
	assert.Equal(t, []string{"info The NVIDIA driver answers."}, p.messages())
	assert.Equal(t, []string{"nvml.available INFO"}, p.happened())
}

// TestValues holds what is recorded to what the GPU shows.
func TestValues(t *testing.T) {
	p := newProbe(t, 1, everything)
	p.sim.GPU(0).Set(func(s *simulator.GPUState) {
		s.SetLoad(1)
		s.Used = 100 << 30
		s.Engines = [4]float64{0.1, 0.2, 0.3, 0.4}
		s.Reasons = nvml.ClockEventSWPowerCap
		s.EnforcedPowerLimit = 650
		s.ECC[simulator.ECCKey{Kind: nvml.ECCCorrected, Counter: nvml.ECCVolatile, Location: nvml.MemoryDRAM}] = 3
		s.ECC[simulator.ECCKey{Kind: nvml.ECCUncorrected, Counter: nvml.ECCAggregate, Location: nvml.MemorySRAM}] = 5
		s.Remapped = nvml.RemappedRows{Corrected: 2, Uncorrected: 1, Pending: true}
		s.PCIeReplays = 7
		s.PCIeErrors[nvml.FieldPCIeBadTLP] = 9
		s.LinkErrors[4] = [3]uint64{1, 2, 3}
		s.LinkErrors[5] = [3]uint64{10, 20, 30}
		s.Links[17] = false
	})
	p.read()
	got := p.read()
	for series, want := range map[string]float64{
		"hw.gpu.utilization{hw.gpu.task=general}": 1,
		"hw.gpu.utilization{hw.gpu.task=encoder}": 0.1,
		"hw.gpu.utilization{hw.gpu.task=decoder}": 0.2,
		"hw.gpu.utilization{hw.gpu.task=jpeg}":    0.3,
		"hw.gpu.utilization{hw.gpu.task=ofa}":     0.4,
		"hw.gpu.memory.limit":                     143771 << 20,
		"hw.gpu.memory.usage":                     100 << 30,
		"hw.gpu.memory.reserved":                  614 << 20,
		"hw.gpu.memory.free":                      (143771-614)<<20 - 100<<30,
		"hw.gpu.memory.utilization":               float64(100<<30) / float64(143771<<20),
		"hw.gpu.memory.controller.utilization":    0.62,
		"hw.gpu.bar1.limit":                       262144 << 20,
		"hw.gpu.bar1.usage":                       1 << 20,
		"hw.temperature{hw.sensor_location=gpu}":  53, "hw.temperature{hw.sensor_location=memory}": 42,
		"hw.temperature.limit{hw.limit_type=high.degraded}": 89, "hw.temperature.limit{hw.limit_type=high.critical}": 95,
		"hw.gpu.temperature.margin": 34,
		"hw.power":                  630,
		"hw.gpu.power.limit{hw.limit_type=enforced}": 650, "hw.gpu.power.limit{hw.limit_type=default}": 700,
		"hw.gpu.power.limit{hw.limit_type=min}": 200, "hw.gpu.power.limit{hw.limit_type=max}": 700,
		"hw.energy":                              630 * 60,
		"hw.gpu.speed{hw.gpu.clock=sm}":          1980e6,
		"hw.gpu.speed.limit{hw.gpu.clock=video}": 1545e6,
		"hw.gpu.clock.event.active{hw.gpu.clock.event.reason=sw_power_cap}":           1,
		"hw.gpu.clock.event.active{hw.gpu.clock.event.reason=idle}":                   0,
		"hw.gpu.clock.event.time{hw.gpu.clock.policy=power}":                          60,
		"hw.gpu.clock.event.time{hw.gpu.clock.policy=thermal}":                        0,
		"hw.gpu.performance_state":                                                    0,
		"hw.errors{error.type=corrected,hw.gpu.ecc.location=dram}":                    3,
		"hw.errors{error.type=uncorrected,hw.gpu.ecc.location=dram}":                  0,
		"hw.gpu.ecc.errors.lifetime{error.type=uncorrected,hw.gpu.ecc.location=sram}": 5,
		"hw.gpu.ecc.sram.threshold_exceeded":                                          0,
		"hw.gpu.remapped_rows{hw.gpu.remap.cause=corrected}":                          2,
		"hw.gpu.remapped_rows{hw.gpu.remap.cause=uncorrected}":                        1,
		"hw.gpu.remapped_rows.pending":                                                1,
		"hw.gpu.remapped_rows.failed":                                                 0,
		"hw.gpu.remap.banks{hw.gpu.remap.availability=max}":                           3072,
		"hw.gpu.recovery_action{hw.gpu.recovery_action=none}":                         1,
		"hw.gpu.recovery_action{hw.gpu.recovery_action=gpu_reset}":                    0,
		"hw.gpu.io{network.io.direction=transmit}":                                    4217e3 * 60,
		"hw.gpu.pcie.throughput{network.io.direction=receive}":                        8691e3,
		"hw.gpu.pcie.throughput.sampled{network.io.direction=receive}":                8691e3,
		"hw.gpu.pcie.link.generation":                                                 5, "hw.gpu.pcie.link.width": 16,
		"hw.gpu.pcie.link.generation.limit": 5, "hw.gpu.pcie.link.width.limit": 16,
		"hw.gpu.pcie.replays":                                                      7,
		"hw.gpu.pcie.errors{error.type=bad_tlp}":                                   9,
		"hw.gpu.nvlink.io{network.io.direction=transmit}":                          40e9 * 60,
		"hw.gpu.nvlink.link.io{hw.gpu.nvlink.link=3,network.io.direction=receive}": 133333332992,
		"hw.gpu.nvlink.throughput{network.io.direction=transmit}":                  40e9,
		"hw.gpu.nvlink.errors{error.type=replay}":                                  11, "hw.gpu.nvlink.errors{error.type=recovery}": 22, "hw.gpu.nvlink.errors{error.type=crc}": 33,
		"hw.gpu.nvlink.link.errors{error.type=crc,hw.gpu.nvlink.link=4}": 3,
		"hw.gpu.nvlink.links{hw.gpu.nvlink.state=up}":                    17, "hw.gpu.nvlink.links{hw.gpu.nvlink.state=down}": 1,
		"hw.gpu.sm.activity": 0.93, "hw.gpu.sm.occupancy": 0.21, "hw.gpu.graphics.activity": 1,
		"hw.gpu.pipe.activity{hw.gpu.pipe=tensor_hmma}": 0.34, "hw.gpu.pipe.activity{hw.gpu.pipe=fp64}": 0,
		"hw.gpu.memory.bandwidth.utilization": 0.62,
		"hw.gpu.process.count":                0,
		"hw.gpu.mig.enabled":                  0, "hw.gpu.mig.pending": 0,
		"hw.gpu.fabric.state{hw.gpu.fabric.state=completed}": 1,
		"hw.gpu.scrape.skipped":                              0,
	} {
		assert.InDelta(t, want, got.value(t, "0 "+series), 1024, series)
		if want < 1024 {
			assert.InDelta(t, want, got.value(t, "0 "+series), 1e-9, series)
		}
	}
	assert.Equal(t, "degraded", got.state(t, "0 hw.status"), "rows wait to be replaced")
	assert.False(t, got.has("0 hw.gpu.xid.events"))
	assert.False(t, got.has("0 hw.gpu.scrape.errors"))
	assert.Contains(t, got["0 hw.power"].resource, "hw.serial_number")
	assert.Contains(t, got["0 hw.power"].resource, "hw.firmware_version")
	assert.Equal(t, []string{"nvml.available INFO", "hw.gpu.throttle.started INFO"}, p.happened())
}

func TestNothingEnabled(t *testing.T) {
	p := newProbe(t, 2, nothing)
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.Processes = []simulator.GPUProcess{{PID: 1, Memory: 1}} })
	p.read()
	assert.Empty(t, p.read())
	for _, call := range []string{"Memory", "Utilization", "Power", "NewGPM", "NVLinks", "Energy", "PCIeThroughput", "Temperature", "RowRemapHistogram"} {
		assert.Zero(t, p.sim.GPU(0).Calls(call), call)
	}
}

// TestCostlyCalls holds the defaults to their cost.
func TestCostlyCalls(t *testing.T) {
	p := newProbe(t, 1)
	p.read()
	p.read()
	for _, call := range []string{"PCIeThroughput", "BAR1Memory", "RowRemapHistogram", "MaxPCIeLink", "MaxClock"} {
		assert.Zero(t, p.sim.GPU(0).Calls(call), call)
	}
	assert.Equal(t, 2, p.sim.GPU(0).Calls("Fields"), "all fields in one call")
	assert.Equal(t, 1, p.sim.GPU(0).Calls("NewGPM"), "the samples are kept")
	assert.Equal(t, 1, p.sim.GPU(0).Calls("Name"), "what does not change is asked once")
	assert.Equal(t, 1, p.sim.Calls("Init"), "the library stays open")
	assert.Equal(t, 1, p.sim.Calls("Device"))
	for id := nvml.MaxFieldID + 1; id < nvml.MaxFieldID+60; id++ {
		assert.Zero(t, p.sim.GPU(0).FieldCalls(id), "fields beyond 250 have moved between drivers")
	}
}

func TestUnsupported(t *testing.T) {
	for _, code := range []nvml.Code{nvml.CodeNotSupported, nvml.CodeFunctionNotFound, nvml.CodeDeprecated, nvml.CodeArgumentVersionMismatch} {
		t.Run(code.Error(), func(t *testing.T) {
			p := newProbe(t, 2)
			calls := map[string]string{
				"Utilization": "hw.gpu.utilization{hw.gpu.task=general}", "EngineUtilization": "hw.gpu.utilization{hw.gpu.task=encoder}",
				"Memory": "hw.gpu.memory", "Temperature": "hw.temperature{hw.sensor_location=gpu}", "TemperatureMargin": "hw.gpu.temperature.margin",
				"EnforcedPowerLimit": "hw.gpu.power.limit{hw.limit_type=enforced}", "Energy": "hw.energy", "Clock": "hw.gpu.speed",
				"ClockEventReasons": "hw.gpu.clock.event.active", "ViolationTime": "hw.gpu.clock.event.time",
				"PerformanceState": "hw.gpu.performance_state", "MemoryErrors": "hw.errors", "SRAMECC": "hw.gpu.ecc.sram",
				"Fabric": "hw.gpu.fabric.state", "PCIeLink": "hw.gpu.pcie.link", "NVLinks": "hw.gpu.nvlink.links",
				"NewGPM": "hw.gpu.sm.activity", "MIGMode": "hw.gpu.mig.enabled", "Processes": "hw.gpu.process.count",
			}
			for call := range calls {
				p.sim.GPU(0).Fail(call, code)
			}
			fields := []nvml.FieldID{nvml.FieldMemoryTemperature, nvml.FieldRecoveryAction, nvml.FieldNVLinkDataTransmit}
			for _, f := range fields {
				p.sim.GPU(0).FailField(f, code)
			}
			p.read()
			asked := map[string]int{}
			for call := range calls {
				asked[call] = p.sim.GPU(0).Calls(call)
				assert.Positive(t, asked[call], call)
			}
			got := p.read()
			for call, metric := range calls {
				assert.False(t, got.has("0 "+metric), "%s: absent is not zero", metric)
				assert.True(t, got.has("1 "+metric), "the other GPU has %s", metric)
				assert.Equal(t, asked[call], p.sim.GPU(0).Calls(call), "%s is not asked again", call)
			}
			assert.False(t, got.has("0 hw.temperature{hw.sensor_location=memory}"))
			assert.False(t, got.has("0 hw.gpu.recovery_action"))
			for _, f := range fields {
				assert.Equal(t, 1, p.sim.GPU(0).FieldCalls(f))
			}
			assert.True(t, got.has("0 hw.power"))
			assert.False(t, got.has("0 hw.gpu.scrape.errors"), "what is not offered is no error")
			assert.Equal(t, "ok", got.state(t, "0 hw.status"))
			assert.Equal(t, []string{"info The NVIDIA driver answers."}, p.messages())

			// A driver loaded anew may offer more.
			for call := range calls {
				p.sim.GPU(0).Fail(call, nil)
			}
			p.sim.SetDriver(simulator.DriverUnloaded)
			p.read()
			p.sim.SetDriver(simulator.DriverLoaded)
			p.clock.advance(time.Minute)
			p.read()
			got = p.read()
			for _, metric := range calls {
				assert.True(t, got.has("0 "+metric), metric)
			}
		})
	}
}

func TestFallbacks(t *testing.T) {
	p := newProbe(t, 1)
	p.sim.GPU(0).Fail("Fields", nvml.CodeFunctionNotFound)
	p.sim.GPU(0).Set(func(s *simulator.GPUState) {
		s.PCIeReplays = 4
		s.Remapped = nvml.RemappedRows{Corrected: 6, Failed: true}
	})
	got := p.read()
	assert.InDelta(t, 77.5, got.value(t, "0 hw.power"), 0)
	assert.InDelta(t, 4, got.value(t, "0 hw.gpu.pcie.replays"), 0)
	assert.InDelta(t, 6, got.value(t, "0 hw.gpu.remapped_rows{hw.gpu.remap.cause=corrected}"), 0)
	assert.InDelta(t, 87, got.value(t, "0 hw.temperature.limit{hw.limit_type=high.degraded}"), 0)
	assert.False(t, got.has("0 hw.temperature.limit{hw.limit_type=high.critical}"))
	assert.Equal(t, "failed", got.state(t, "0 hw.status"), "a row could not be replaced")
}

func TestMemoryWithoutReserve(t *testing.T) {
	p := newProbe(t, 1)
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.Reserved = 0 })
	got := p.read()
	assert.False(t, got.has("0 hw.gpu.memory.reserved"))
	assert.True(t, got.has("0 hw.gpu.memory.usage"))
}

func TestNoPermission(t *testing.T) {
	p := newProbe(t, 1)
	p.sim.GPU(0).Fail("SRAMECC", nvml.CodeNoPermission)
	p.sim.GPU(0).Fail("NewGPM", nvml.CodeNoPermission)
	p.read()
	got := p.read()
	assert.Equal(t, []string{
		"warn The NVIDIA driver denies a call; its metrics are left out.",
		"warn The NVIDIA driver denies a call; its metrics are left out.",
	}, p.messages()[1:], "once for each call")
	p.read()
	assert.Empty(t, p.messages())
	assert.False(t, got.has("0 hw.gpu.ecc.sram"))
	assert.True(t, got.has("0 hw.power"))
	assert.Equal(t, "ok", got.state(t, "0 hw.status"))
}

func TestNoData(t *testing.T) {
	p := newProbe(t, 1)
	p.sim.GPU(0).Fail("PerformanceState", nvml.CodeNoData)
	p.sim.GPU(0).Fail("Energy", nvml.CodeNotFound)
	got := p.read()
	assert.False(t, got.has("0 hw.gpu.performance_state"))
	assert.False(t, got.has("0 hw.energy"))
	assert.False(t, got.has("0 hw.gpu.scrape.errors"))
	p.sim.GPU(0).Fail("Energy", nil)
	assert.True(t, p.read().has("0 hw.energy"), "it is asked again")
}

func TestErrorsAreCounted(t *testing.T) {
	p := newProbe(t, 2)
	p.sim.GPU(0).Fail("Energy", nvml.CodeIRQIssue)
	p.sim.GPU(0).Fail("Memory", nvml.CodeUnknown)
	p.read()
	got := p.read()
	assert.InDelta(t, 2, got.value(t, "0 hw.gpu.scrape.errors{error.type=ERROR_IRQ_ISSUE}"), 0)
	assert.InDelta(t, 2, got.value(t, "0 hw.gpu.scrape.errors{error.type=ERROR_UNKNOWN}"), 0)
	assert.False(t, got.has("1 hw.gpu.scrape.errors"))
	assert.True(t, got.has("0 hw.power"), "one failed call takes no other with it")
	assert.InDelta(t, 1, got.value(t, " nvml.up"), 0)
}

func TestLostGPU(t *testing.T) {
	for _, code := range []nvml.Code{nvml.CodeGPUIsLost, nvml.CodeResetRequired} {
		t.Run(code.Error(), func(t *testing.T) {
			p := newProbe(t, 3)
			p.read()
			p.read()
			p.messages()
			p.happened()
			p.sim.GPU(1).Lose(code)
			got := p.read()
			assert.Equal(t, "failed", got.state(t, "1 hw.status"))
			assert.Equal(t, "NVIDIA H200", got["1 hw.status{hw.state=failed}"].resource["hw.model"])
			assert.True(t, got.has("1 hw.gpu.info"), "it keeps its identity")
			assert.True(t, got.ended("1 hw.power"))
			assert.InDelta(t, 1, got.value(t, "1 hw.gpu.scrape.errors{error.type="+code.Error()+"}"), 0)
			for _, other := range []string{"0", "2"} {
				assert.Equal(t, "ok", got.state(t, other+" hw.status"))
				assert.True(t, got.has(other+" hw.power"))
			}
			assert.Equal(t, []string{"warn The GPU can no longer be read."}, p.messages())
			assert.Equal(t, []string{"hw.gpu.lost ERROR"}, p.happened())

			for range 10 {
				got = p.read()
			}
			assert.Equal(t, "failed", got.state(t, "1 hw.status"))
			assert.False(t, got.has("1 hw.power"))
			assert.Empty(t, p.happened())
			assert.NotContains(t, p.messages(), "warn The GPU can no longer be read.")
			assert.InDelta(t, 1, got.value(t, " nvml.up"), 0)

			p.sim.GPU(1).Return()
			p.clock.advance(time.Minute)
			got = p.read()
			assert.Equal(t, "ok", got.state(t, "1 hw.status"))
			assert.True(t, got.has("1 hw.power"))
			assert.Contains(t, p.happened(), "hw.gpu.returned INFO")
			assert.Contains(t, p.messages(), "info The GPU can be read again.")
			// It was reset: its counters began anew, after they were last seen.
			assert.Equal(t, p.clock.now().Add(-12*30*time.Second-time.Minute).Add(time.Millisecond).UTC(), got["1 hw.energy"].start)
		})
	}
}

// TestLostInTheMiddle loses a GPU between two calls of one reading.
func TestLostInTheMiddle(t *testing.T) {
	p := newProbe(t, 2)
	p.read()
	p.sim.GPU(0).Fail("Energy", nvml.CodeGPUIsLost)
	calls := p.sim.GPU(0).Calls("Clock")
	got := p.read()
	assert.Equal(t, "failed", got.state(t, "0 hw.status"))
	assert.True(t, got.has("0 hw.power"), "what was read before stands")
	assert.Equal(t, calls, p.sim.GPU(0).Calls("Clock"), "a lost GPU is left alone")
	assert.Equal(t, "ok", got.state(t, "1 hw.status"))
	p.sim.GPU(0).Fail("Energy", nil)
	assert.Equal(t, "ok", p.read().state(t, "0 hw.status"))
}

func TestLostBeforeTheFirstScrape(t *testing.T) {
	p := newProbe(t, 2)
	p.sim.GPU(1).Lose(nvml.CodeGPUIsLost)
	got := p.read()
	assert.InDelta(t, 2, got.value(t, " hw.gpu.count"), 0)
	assert.False(t, got.has("1 "), "nobody knows what it is")
	assert.Contains(t, p.messages(), "warn Some GPUs cannot be opened.")
	p.sim.GPU(1).Return()
	p.sim.SetOrder(1, 0)
	p.read()
}

func TestGPUGone(t *testing.T) {
	p := newProbe(t, 3)
	p.read()
	p.sim.SetOrder(0, 2)
	got := p.read()
	assert.InDelta(t, 2, got.value(t, " hw.gpu.count"), 0)
	assert.Equal(t, "failed", got.state(t, "1 hw.status"))
	assert.Equal(t, "ok", got.state(t, "2 hw.status"), "known by its UUID, whatever its index")
	p.sim.SetOrder(2, 1, 0)
	p.clock.advance(time.Minute)
	got = p.read()
	assert.Equal(t, "ok", got.state(t, "1 hw.status"))
}

func TestOneGPUInTrouble(t *testing.T) {
	p := newProbe(t, 2)
	p.read()
	for _, call := range gpuCalls() {
		p.sim.GPU(0).Fail(call, nvml.CodeUnknown)
	}
	got := p.read()
	assert.InDelta(t, 1, got.value(t, " nvml.up"), 0, "the other one works")
	assert.Equal(t, "failed", got.state(t, "0 hw.status"))
	assert.Equal(t, "ok", got.state(t, "1 hw.status"))
	assert.Equal(t, 1, p.sim.Calls("Init"))
}

// gpuCalls are the names of all calls of a GPU.
func gpuCalls() []string {
	var names []string
	device := reflect.TypeFor[nvml.Device]()
	for i := range device.NumMethod() {
		names = append(names, device.Method(i).Name)
	}
	return append(names, "GPM")
}

func TestDriver(t *testing.T) {
	tests := []struct {
		state simulator.DriverState
		code  nvml.Code
		hint  string
		// A host without a driver may well have no GPU: that is no error.
		line, event string
	}{
		{simulator.DriverAbsent, nvml.CodeLibraryNotFound, "install the driver", noDriver, "INFO"},
		{simulator.DriverUnloaded, nvml.CodeDriverNotLoaded, "Load the driver", "The NVIDIA driver does not answer.", "ERROR"},
		{simulator.DriverMismatch, nvml.CodeLibRMVersionMismatch, "restart the collector", "The NVIDIA driver does not answer.", "ERROR"},
		{simulator.DriverBroken, nvml.CodeUnknown, "kernel log", "The NVIDIA driver does not answer.", "ERROR"},
		{simulator.DriverNoPermitted, nvml.CodeNoPermission, "/dev/nvidiactl", "The NVIDIA driver does not answer.", "ERROR"},
	}
	for _, tt := range tests {
		t.Run("from the start "+tt.code.Error(), func(t *testing.T) {
			p := newProbe(t, 2)
			p.sim.SetDriver(tt.state)
			got := p.read()
			assert.InDelta(t, 0, got.value(t, " nvml.up"), 0)
			assert.Equal(t, "unavailable", got.state(t, " nvml.state"))
			assert.False(t, got.has(" hw.gpu.count"))
			assert.InDelta(t, 1, got.value(t, " hw.gpu.scrape.errors{error.type="+tt.code.Error()+"}"), 0)
			for range 5 {
				p.read()
			}
			lines := p.lines.TakeAll()
			require.Len(t, lines, 1, "one line, however long it lasts")
			assert.Equal(t, tt.line, lines[0].Message)
			assert.Contains(t, lines[0].ContextMap()["hint"], tt.hint)
			assert.Equal(t, []string{"nvml.unavailable " + tt.event}, p.happened())

			p.sim.SetDriver(simulator.DriverLoaded)
			p.clock.advance(time.Minute)
			got = p.read()
			assert.InDelta(t, 1, got.value(t, " nvml.up"), 0)
			assert.Equal(t, "ok", got.state(t, "0 hw.status"))
			assert.Equal(t, []string{"info The NVIDIA driver answers."}, p.messages())
			assert.Equal(t, []string{"nvml.available INFO"}, p.happened())
		})
		if tt.state == simulator.DriverAbsent || tt.state == simulator.DriverNoPermitted {
			continue
		}
		t.Run("while it runs "+tt.code.Error(), func(t *testing.T) {
			p := newProbe(t, 2)
			p.read()
			p.read()
			p.happened()
			p.sim.SetDriver(tt.state)
			got := p.read()
			assert.InDelta(t, 0, got.value(t, " nvml.up"), 0)
			assert.True(t, got.has("0 hw.gpu.info"), "the GPUs keep their identity")
			assert.True(t, got.ended("0 hw.power"))
			assert.True(t, got.ended("0 hw.status{hw.state=ok}"), "nobody knows how they are")
			assert.False(t, p.sim.Open(), "the library is shut down")
			assert.Equal(t, []string{"nvml.unavailable ERROR"}, p.happened())
			p.sim.SetDriver(simulator.DriverLoaded)
			p.clock.advance(time.Minute)
			p.read()
			got = p.read()
			assert.Equal(t, "ok", got.state(t, "0 hw.status"))
			assert.True(t, got.has("0 hw.gpu.sm.activity"), "with samples taken anew")
			assert.Equal(t, []string{"nvml.available INFO"}, p.happened(), "nothing was lost in between")
		})
	}
}

// TestEverythingUnknown is a driver whose library answers, but no GPU does.
func TestEverythingUnknown(t *testing.T) {
	p := newProbe(t, 2)
	p.read()
	for i := range 2 {
		for _, call := range gpuCalls() {
			p.sim.GPU(i).Fail(call, nvml.CodeUnknown)
		}
	}
	got := p.read()
	assert.InDelta(t, 0, got.value(t, " nvml.up"), 0)
	assert.False(t, p.sim.Open())
}

func TestBackoff(t *testing.T) {
	p := newProbe(t, 1)
	p.sim.SetDriver(simulator.DriverUnloaded)
	tries := func() int { return p.sim.Calls("Init") }
	var at []int
	for second := range 300 {
		before := tries()
		p.clock.advance(time.Second)
		p.raw()
		if tries() > before {
			at = append(at, second)
		}
	}
	assert.Equal(t, []int{0, 1, 3, 7, 15, 31, 63, 123, 183, 243}, at, "1 s to 60 s")
}

func TestReloadedBehindTheBack(t *testing.T) {
	p := newProbe(t, 1)
	p.read()
	p.sim.SetDriver(simulator.DriverUnloaded)
	p.sim.SetDriver(simulator.DriverLoaded)
	assert.InDelta(t, 0, p.read().value(t, " nvml.up"), 0)
	got := p.read()
	assert.InDelta(t, 1, got.value(t, " nvml.up"), 0)
	assert.InDelta(t, 77.5*60, got.value(t, "0 hw.energy"), 1e-6)
}

func TestNoDevices(t *testing.T) {
	p := newProbe(t, -1)
	got := p.read()
	assert.InDelta(t, 1, got.value(t, " nvml.up"), 0)
	assert.InDelta(t, 0, got.value(t, " hw.gpu.count"), 0)
	assert.Equal(t, "no_devices", got.state(t, " nvml.state"))
	lines := p.lines.TakeAll()
	require.Len(t, lines, 1)
	assert.Equal(t, zapcore.WarnLevel, lines[0].Level)
	assert.Contains(t, lines[0].ContextMap()["hint"], "/dev/nvidia*")
}

func TestStuckGPU(t *testing.T) {
	p := newProbe(t, 2)
	p.read()
	p.messages()
	release := p.sim.GPU(0).Hang("Memory")
	defer release()
	p.timeout = 50 * time.Millisecond
	begin := time.Now()
	got := p.read()
	assert.Less(t, time.Since(begin), 2*time.Second)
	assert.InDelta(t, 1, got.value(t, " nvml.up"), 0)
	assert.True(t, got.has("1 hw.power"), "the other GPU is read")
	assert.False(t, got.has("0 hw.power"))
	assert.False(t, got.has("0 hw.status"), "nobody knows how it is")
	assert.InDelta(t, 1, got.value(t, "0 hw.gpu.scrape.skipped"), 0)
	calls := p.sim.GPU(0).Calls("Memory")
	for range 3 {
		got = p.read()
	}
	assert.Equal(t, calls, p.sim.GPU(0).Calls("Memory"), "no call is queued behind it")
	assert.InDelta(t, 4, got.value(t, "0 hw.gpu.scrape.skipped"), 0)
	assert.Equal(t, []string{"warn A call hangs in the NVIDIA driver. The GPU is not read until it ends."}, p.messages())

	release()
	p.timeout = 5 * time.Second
	require.Eventually(t, func() bool { return !p.gpus[p.sim.GPU(0).UUID()].slot.taken.Load() }, 5*time.Second, time.Millisecond)
	got = p.read()
	assert.True(t, got.has("0 hw.power"))
	assert.Equal(t, "ok", got.state(t, "0 hw.status"))
	assert.Equal(t, []string{"info The GPU is read again."}, p.messages())
}

func TestStuckDriver(t *testing.T) {
	for _, call := range []string{"Init", "DeviceCount", "Device"} {
		t.Run(call, func(t *testing.T) {
			p := newProbe(t, 2)
			p.timeout = 50 * time.Millisecond
			release := p.sim.Hang(call)
			defer release()
			for i := range 3 {
				got := p.read()
				assert.InDelta(t, 0, got.value(t, " nvml.up"), 0)
				assert.Equal(t, "stuck", got.state(t, " nvml.state"))
				assert.InDelta(t, i+1, got.value(t, " hw.gpu.scrape.skipped"), 0)
			}
			assert.Equal(t, 1, p.sim.Calls(call))
			assert.Len(t, p.messages(), 1)
			release()
			p.timeout = 5 * time.Second
			require.Eventually(t, func() bool { return !p.driver.slot.taken.Load() }, 5*time.Second, time.Millisecond)
			assert.InDelta(t, 1, p.read().value(t, " nvml.up"), 0)
		})
	}
}

// TestStuckShutdown is a driver that can neither be used nor be let go of.
func TestStuckShutdown(t *testing.T) {
	p := newProbe(t, 2)
	p.read()
	p.messages()
	release := p.sim.Hang("Shutdown")
	defer release()
	p.sim.SetDriver(simulator.DriverUnloaded)
	p.timeout = 50 * time.Millisecond
	p.read()
	p.read()
	assert.Equal(t, []string{"warn The NVIDIA driver could not be let go of.", "warn The NVIDIA driver does not answer."}, p.messages())
	release()
}

func TestBrokenOff(t *testing.T) {
	p := newProbe(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	md, err := p.scrape(ctx)
	require.NoError(t, err)
	assert.Zero(t, md.DataPointCount())
	assert.Empty(t, p.messages())
}

func TestSteadyState(t *testing.T) {
	p := newProbe(t, 8)
	for i := range 8 {
		p.sim.GPU(i).Set(func(s *simulator.GPUState) {
			s.SetLoad(0.5)
			s.Processes = []simulator.GPUProcess{{PID: 100, Memory: 1 << 30, SM: 0.5}}
		})
	}
	p.pids[100] = workload{container: "vllm", model: "m"}
	p.read()
	second := p.read()
	p.messages()
	for range 50 {
		got := p.read()
		require.Equal(t, slices.Sorted(maps.Keys(second)), slices.Sorted(maps.Keys(got)))
		for series, point := range got {
			require.False(t, point.none, series)
			require.Equal(t, second[series].start, point.start, series)
		}
	}
	assert.Empty(t, p.messages())
	assert.Len(t, p.series.series, len(second))
	assert.Len(t, p.gpus, 8)
	assert.Equal(t, 1, p.sim.Calls("Init"))
}

func TestReasons(t *testing.T) {
	assert.Equal(t, "stuck", reasonOf(errStuck))
	assert.Equal(t, "not_in_build", reasonOf(nvml.ErrNotInBuild))
	assert.Equal(t, "ERROR_UNKNOWN", reasonOf(errors.New("x")))
	assert.Contains(t, hintFor(nvml.ErrNotInBuild), "cgo")
	assert.Contains(t, hintFor(nvml.CodeTimeout), "kernel log")
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// TestUnknownField is one value of many that the driver cannot read.
func TestUnknownField(t *testing.T) {
	p := newProbe(t, 1)
	p.sim.GPU(0).FailField(nvml.FieldMemoryTemperature, nvml.CodeUnknown)
	got := p.read()
	assert.InDelta(t, 1, got.value(t, "0 hw.gpu.scrape.errors{error.type=ERROR_UNKNOWN}"), 0)
	assert.False(t, got.has("0 hw.temperature{hw.sensor_location=memory}"))
	assert.True(t, got.has("0 hw.temperature{hw.sensor_location=gpu}"))
	assert.Equal(t, "ok", got.state(t, "0 hw.status"))
}

// TestDriverFailsWhileListing is one that goes away between two calls.
func TestDriverFailsWhileListing(t *testing.T) {
	p := newProbe(t, 1)
	p.sim.GPU(0).Fail("Device", nvml.CodeDriverNotLoaded)
	assert.Equal(t, "unavailable", p.read().state(t, " nvml.state"))
	p.sim.GPU(0).Fail("Device", nil)
	p.read()
	p.sim.GPU(0).Fail("Device", nvml.CodeGPUIsLost)
	p.sim.GPU(0).Lose(nvml.CodeGPUIsLost)
	p.read()
	p.sim.SetOrder()
	p.clock.advance(time.Minute)
	got := p.read()
	assert.Equal(t, "no_devices", got.state(t, " nvml.state"))
	assert.Equal(t, "failed", got.state(t, "0 hw.status"))
}

// TestOneStuckOthersUnknown must not take a driver down that may well work.
func TestOneStuckOthersUnknown(t *testing.T) {
	p := newProbe(t, 1)
	p.read()
	release := p.sim.GPU(0).Hang("Memory")
	defer release()
	p.timeout = 50 * time.Millisecond
	got := p.read()
	assert.InDelta(t, 1, got.value(t, " nvml.up"), 0)
	assert.True(t, p.sim.Open())
}

// TestManyMIGProfilers closes those of a GPU whose handle is replaced.
func TestManyMIGProfilers(t *testing.T) {
	p := newProbe(t, 1)
	cut(p)
	p.read()
	p.sim.GPU(0).Lose(nvml.CodeGPUIsLost)
	p.read()
	p.sim.GPU(0).Return()
	p.clock.advance(time.Minute)
	p.read()
	assert.Equal(t, 4, p.sim.GPU(0).Calls("GPM Close"))
}
