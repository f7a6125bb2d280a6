package simulator

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
)

// newServer is a server with an open library and a clock to move.
func newServer(t *testing.T, gpus int) (*NVML, *clock) {
	t.Helper()
	c := newClock()
	l := NewNVML(NVMLConfig{GPUs: gpus, Now: c.now})
	require.NoError(t, l.Init())
	return l, c
}

func device(t *testing.T, l *NVML, i int) nvml.Device {
	t.Helper()
	d, err := l.Device(i)
	require.NoError(t, err)
	return d
}

// told is the value of a call that must work.
func told[T any](t *testing.T, call func() (T, error)) T {
	t.Helper()
	v, err := call()
	require.NoError(t, err)
	return v
}

func fails[T any](t *testing.T, code nvml.Code, call func() (T, error)) {
	t.Helper()
	_, err := call()
	require.ErrorIs(t, err, code)
}

func TestNVMLDefaults(t *testing.T) {
	l := NewNVML(NVMLConfig{})
	fails(t, nvml.CodeUninitialized, l.DeviceCount)
	require.NoError(t, l.Init())
	require.NoError(t, l.Init())
	assert.Equal(t, 8, told(t, l.DeviceCount))
	assert.Equal(t, "590.48.01", told(t, l.DriverVersion))
	assert.Equal(t, "13.590.48.01", told(t, l.NVMLVersion))
	assert.Equal(t, "13.1", told(t, l.CUDAVersion))
	_, err := l.Device(8)
	require.ErrorIs(t, err, nvml.CodeInvalidArgument)
	uuids := map[string]bool{}
	for i := range 8 {
		uuids[told(t, device(t, l, i).UUID)] = true
	}
	assert.Len(t, uuids, 8)
	assert.Zero(t, told(t, newEmpty(t).DeviceCount))
}

func newEmpty(t *testing.T) *NVML {
	t.Helper()
	l, _ := newServer(t, -1)
	return l
}

// TestIdleH200 holds the numbers to the capture.
func TestIdleH200(t *testing.T) {
	l, c := newServer(t, 2)
	d := device(t, l, 1)
	assert.Equal(t, "NVIDIA H200", told(t, d.Name))
	assert.Equal(t, 1, told(t, d.Index))
	assert.Equal(t, 1, told(t, d.MinorNumber))
	assert.Equal(t, nvml.PCI{BusID: "00000000:2A:00.0", DeviceID: 0x233510DE, SubsystemID: 0x18BE10DE}, told(t, d.PCI))
	assert.Equal(t, "1653524000002", told(t, d.Serial))
	assert.Equal(t, "96.00.AF.00.01", told(t, d.VBIOSVersion))
	assert.Equal(t, "900-21010-0040-000", told(t, d.BoardPartNumber))
	assert.NotZero(t, told(t, d.BoardID))
	m := told(t, d.Memory)
	assert.Equal(t, nvml.Memory{Total: 143771 << 20, Free: 143157 << 20, Reserved: 614 << 20, HasReserved: true}, m)
	assert.Equal(t, m.Total, m.Used+m.Free+m.Reserved)
	assert.Equal(t, nvml.Utilization{}, told(t, d.Utilization))
	assert.Equal(t, 28, told(t, d.Temperature))
	assert.Equal(t, 59, told(t, d.TemperatureMargin))
	assert.Equal(t, 77.5, told(t, d.Power))
	assert.Equal(t, 700.0, told(t, d.EnforcedPowerLimit))
	assert.Equal(t, 700.0, told(t, d.DefaultPowerLimit))
	assert.Equal(t, nvml.PowerLimitRange{Min: 200, Max: 700}, told(t, d.PowerLimitRange))
	assert.Equal(t, nvml.ClockEventIdle, told(t, d.ClockEventReasons))
	assert.Equal(t, uint64(262144<<20), told(t, d.BAR1Memory).Total)
	assert.Equal(t, nvml.RowRemapHistogram{Max: 3072}, told(t, d.RowRemapHistogram))
	assert.Equal(t, nvml.RemappedRows{}, told(t, d.RemappedRows))
	assert.Equal(t, nvml.SRAMECC{}, told(t, d.SRAMECC))
	assert.Equal(t, nvml.FabricCompleted, told(t, d.Fabric).State)
	assert.Equal(t, nvml.PCIeLink{Generation: 5, Width: 16}, told(t, d.PCIeLink))
	assert.Equal(t, nvml.PCIeLink{Generation: 5, Width: 16}, told(t, d.MaxPCIeLink))
	assert.Zero(t, told(t, d.PCIeReplays))
	assert.Zero(t, told(t, d.PerformanceState))
	assert.Len(t, told(t, d.NVLinks), 18)
	assert.Equal(t, nvml.MIGMode{}, told(t, d.MIGMode))
	assert.Empty(t, told(t, d.MIGDevices))
	assert.Empty(t, told(t, d.Processes))
	clock, err := d.Clock(nvml.ClockSM)
	require.NoError(t, err)
	assert.Equal(t, uint64(345e6), clock)
	most, err := d.MaxClock(nvml.ClockMemory)
	require.NoError(t, err)
	assert.Equal(t, uint64(3201e6), most)
	engine, err := d.EngineUtilization(nvml.EngineOFA)
	require.NoError(t, err)
	assert.Zero(t, engine.Ratio)
	rate, err := d.PCIeThroughput(nvml.DirectionReceive)
	require.NoError(t, err)
	assert.Equal(t, 337e3, rate)

	l.GPU(1).Set(func(s *GPUState) { s.SetLoad(1) })
	c.t = c.t.Add(10 * time.Second)
	assert.Equal(t, 630.0, told(t, d.Power))
	assert.Equal(t, 53, told(t, d.Temperature))
	assert.Equal(t, 34, told(t, d.TemperatureMargin))
}

