//go:build linux && cgo

package nvml

import (
	"math"
	"reflect"
	"strconv"
	"testing"
	"time"

	gonvml "github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// reading is a method of Device or MIGDevice and what it should give.
type reading struct {
	name string
	get  func() (any, error)
	want any
}

func read[T any](name string, want T, get func() (T, error)) reading {
	return reading{name, func() (any, error) { return get() }, want}
}

func with[A, T any](f func(A) (T, error), a A) func() (T, error) {
	return func() (T, error) { return f(a) }
}

func check(t *testing.T, readings []reading) {
	t.Helper()
	for _, r := range readings {
		got, err := r.get()
		assert.NoError(t, err, r.name)
		assert.Equal(t, r.want, got, r.name)
	}
}

const mib = 1 << 20

// The numbers are those of the captures of a real H200 under OTELCOL_LLM_FIXTURES/nvidia.
func TestDeviceIdle(t *testing.T) {
	a := start(t, "devices 8")
	d := gpu(t, a, 1)
	check(t, []reading{
		read("UUID", "GPU-00000001-0000-0000-0000-000000000001", d.UUID),
		read("Name", "NVIDIA H200", d.Name),
		read("Index", 1, d.Index),
		read("MinorNumber", 6, d.MinorNumber),
		read("PCI", PCI{"00000000:19:00.0", 0x233510DE, 0x18BE10DE}, d.PCI),
		read("Serial", "1654023000001", d.Serial),
		read("VBIOSVersion", "96.00.A5.00.03", d.VBIOSVersion),
		read("BoardPartNumber", "695-2G520-0280-001", d.BoardPartNumber),
		read("BoardID", uint32(0x8301), d.BoardID),
		read("Utilization", Utilization{0, 0}, d.Utilization),
		read("Memory", Memory{143771 * mib, 0, 143157 * mib, 614 * mib, true}, d.Memory),
		read("BAR1Memory", BAR1Memory{262144 * mib, mib, 262143 * mib}, d.BAR1Memory),
		read("Temperature", 28, d.Temperature),
		read("TemperatureMargin", 59, d.TemperatureMargin),
		read("Power", 77.67, d.Power),
		read("EnforcedPowerLimit", 700.0, d.EnforcedPowerLimit),
		read("DefaultPowerLimit", 700.0, d.DefaultPowerLimit),
		read("PowerLimitRange", PowerLimitRange{200, 700}, d.PowerLimitRange),
		read("Energy", 987654321.013, d.Energy),
		read("Clock", uint64(345e6), with(d.Clock, ClockSM)),
		read("ClockEventReasons", ClockEventIdle, d.ClockEventReasons),
		read("PerformanceState", 0, d.PerformanceState),
		read("PCIeThroughput", 371e3, with(d.PCIeThroughput, DirectionTransmit)),
		read("Processes", []Process{}, d.Processes),
	})
}

func TestDeviceUnderLoad(t *testing.T) {
	a := start(t, "load")
	d := gpu(t, a, 0)
	links := make([]bool, 18)
	for i := range links {
		links[i] = true
	}
	window := 167 * time.Millisecond
	at := time.UnixMicro(1767225600000000)
	check(t, []reading{
		read("Utilization", Utilization{1, 0.08}, d.Utilization),
		read("encoder", EngineUtilization{0, window}, with(d.EngineUtilization, EngineEncoder)),
		read("decoder", EngineUtilization{0.03, window}, with(d.EngineUtilization, EngineDecoder)),
		read("JPEG", EngineUtilization{0.02, window}, with(d.EngineUtilization, EngineJPEG)),
		read("OFA", EngineUtilization{0.01, window}, with(d.EngineUtilization, EngineOFA)),
		read("Memory", Memory{143771 * mib, 32362 * mib, 110795 * mib, 614 * mib, true}, d.Memory),
		read("Temperature", 53, d.Temperature),
		read("TemperatureMargin", 35, d.TemperatureMargin),
		read("Power", 631.25, d.Power),
		read("graphics clock", uint64(1980e6), with(d.Clock, ClockGraphics)),
		read("memory clock", uint64(3201e6), with(d.Clock, ClockMemory)),
		read("video clock", uint64(1545e6), with(d.Clock, ClockVideo)),
		read("max SM clock", uint64(1980e6), with(d.MaxClock, ClockSM)),
		read("max video clock", uint64(1545e6), with(d.MaxClock, ClockVideo)),
		read("ClockEventReasons", ClockEventSWPowerCap, d.ClockEventReasons),
		read("power violation", ViolationTime{1500 * time.Millisecond, at}, with(d.ViolationTime, PolicyPower)),
		read("thermal violation", ViolationTime{0, at}, with(d.ViolationTime, PolicyThermal)),
		read("RemappedRows", RemappedRows{}, d.RemappedRows),
		read("RowRemapHistogram", RowRemapHistogram{Max: 3072}, d.RowRemapHistogram),
		read("Fabric", Fabric{FabricCompleted, CodeSuccess, "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf", 7, 0x55, 1}, d.Fabric),
		read("PCIeLink", PCIeLink{5, 16}, d.PCIeLink),
		read("MaxPCIeLink", PCIeLink{5, 16}, d.MaxPCIeLink),
		read("PCIeReplays", uint64(0), d.PCIeReplays),
		read("transmitted", 4217e3, with(d.PCIeThroughput, DirectionTransmit)),
		read("received", 8691e3, with(d.PCIeThroughput, DirectionReceive)),
		read("NVLinks", links, d.NVLinks),
		read("MIGMode", MIGMode{}, d.MIGMode),
		read("MIGDevices", []MIGDevice(nil), d.MIGDevices),
	})
}

// Other values than those of the captures, so that no field is taken for another.
func TestDeviceScripted(t *testing.T) {
	a := start(t,
		"value nvmlDeviceGetUtilizationRates 42 17",
		"value nvmlDeviceGetTemperature -5",
		"value nvmlDeviceGetMarginTemperature -3",
		"value nvmlDeviceGetPowerManagementLimitConstraints 100000 650500",
		"value nvmlDeviceGetEnforcedPowerLimit 600000",
		"value nvmlDeviceGetPowerManagementDefaultLimit 650000",
		"value nvmlDeviceGetTotalEnergyConsumption 9007199254740991",
		"value nvmlDeviceGetClockInfo 11 12 13 14",
		"value nvmlDeviceGetMaxClockInfo 21 22 23 24",
		"value nvmlDeviceGetCurrentClocksEventReasons 489",
		"value nvmlDeviceGetViolationStatus 1 2 3 4 5 6 7 8 9 10 11 12",
		"value nvmlDeviceGetPerformanceState 32",
		"value nvmlDeviceGetMemoryErrorCounter 1 2 3 4 10",
		"value nvmlDeviceGetSramEccErrorStatus 1 2 3 4 5 6 7 8 9 10 11 1",
		"value nvmlDeviceGetRemappedRows 3 4 1 0",
		"value nvmlDeviceGetRowRemapperHistogram 5 4 3 2 1",
		"value nvmlDeviceGetCurrPcieLinkGeneration 1",
		"value nvmlDeviceGetCurrPcieLinkWidth 8",
		"value nvmlDeviceGetMaxPcieLinkGeneration 6",
		"value nvmlDeviceGetMaxPcieLinkWidth 4",
		"value nvmlDeviceGetPcieReplayCounter 9",
		"value nvmlDeviceGetNvLinkState 4 3",
		"value nvmlDeviceGetGpuFabricInfoV 3 1 15",
		"value nvmlDeviceGetMigMode 1",
	)
	d := gpu(t, a, 0)
	memoryErrors := func(kind ECCKind, counter ECCCounter, location MemoryLocation) func() (uint64, error) {
		return func() (uint64, error) { return d.MemoryErrors(kind, counter, location) }
	}
	check(t, []reading{
		read("Utilization", Utilization{0.42, 0.17}, d.Utilization),
		read("Temperature", -5, d.Temperature),
		read("TemperatureMargin", -3, d.TemperatureMargin),
		read("PowerLimitRange", PowerLimitRange{100, 650.5}, d.PowerLimitRange),
		read("EnforcedPowerLimit", 600.0, d.EnforcedPowerLimit),
		read("DefaultPowerLimit", 650.0, d.DefaultPowerLimit),
		read("Energy", 9007199254740.991, d.Energy),
		read("graphics clock", uint64(11e6), with(d.Clock, ClockGraphics)),
		read("SM clock", uint64(12e6), with(d.Clock, ClockSM)),
		read("memory clock", uint64(13e6), with(d.Clock, ClockMemory)),
		read("video clock", uint64(14e6), with(d.Clock, ClockVideo)),
		read("max graphics clock", uint64(21e6), with(d.MaxClock, ClockGraphics)),
		read("max SM clock", uint64(22e6), with(d.MaxClock, ClockSM)),
		read("max memory clock", uint64(23e6), with(d.MaxClock, ClockMemory)),
		read("max video clock", uint64(24e6), with(d.MaxClock, ClockVideo)),
		read("ClockEventReasons", ClockEventIdle|ClockEventHWSlowdown|ClockEventSWThermal|ClockEventHWThermal|
			ClockEventHWPowerBrake|ClockEventDisplayClocks, d.ClockEventReasons),
		read("DRAM corrected", uint64(1), memoryErrors(ECCCorrected, ECCVolatile, MemoryDRAM)),
		read("DRAM uncorrected", uint64(2), memoryErrors(ECCUncorrected, ECCVolatile, MemoryDRAM)),
		read("SRAM corrected", uint64(3), memoryErrors(ECCCorrected, ECCVolatile, MemorySRAM)),
		read("SRAM uncorrected", uint64(4), memoryErrors(ECCUncorrected, ECCVolatile, MemorySRAM)),
		read("SRAM uncorrected ever", uint64(14), memoryErrors(ECCUncorrected, ECCAggregate, MemorySRAM)),
		read("SRAMECC", SRAMECC{
			AggregateUncorrectedParity: 1, AggregateUncorrectedSECDED: 2, AggregateCorrected: 3,
			VolatileUncorrectedParity: 4, VolatileUncorrectedSECDED: 5, VolatileCorrected: 6,
			AggregateL2: 7, AggregateSM: 8, AggregatePCIe: 9, AggregateMicrocontroller: 10, AggregateOtherUnits: 11,
			ThresholdExceeded: true,
		}, d.SRAMECC),
		read("RemappedRows", RemappedRows{Corrected: 3, Uncorrected: 4, Pending: true}, d.RemappedRows),
		read("RowRemapHistogram", RowRemapHistogram{5, 4, 3, 2, 1}, d.RowRemapHistogram),
		read("PCIeLink", PCIeLink{1, 8}, d.PCIeLink),
		read("MaxPCIeLink", PCIeLink{6, 4}, d.MaxPCIeLink),
		read("PCIeReplays", uint64(9), d.PCIeReplays),
		read("NVLinks", []bool{true, true, true, false}, d.NVLinks),
		read("MIGMode", MIGMode{Pending: true}, d.MIGMode),
	})
	f, err := d.Fabric()
	require.NoError(t, err)
	assert.Equal(t, FabricNotStarted, f.State)
	assert.Equal(t, CodeGPUIsLost, f.Status)
	for policy, want := range map[Policy]time.Duration{
		PolicyPower: 1, PolicyThermal: 2, PolicySyncBoost: 3, PolicyBoardLimit: 4, PolicyLowUtilization: 5, PolicyReliability: 6, PolicyTotalBaseClocks: 12,
	} {
		v, err := d.ViolationTime(policy)
		require.NoError(t, err)
		assert.Equal(t, want, v.Total)
	}
	_, err = d.PerformanceState()
	assert.Equal(t, CodeNoData, err, "the driver does not know it")
	_, err = d.EngineUtilization(Engine(9))
	assert.Equal(t, CodeInvalidArgument, err)
	_, err = d.MemoryErrors(ECCCorrected, ECCVolatile, MemoryL1Cache)
	assert.Equal(t, CodeNotSupported, err)
}

// Every method of Device, present and future, gives the code of the driver and no
// value with it.
func TestDeviceErrors(t *testing.T) {
	a := start(t)
	d := gpu(t, a, 0)
	for _, code := range []Code{CodeNotSupported, CodeNoPermission, CodeGPUIsLost, CodeResetRequired, CodeLibRMVersionMismatch, CodeUnknown, CodeIRQIssue} {
		driver.Set(t, "fail all "+itoa(code))
		for name, got := range everyMethod(d) {
			assert.Equal(t, code, CodeOf(got.err), "%s with %v", name, code)
			assert.True(t, got.zero, "%s gives a value with %v", name, code)
		}
		_, err := a.NewEventSet()
		assert.Equal(t, code, err)
		_, err = a.DeviceCount()
		assert.Equal(t, code, err)
		_, err = a.CUDAVersion()
		assert.Equal(t, code, err)
	}
}

func itoa(c Code) string { return strconv.Itoa(int(c)) }

// result is what a method has given.
type outcome struct {
	err  error
	zero bool
}

// everyMethod calls all methods of x that can fail, with the first valid arguments.
func everyMethod(x any) map[string]outcome {
	results := map[string]outcome{}
	v := reflect.ValueOf(x)
	for i := range v.NumMethod() {
		m := v.Method(i)
		n := m.Type().NumOut()
		if n < 2 {
			continue
		}
		args := make([]reflect.Value, m.Type().NumIn())
		for j := range args {
			args[j] = reflect.Zero(m.Type().In(j))
			if m.Type().In(j) == reflect.TypeFor[[]Field]() {
				args[j] = reflect.ValueOf([]Field{{ID: FieldMemoryTemperature}})
			}
		}
		out := m.Call(args)
		o := outcome{zero: true}
		o.err, _ = reflect.TypeAssert[error](out[n-1])
		for _, value := range out[:n-1] {
			o.zero = o.zero && value.IsZero()
		}
		results[v.Type().Method(i).Name] = o
	}
	return results
}

func TestEveryMethodReaches(t *testing.T) {
	a := start(t, "mig 1")
	results := everyMethod(gpu(t, a, 0))
	assert.Len(t, results, reflect.TypeFor[Device]().NumMethod())
	for name, got := range results {
		if name != "MemoryErrors" { // L1 has no counter on Hopper
			assert.NoError(t, got.err, name)
		}
	}
	instances, err := gpu(t, a, 1).MIGDevices()
	require.NoError(t, err)
	results = everyMethod(instances[0])
	assert.Len(t, results, reflect.TypeFor[MIGDevice]().NumMethod()-1, "all but Slot")
}

func TestMemoryFallsBack(t *testing.T) {
	a := start(t, "load", "fail nvmlDeviceGetMemoryInfo_v2 25")
	d := gpu(t, a, 0)
	m, err := d.Memory()
	require.NoError(t, err)
	assert.Equal(t, Memory{Total: 143771 * mib, Used: (32362 + 614) * mib, Free: 110795 * mib}, m)

	driver.Set(t, "fail nvmlDeviceGetMemoryInfo_v2 15")
	_, err = d.Memory()
	assert.Equal(t, CodeGPUIsLost, err, "not asked twice")
}

func TestTemperatureFallsBack(t *testing.T) {
	a := start(t, "fail nvmlDeviceGetTemperatureV 3", "value nvmlDeviceGetTemperature -2")
	temperature, err := gpu(t, a, 0).Temperature()
	require.NoError(t, err)
	assert.Equal(t, -2, temperature)
}

func TestFabricFallsBack(t *testing.T) {
	a := start(t, "value nvmlDeviceGetGpuFabricInfoV 2")
	d := gpu(t, a, 0)
	f, err := d.Fabric()
	require.NoError(t, err)
	assert.Equal(t, Fabric{FabricCompleted, CodeSuccess, "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf", 7, 0x55, 0}, f)

	driver.Set(t, "fail nvmlDeviceGetGpuFabricInfoV 13")
	f, err = d.Fabric()
	require.NoError(t, err)
	assert.Equal(t, Fabric{State: FabricCompleted}, f, "the captured H200 is in no cluster")

	driver.Set(t, "fail nvmlDeviceGetGpuFabricInfoV 3")
	_, err = d.Fabric()
	assert.Equal(t, CodeNotSupported, err)
}

func TestPCIeLinkInPart(t *testing.T) {
	a := start(t, "fail nvmlDeviceGetCurrPcieLinkWidth 3", "fail nvmlDeviceGetMaxPcieLinkWidth 4")
	d := gpu(t, a, 0)
	link, err := d.PCIeLink()
	assert.Equal(t, CodeNotSupported, err)
	assert.Zero(t, link)
	link, err = d.MaxPCIeLink()
	assert.Equal(t, CodeNoPermission, err)
	assert.Zero(t, link)
}

func TestNVLinks(t *testing.T) {
	a := start(t, "value nvmlDeviceGetNvLinkState 12 12")
	d := gpu(t, a, 0)
	links, err := d.NVLinks()
	require.NoError(t, err)
	assert.Len(t, links, 12, "ends with NOT_SUPPORTED")

	driver.Set(t, "value nvmlDeviceGetNvLinkState 0 0")
	links, err = d.NVLinks()
	assert.Equal(t, CodeNotSupported, err)
	assert.Nil(t, links)

	driver.Set(t, "fail nvmlDeviceGetNvLinkState 15")
	_, err = d.NVLinks()
	assert.Equal(t, CodeGPUIsLost, err)
}

func TestFields(t *testing.T) {
	a := start(t, "load",
		"field 0 74 * 2 123456789", "field 0 75 * 0 -1.5", "field 0 76 0 4 -7", "field 0 77 0 9 1", "field 0 78 0 error 4", "field 0 79 * 0 nan",
		"field 0 161 3 3 99")
	got, err := gpu(t, a, 0).Fields([]Field{
		{ID: 82},
		{ID: 185},
		{ID: 186},
		{ID: 194},
		{ID: 230},
		{ID: 138, Scope: 4},
		{ID: 138, Scope: ScopeAllLinks},
		{ID: 138, Scope: 18},
		{ID: 161, Scope: 3},
		{ID: 161, Scope: 4},
		{ID: 142},
		{ID: 251},
		{ID: 210},
		{ID: 74},
		{ID: 75},
		{ID: 76},
		{ID: 77},
		{ID: 78},
		{ID: 79},
		{ID: 197},
	})
	require.NoError(t, err)
	want := []struct {
		id    FieldID
		value Number
		err   error
	}{
		{82, UintNumber(42), nil},
		{185, UintNumber(631250), nil},
		{186, UintNumber(632000), nil},
		{194, IntNumber(-2), nil},
		{230, UintNumber(0), nil},
		{138, UintNumber(1000), nil},
		{138, UintNumber(18000), nil},
		{138, Number{}, CodeNotSupported},
		{161, UintNumber(99), nil},
		{161, UintNumber(0), nil},
		{142, UintNumber(0), nil},
		{251, Number{}, CodeArgumentVersionMismatch},
		{210, Number{}, CodeNotSupported},
		{74, UintNumber(123456789), nil},
		{75, FloatNumber(-1.5), nil},
		{76, IntNumber(-7), nil},
		{77, Number{}, CodeArgumentVersionMismatch},
		{78, Number{}, CodeNoPermission},
		{79, Number{}, CodeNoData},
		{197, UintNumber(4217e6), nil},
	}
	require.Len(t, got, len(want))
	for i, w := range want {
		g := got[i]
		assert.Equal(t, w.id, g.ID)
		assert.Equal(t, w.value, g.Number, "%d", w.id)
		assert.Equal(t, w.err, g.Err, "%d", w.id)
		if w.err == nil {
			assert.Equal(t, time.UnixMicro(1767225600000000), g.Time)
			assert.Equal(t, 7*time.Microsecond, g.Latency)
		}
	}
	assert.Equal(t, uint32(4), got[5].Scope)
	assert.True(t, got[11].Time.IsZero())
}

func TestFieldsWithoutDriver(t *testing.T) {
	a := start(t, "fail nvmlDeviceGetFieldValues 15")
	d := gpu(t, a, 0)
	got, err := d.Fields(nil)
	assert.NoError(t, err)
	assert.Empty(t, got)
	got, err = d.Fields([]Field{{ID: 251}, {ID: math.MaxUint32}})
	require.NoError(t, err, "not asked")
	assert.Equal(t, CodeArgumentVersionMismatch, got[1].Err)
	_, err = d.Fields([]Field{{ID: 251}, {ID: 82}})
	assert.Equal(t, CodeGPUIsLost, err)
}

func TestDecodeInfinity(t *testing.T) {
	v := FieldValue{}
	raw := gonvml.FieldValue{ValueType: 0, Value: [8]byte{0, 0, 0, 0, 0, 0, 0xF0, 0x7F}}
	decode(&v, &raw)
	assert.Equal(t, CodeNoData, v.Err)
}