func TestGPUAddsUp(t *testing.T) {
	l, c := newServer(t, 1)
	d, g := device(t, l, 0), l.GPU(0)
	c.t = c.t.Add(time.Minute)
	assert.Equal(t, 77.5*60, told(t, d.Energy))
	g.Set(func(s *GPUState) {
		s.SetLoad(1)
		s.Reasons = nvml.ClockEventSWPowerCap
		s.ECC[ECCKey{nvml.ECCCorrected, nvml.ECCVolatile, nvml.MemoryDRAM}] = 4
		s.ECC[ECCKey{nvml.ECCCorrected, nvml.ECCAggregate, nvml.MemoryDRAM}] = 9
	})
	c.t = c.t.Add(time.Minute)
	assert.Equal(t, 77.5*60+630*60, told(t, d.Energy))
	v, err := d.ViolationTime(nvml.PolicyPower)
	require.NoError(t, err)
	assert.Equal(t, nvml.ViolationTime{Total: time.Minute, At: c.t}, v)
	_, err = d.ViolationTime(nvml.PolicyTotalBaseClocks)
	require.ErrorIs(t, err, nvml.CodeNotSupported)

	g.Lose(nvml.CodeGPUIsLost)
	fails(t, nvml.CodeGPUIsLost, d.Energy)
	_, err = l.Device(0)
	require.ErrorIs(t, err, nvml.CodeGPUIsLost)
	c.t = c.t.Add(time.Minute)
	g.Return()
	assert.Zero(t, told(t, d.Energy), "it was reset")
	ecc := func(counter nvml.ECCCounter) uint64 {
		n, err := d.MemoryErrors(nvml.ECCCorrected, counter, nvml.MemoryDRAM)
		require.NoError(t, err)
		return n
	}
	assert.Zero(t, ecc(nvml.ECCVolatile))
	assert.Equal(t, uint64(9), ecc(nvml.ECCAggregate), "that lives in the board")
	_, err = d.MemoryErrors(nvml.ECCCorrected, nvml.ECCVolatile, nvml.MemoryCBU)
	require.ErrorIs(t, err, nvml.CodeNotSupported)
}

func TestGPUFields(t *testing.T) {
	l, c := newServer(t, 1)
	d, g := device(t, l, 0), l.GPU(0)
	g.Set(func(s *GPUState) {
		s.SetLoad(1)
		s.Remapped = nvml.RemappedRows{Corrected: 1, Uncorrected: 2, Pending: true}
		s.PCIeErrors[nvml.FieldPCIeFatal] = 3
		s.PCIeReplays = 4
		s.LinkErrors[5] = [3]uint64{6, 7, 8}
		s.RecoveryAction = 1
	})
	c.t = c.t.Add(time.Second)
	for request, want := range map[nvml.Field]float64{
		{ID: nvml.FieldMemoryTemperature}:                             42,
		{ID: nvml.FieldTotalEnergy}:                                   630e3,
		{ID: nvml.FieldPCIeReplays}:                                   4,
		{ID: nvml.FieldRemappedCorrected}:                             1,
		{ID: nvml.FieldRemappedUncorrected}:                           2,
		{ID: nvml.FieldRemapPending}:                                  1,
		{ID: nvml.FieldRemapFailure}:                                  0,
		{ID: nvml.FieldPowerInstant}:                                  630e3,
		{ID: nvml.FieldSlowdownMargin}:                                -2,
		{ID: nvml.FieldShutdownMargin}:                                -8,
		{ID: nvml.FieldGPUMaxMargin}:                                  0,
		{ID: nvml.FieldPCIeTransmittedBytes}:                          4217e3,
		{ID: nvml.FieldPCIeReceivedBytes}:                             8691e3,
		{ID: nvml.FieldRecoveryAction}:                                1,
		{ID: nvml.FieldPCIeFatal}:                                     3,
		{ID: nvml.FieldNVLinkReplays, Scope: 5}:                       6,
		{ID: nvml.FieldNVLinkCRCErrors, Scope: 5}:                     8,
		{ID: nvml.FieldNVLinkDataTransmit, Scope: nvml.ScopeAllLinks}: 39062500,
		{ID: nvml.FieldNVLinkDataReceive, Scope: 0}:                   2170138,
	} {
		values, err := d.Fields([]nvml.Field{request})
		require.NoError(t, err)
		require.NoError(t, values[0].Err, request)
		assert.Equal(t, want, values[0].Float64(), request)
	}
	g.FailField(nvml.FieldPowerInstant, nvml.CodeNotSupported)
	values, err := d.Fields([]nvml.Field{
		{ID: nvml.FieldPowerInstant},
		{ID: 1},
		{ID: nvml.FieldNVLinkReplays, Scope: 18},
		{ID: nvml.FieldNVLinkDataReceive, Scope: 18},
	})
	require.NoError(t, err)
	for _, v := range values {
		require.ErrorIs(t, v.Err, nvml.CodeNotSupported)
	}
	assert.Equal(t, 2, g.FieldCalls(nvml.FieldPowerInstant))
	assert.Equal(t, 2, g.AllCalls()["Field 186"])
	g.Set(func(s *GPUState) { s.Links, s.LinkErrors = nil, nil })
	fails(t, nvml.CodeNotSupported, d.NVLinks)
}

func TestGPUProcesses(t *testing.T) {
	l, c := newServer(t, 1)
	d, g := device(t, l, 0), l.GPU(0)
	samples, newest, err := d.ProcessUtilization(0)
	require.NoError(t, err)
	assert.Empty(t, samples)
	assert.Zero(t, newest)
	g.Set(func(s *GPUState) {
		s.Processes = []GPUProcess{{PID: 1, Memory: 5, SM: 0.5}, {PID: 2, NoMemory: true, Graphics: true}, {PID: 3, Unlisted: true, Decoder: 0.1}}
	})
	assert.Equal(t, []nvml.Process{{PID: 1, Memory: 5, HasMemory: true, Compute: true}, {PID: 2, Graphics: true}}, told(t, d.Processes))
	c.t = c.t.Add(time.Second)
	samples, newest, err = d.ProcessUtilization(0)
	require.NoError(t, err)
	require.Len(t, samples, 2)
	assert.Equal(t, uint64(c.t.UnixMicro()), newest)
	samples, _, err = d.ProcessUtilization(newest)
	require.NoError(t, err)
	assert.Empty(t, samples, "nothing since")
	g.Set(func(s *GPUState) { s.MIG = true })
	_, newest, err = d.ProcessUtilization(7)
	require.ErrorIs(t, err, nvml.CodeNotSupported)
	assert.Equal(t, uint64(7), newest)
	fails(t, nvml.CodeNotSupported, d.Utilization)
}

func TestGPUInstances(t *testing.T) {
	l, c := newServer(t, 1)
	d, g := device(t, l, 0), l.GPU(0)
	g.Set(func(s *GPUState) {
		s.MIG = true
		s.Instances = []GPUInstance{
			{UUID: "MIG-a", Profile: "1c.3g.71gb", GPU: 2, Compute: 0, Multiprocessors: 16, Slices: 3, Memory: 100, UncorrectedSRAM: 3},
			{UUID: "MIG-b", Profile: "2c.3g.71gb", GPU: 2, Compute: 1, Memory: 100, Used: 40, ProfilingMetrics: map[nvml.GPMMetric]float64{nvml.GPMSMActive: 0.5}},
		}
		s.Processes = []GPUProcess{{PID: 1, Instance: 2}, {PID: 2}}
	})
	migs := told(t, d.MIGDevices)
	require.Len(t, migs, 2)
	assert.Equal(t, "MIG-b", told(t, migs[1].UUID))
	assert.Equal(t, "NVIDIA H200 MIG 2c.3g.71gb", told(t, migs[1].Name))
	assert.Equal(t, 1, migs[1].Slot())
	assert.Equal(t, uint32(2), told(t, migs[1].GPUInstanceID))
	assert.Equal(t, uint32(1), told(t, migs[1].ComputeInstanceID))
	assert.Equal(t, told(t, migs[0].Memory), told(t, migs[1].Memory), "both report the memory of the GPU instance")
	assert.Equal(t, uint64(40), told(t, migs[0].Memory).Used)
	assert.Equal(t, 16, told(t, migs[0].Attributes).Multiprocessors)
	assert.Len(t, told(t, migs[1].Processes), 1)
	assert.Empty(t, told(t, migs[0].Processes))
	assert.Len(t, told(t, d.Processes), 2)
	n, err := migs[0].MemoryErrors(nvml.ECCUncorrected, nvml.ECCVolatile, nvml.MemorySRAM)
	require.NoError(t, err)
	assert.Equal(t, uint64(3), n)
	_, err = migs[0].MemoryErrors(nvml.ECCCorrected, nvml.ECCVolatile, nvml.MemorySRAM)
	require.ErrorIs(t, err, nvml.CodeNotSupported)
	fails(t, nvml.CodeNotSupported, d.RemappedRows)

	gpm := told(t, migs[1].NewGPM)
	c.t = c.t.Add(time.Second)
	r, err := gpm.Read([]nvml.GPMMetric{nvml.GPMSMActive})
	require.NoError(t, err)
	assert.Equal(t, 0.5, r.Values[0].Value)
	g.Set(func(s *GPUState) { s.Instances = s.Instances[:1] })
	c.t = c.t.Add(time.Second)
	_, err = gpm.Read([]nvml.GPMMetric{nvml.GPMSMActive})
	require.ErrorIs(t, err, nvml.CodeInvalidArgument)
	fails(t, nvml.CodeInvalidArgument, migs[1].UUID)
	fails(t, nvml.CodeInvalidArgument, migs[1].NewGPM)
}

func TestGPM(t *testing.T) {
	l, c := newServer(t, 1)
	g := l.GPU(0)
	gpm := told(t, device(t, l, 0).NewGPM)
	read := func() (nvml.GPMReading, error) { return gpm.Read([]nvml.GPMMetric{nvml.GPMTensor, nvml.GPMFP64}) }
	fails(t, nvml.CodeNoData, read)
	start := c.t
	g.Set(func(s *GPUState) { s.SetLoad(1) })
	g.FailGPM(nvml.GPMFP64, nvml.CodeNotSupported)
	c.t = c.t.Add(time.Second)
	r := told(t, read)
	assert.Equal(t, start, r.Start)
	assert.Equal(t, c.t, r.End)
	assert.InDelta(t, 0.34, r.Values[0].Value, 1e-9)
	require.ErrorIs(t, r.Values[1].Err, nvml.CodeNotSupported)
	g.Set(func(s *GPUState) { s.SetLoad(0) })
	c.t = c.t.Add(50 * time.Millisecond)
	assert.InDelta(t, 0.34, told(t, read).Values[0].Value, 1e-9, "too soon: the last window stands")
	c.t = c.t.Add(950 * time.Millisecond)
	g.Set(func(s *GPUState) { s.SetLoad(1) })
	c.t = c.t.Add(time.Second)
	assert.InDelta(t, 0.17, told(t, read).Values[0].Value, 1e-9, "the mean of the window")
	require.NoError(t, gpm.Close())
	fails(t, nvml.CodeUninitialized, read)
}

func TestDriverStates(t *testing.T) {
	for state, code := range map[DriverState]nvml.Code{
		DriverAbsent: nvml.CodeLibraryNotFound, DriverUnloaded: nvml.CodeDriverNotLoaded, DriverMismatch: nvml.CodeLibRMVersionMismatch,
		DriverBroken: nvml.CodeUnknown, DriverNoPermitted: nvml.CodeNoPermission,
	} {
		l, c := newServer(t, 1)
		d := device(t, l, 0)
		c.t = c.t.Add(time.Minute)
		l.SetDriver(state)
		fails(t, code, d.Power)
		require.NoError(t, l.Shutdown(t.Context()))
		require.NoError(t, l.Shutdown(t.Context()))
		require.ErrorIs(t, l.Init(), code)
		l.SetDriver(DriverLoaded)
		require.NoError(t, l.Init())
		fails(t, nvml.CodeUninitialized, d.Power)
		energy := told(t, device(t, l, 0).Energy)
		if state == DriverUnloaded {
			assert.Zero(t, energy, "loaded anew")
		} else {
			assert.NotZero(t, energy)
		}
	}
}

func TestReloadUnderASession(t *testing.T) {
	l, _ := newServer(t, 1)
	d := device(t, l, 0)
	l.SetDriver(DriverUnloaded)
	l.SetDriver(DriverLoaded)
	fails(t, nvml.CodeDriverNotLoaded, d.Power)
	assert.True(t, l.Open())
}

func TestGPUOrder(t *testing.T) {
	l, _ := newServer(t, 3)
	l.SetOrder(2, 0)
	assert.Equal(t, 2, told(t, l.DeviceCount))
	assert.Equal(t, l.GPU(2).UUID(), told(t, device(t, l, 0).UUID))
	assert.Equal(t, 0, told(t, device(t, l, 0).Index))
	assert.Equal(t, 2, told(t, device(t, l, 0).MinorNumber))
}

func TestGPUFaults(t *testing.T) {
	l, _ := newServer(t, 2)
	d := device(t, l, 0)
	l.GPU(0).Fail("Power", nvml.CodeNoPermission)
	fails(t, nvml.CodeNoPermission, d.Power)
	assert.Equal(t, 77.5, told(t, device(t, l, 1).Power))
	l.GPU(0).Fail("Power", nil)
	assert.Equal(t, 77.5, told(t, d.Power))
	assert.Equal(t, 2, l.GPU(0).Calls("Power"))
	for _, call := range []string{"Init", "Shutdown"} {
		l.Fail(call, nvml.CodeTimeout)
	}
	require.ErrorIs(t, l.Init(), nvml.CodeTimeout)
	require.ErrorIs(t, l.Shutdown(t.Context()), nvml.CodeTimeout)
	l.Fail("DeviceCount", nvml.CodeUnknown)
	fails(t, nvml.CodeUnknown, l.DeviceCount)
	l.GPU(1).Fail("Device", nvml.CodeNoPermission)
	_, err := l.Device(1)
	require.ErrorIs(t, err, nvml.CodeNoPermission)
	assert.Equal(t, 3, l.Calls("Device"))
}

// TestHang is a call that hangs: Shutdown gives up, and can be tried again.
func TestHang(t *testing.T) {
	l, _ := newServer(t, 1)
	d := device(t, l, 0)
	release := l.GPU(0).Hang("Power")
	done := make(chan error)
	go func() {
		_, err := d.Power()
		done <- err
	}()
	require.Eventually(t, func() bool { return l.GPU(0).Calls("Power") == 1 }, 5*time.Second, time.Millisecond)
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		require.ErrorIs(t, l.Shutdown(ctx), nvml.CodeTimeout)
		cancel()
		assert.True(t, l.Open(), "everything is as it was")
	}
	go release()
	require.NoError(t, l.Shutdown(t.Context()))
	require.NoError(t, <-done)
	release = l.Hang("Init")
	go func() { done <- l.Init() }()
	release()
	require.NoError(t, <-done)
}

func TestGPUEvents(t *testing.T) {
	l, _ := newServer(t, 2)
	set := told(t, l.NewEventSet)
	require.NoError(t, set.Register(device(t, l, 0), nvml.EventXID))
	require.ErrorIs(t, set.Register(device(t, anotherServer(t), 0), nvml.EventXID), nvml.CodeInvalidArgument)
	l.GPU(1).XID(1) // nobody asked for it
	l.GPU(0).Event(nvml.Event{Type: nvml.EventClock})
	wait := func() (nvml.Event, error) { return set.Wait(10 * time.Millisecond) }
	fails(t, nvml.CodeTimeout, wait)
	l.GPU(0).XID(79)
	l.GPU(0).XID(31)
	assert.Equal(t, nvml.Event{UUID: l.GPU(0).UUID(), Type: nvml.EventXID, Data: 79}, told(t, wait))
	assert.Equal(t, uint64(31), told(t, wait).Data)
	fails(t, nvml.CodeTimeout, wait)
	go l.GPU(0).XID(43)
	e, err := set.Wait(5 * time.Second)
	require.NoError(t, err)
	assert.Equal(t, uint64(43), e.Data)
	for range 2 * maxGPUEvents {
		l.GPU(0).XID(1)
	}
	n := 0
	for ; err == nil; n++ {
		_, err = wait()
	}
	assert.Equal(t, maxGPUEvents+1, n, "what nobody waits for is bounded")
	l.Fail("Wait", nvml.CodeGPUIsLost)
	fails(t, nvml.CodeGPUIsLost, wait)
	l.Fail("Wait", nil)

	// Shutdown ends a wait under way.
	done := make(chan error)
	go func() {
		_, err := set.Wait(time.Minute)
		done <- err
	}()
	require.Eventually(t, func() bool { return l.Calls("Wait") >= maxGPUEvents+8 }, 5*time.Second, time.Millisecond)
	require.NoError(t, l.Shutdown(t.Context()))
	require.ErrorIs(t, <-done, nvml.CodeUninitialized)
	fails(t, nvml.CodeUninitialized, wait)
	require.NoError(t, set.Close())
	require.NoError(t, set.Close())
}

// anotherServer is another server.
func anotherServer(t *testing.T) *NVML {
	t.Helper()
	l, _ := newServer(t, 1)
	return l
}
