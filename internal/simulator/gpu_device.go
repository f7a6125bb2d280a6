package simulator

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
)

var _ nvml.Device = (*gpuDevice)(nil)

// gpuDevice is a handle of a GPU; it dies with its session.
type gpuDevice struct {
	gpu     *GPU
	session uint64
	index   int
}

// gpuCall makes one call of a GPU: faults first, then what read gives.
func gpuCall[T any](d *gpuDevice, call string, read func(*GPUState) (T, error)) (T, error) {
	var none T
	l := d.gpu.library
	if err := l.enter(d.session); err != nil {
		return none, err
	}
	defer l.leave()
	if err := d.gpu.faults.meet(call); err != nil {
		return none, err
	}
	d.gpu.mu.Lock()
	defer d.gpu.mu.Unlock()
	if d.gpu.lost != nil {
		return none, d.gpu.lost
	}
	d.gpu.addUp()
	return read(&d.gpu.state)
}

// wholeGPUCall is a call that a GPU does not have while it is cut into instances.
func wholeGPUCall[T any](d *gpuDevice, call string, read func(*GPUState) (T, error)) (T, error) {
	return gpuCall(d, call, func(s *GPUState) (T, error) {
		if s.MIG {
			var none T
			return none, nvml.CodeNotSupported
		}
		return read(s)
	})
}

func (d *gpuDevice) UUID() (string, error) {
	return gpuCall(d, "UUID", func(*GPUState) (string, error) { return d.gpu.uuid, nil })
}

func (d *gpuDevice) Name() (string, error) {
	return gpuCall(d, "Name", func(*GPUState) (string, error) { return "NVIDIA H200", nil })
}

func (d *gpuDevice) Index() (int, error) {
	return gpuCall(d, "Index", func(*GPUState) (int, error) { return d.index, nil })
}

func (d *gpuDevice) MinorNumber() (int, error) {
	return gpuCall(d, "MinorNumber", func(*GPUState) (int, error) { return d.gpu.index, nil })
}

func (d *gpuDevice) PCI() (nvml.PCI, error) {
	return gpuCall(d, "PCI", func(*GPUState) (nvml.PCI, error) {
		bus := fmt.Sprintf("%08X:%02X:00.0", d.gpu.index/len(hgxBus), hgxBus[d.gpu.index%len(hgxBus)])
		return nvml.PCI{BusID: bus, DeviceID: 0x233510DE, SubsystemID: 0x18BE10DE}, nil
	})
}

func (d *gpuDevice) Serial() (string, error) {
	return gpuCall(d, "Serial", func(*GPUState) (string, error) { return fmt.Sprintf("16535240%05d", d.gpu.index+1), nil })
}

func (d *gpuDevice) VBIOSVersion() (string, error) {
	return gpuCall(d, "VBIOSVersion", func(*GPUState) (string, error) { return "96.00.AF.00.01", nil })
}

func (d *gpuDevice) BoardPartNumber() (string, error) {
	return gpuCall(d, "BoardPartNumber", func(*GPUState) (string, error) { return "900-21010-0040-000", nil })
}

func (d *gpuDevice) BoardID() (uint32, error) {
	return gpuCall(d, "BoardID", func(*GPUState) (uint32, error) { return uint32(hgxBus[d.gpu.index%len(hgxBus)]) << 8, nil })
}

func (d *gpuDevice) Memory() (nvml.Memory, error) {
	return gpuCall(d, "Memory", func(s *GPUState) (nvml.Memory, error) {
		return nvml.Memory{
			Total: s.Total, Used: s.Used, Free: s.Total - s.Reserved - s.Used, Reserved: s.Reserved, HasReserved: s.Reserved > 0,
		}, nil
	})
}

func (d *gpuDevice) MemoryErrors(kind nvml.ECCKind, counter nvml.ECCCounter, location nvml.MemoryLocation) (uint64, error) {
	return gpuCall(d, "MemoryErrors", func(s *GPUState) (uint64, error) {
		if location != nvml.MemorySRAM && location != nvml.MemoryDRAM {
			return 0, nvml.CodeNotSupported
		}
		return s.ECC[ECCKey{kind, counter, location}], nil
	})
}

func (d *gpuDevice) Utilization() (nvml.Utilization, error) {
	return wholeGPUCall(d, "Utilization", func(s *GPUState) (nvml.Utilization, error) {
		return nvml.Utilization{GPU: s.Busy, Memory: s.Controller}, nil
	})
}

func (d *gpuDevice) EngineUtilization(engine nvml.Engine) (nvml.EngineUtilization, error) {
	return wholeGPUCall(d, "EngineUtilization", func(s *GPUState) (nvml.EngineUtilization, error) {
		return nvml.EngineUtilization{Ratio: s.Engines[engine], Window: time.Second / 6}, nil
	})
}

func (d *gpuDevice) BAR1Memory() (nvml.BAR1Memory, error) {
	return gpuCall(d, "BAR1Memory", func(s *GPUState) (nvml.BAR1Memory, error) {
		const total = 262144 * mib
		return nvml.BAR1Memory{Total: total, Used: s.BAR1Used, Free: total - s.BAR1Used}, nil
	})
}

func (d *gpuDevice) Temperature() (int, error) {
	return gpuCall(d, "Temperature", func(s *GPUState) (int, error) { return s.Temperature, nil })
}

func (d *gpuDevice) TemperatureMargin() (int, error) {
	return gpuCall(d, "TemperatureMargin", func(s *GPUState) (int, error) { return operatingLimit - s.Temperature, nil })
}

func (d *gpuDevice) Power() (float64, error) {
	return gpuCall(d, "Power", func(s *GPUState) (float64, error) { return s.Power, nil })
}

func (d *gpuDevice) EnforcedPowerLimit() (float64, error) {
	return gpuCall(d, "EnforcedPowerLimit", func(s *GPUState) (float64, error) { return s.EnforcedPowerLimit, nil })
}

func (d *gpuDevice) DefaultPowerLimit() (float64, error) {
	return gpuCall(d, "DefaultPowerLimit", func(s *GPUState) (float64, error) { return s.DefaultPowerLimit, nil })
}

func (d *gpuDevice) PowerLimitRange() (nvml.PowerLimitRange, error) {
	return gpuCall(d, "PowerLimitRange", func(s *GPUState) (nvml.PowerLimitRange, error) {
		return nvml.PowerLimitRange{Min: s.Least, Max: s.Most}, nil
	})
}

func (d *gpuDevice) Energy() (float64, error) {
	return gpuCall(d, "Energy", func(*GPUState) (float64, error) { return d.gpu.energy, nil })
}

func (d *gpuDevice) Clock(clock nvml.Clock) (uint64, error) {
	return gpuCall(d, "Clock", func(s *GPUState) (uint64, error) { return s.Clocks[clock], nil })
}

func (d *gpuDevice) MaxClock(clock nvml.Clock) (uint64, error) {
	return gpuCall(d, "MaxClock", func(s *GPUState) (uint64, error) { return s.MaxClocks[clock], nil })
}

func (d *gpuDevice) ClockEventReasons() (nvml.ClockEventReasons, error) {
	return gpuCall(d, "ClockEventReasons", func(s *GPUState) (nvml.ClockEventReasons, error) { return s.Reasons, nil })
}

// The bits of the reasons that a policy stands for.
var policyBits = map[nvml.Policy][]int{
	nvml.PolicyPower: {2, 7}, nvml.PolicyThermal: {5, 6}, nvml.PolicySyncBoost: {4}, nvml.PolicyBoardLimit: {}, nvml.PolicyLowUtilization: {},
	nvml.PolicyReliability: {3},
}

func (d *gpuDevice) ViolationTime(policy nvml.Policy) (nvml.ViolationTime, error) {
	return gpuCall(d, "ViolationTime", func(*GPUState) (nvml.ViolationTime, error) {
		bits, ok := policyBits[policy]
		if !ok {
			return nvml.ViolationTime{}, nvml.CodeNotSupported
		}
		var total time.Duration
		for _, bit := range bits {
			total += d.gpu.held[bit]
		}
		return nvml.ViolationTime{Total: total, At: d.gpu.since}, nil
	})
}

func (d *gpuDevice) PerformanceState() (int, error) {
	return gpuCall(d, "PerformanceState", func(s *GPUState) (int, error) { return s.PerformanceState, nil })
}

func (d *gpuDevice) SRAMECC() (nvml.SRAMECC, error) {
	return gpuCall(d, "SRAMECC", func(s *GPUState) (nvml.SRAMECC, error) { return s.SRAM, nil })
}

func (d *gpuDevice) RemappedRows() (nvml.RemappedRows, error) {
	return gpuCall(d, "RemappedRows", func(s *GPUState) (nvml.RemappedRows, error) {
		if len(s.Instances) > 0 {
			return nvml.RemappedRows{}, nvml.CodeNotSupported
		}
		return s.Remapped, nil
	})
}

func (d *gpuDevice) RowRemapHistogram() (nvml.RowRemapHistogram, error) {
	return gpuCall(d, "RowRemapHistogram", func(s *GPUState) (nvml.RowRemapHistogram, error) { return s.Banks, nil })
}

func (d *gpuDevice) Fabric() (nvml.Fabric, error) {
	return gpuCall(d, "Fabric", func(s *GPUState) (nvml.Fabric, error) { return s.Fabric, nil })
}

func (d *gpuDevice) PCIeLink() (nvml.PCIeLink, error) {
	return gpuCall(d, "PCIeLink", func(s *GPUState) (nvml.PCIeLink, error) { return s.PCIe, nil })
}

func (d *gpuDevice) MaxPCIeLink() (nvml.PCIeLink, error) {
	return gpuCall(d, "MaxPCIeLink", func(s *GPUState) (nvml.PCIeLink, error) { return s.MaxPCIe, nil })
}

func (d *gpuDevice) PCIeReplays() (uint64, error) {
	return gpuCall(d, "PCIeReplays", func(s *GPUState) (uint64, error) { return s.PCIeReplays, nil })
}

func (d *gpuDevice) PCIeThroughput(direction nvml.Direction) (float64, error) {
	return gpuCall(d, "PCIeThroughput", func(s *GPUState) (float64, error) {
		return [2]float64{s.PCIeTransmit, s.PCIeReceive}[direction], nil
	})
}

func (d *gpuDevice) NVLinks() ([]bool, error) {
	return gpuCall(d, "NVLinks", func(s *GPUState) ([]bool, error) {
		if len(s.Links) == 0 {
			return nil, nvml.CodeNotSupported
		}
		return slices.Clone(s.Links), nil
	})
}

func (d *gpuDevice) Processes() ([]nvml.Process, error) {
	return gpuCall(d, "Processes", func(s *GPUState) ([]nvml.Process, error) {
		return s.processes(func(GPUProcess) bool { return true }), nil
	})
}

func (s *GPUState) processes(include func(GPUProcess) bool) []nvml.Process {
	list := []nvml.Process{}
	for _, p := range s.Processes {
		if p.Unlisted || !include(p) {
			continue
		}
		process := nvml.Process{PID: p.PID, Memory: p.Memory, HasMemory: !p.NoMemory, Graphics: p.Graphics, MPS: p.MPS, Compute: !p.Graphics && !p.MPS}
		if p.Instance > 0 {
			process.InMIG = true
			process.GPUInstanceID, process.ComputeInstanceID = s.Instances[p.Instance-1].GPU, s.Instances[p.Instance-1].Compute
		}
		list = append(list, process)
	}
	return list
}

func (d *gpuDevice) ProcessUtilization(since uint64) ([]nvml.ProcessUtilization, uint64, error) {
	type answer struct {
		samples []nvml.ProcessUtilization
		newest  uint64
	}
	a, err := wholeGPUCall(d, "ProcessUtilization", func(s *GPUState) (answer, error) {
		a := answer{newest: since}
		now := uint64(d.gpu.since.UnixMicro())
		for _, p := range s.Processes {
			if now > since && p.SM+p.Controller+p.Encoder+p.Decoder > 0 {
				a.samples = append(a.samples, nvml.ProcessUtilization{
					PID: p.PID, Timestamp: now, SM: p.SM, Memory: p.Controller, Encoder: p.Encoder, Decoder: p.Decoder,
				})
				a.newest = now
			}
		}
		return a, nil
	})
	if err != nil {
		return nil, since, err
	}
	return a.samples, a.newest, nil
}

func (d *gpuDevice) NewGPM() (nvml.GPM, error) {
	return newGPM(d, nil)
}

func (d *gpuDevice) MIGMode() (nvml.MIGMode, error) {
	return gpuCall(d, "MIGMode", func(s *GPUState) (nvml.MIGMode, error) {
		return nvml.MIGMode{Enabled: s.MIG, Pending: s.MIGPending}, nil
	})
}

func (d *gpuDevice) MIGDevices() ([]nvml.MIGDevice, error) {
	return gpuCall(d, "MIGDevices", func(s *GPUState) ([]nvml.MIGDevice, error) {
		var devices []nvml.MIGDevice
		for slot, instance := range s.Instances {
			devices = append(devices, &migDevice{parent: d, uuid: instance.UUID, slot: slot})
		}
		return devices, nil
	})
}

func fieldCall(id nvml.FieldID) string { return fmt.Sprintf("Field %d", id) }

// Fields answers the fields that an H200 has, in the units of NVML.
func (d *gpuDevice) Fields(requests []nvml.Field) ([]nvml.FieldValue, error) {
	return gpuCall(d, "Fields", func(s *GPUState) ([]nvml.FieldValue, error) {
		values := make([]nvml.FieldValue, 0, len(requests))
		for _, request := range requests {
			v := nvml.FieldValue{Field: request, Time: d.gpu.since, Latency: 10 * time.Microsecond}
			if v.Err = d.gpu.faults.meet(fieldCall(request.ID)); v.Err == nil {
				v.Number, v.Err = d.field(s, request)
			}
			values = append(values, v)
		}
		return values, nil
	})
}

func (d *gpuDevice) field(s *GPUState, f nvml.Field) (nvml.Number, error) {
	bit := func(b bool) nvml.Number {
		if b {
			return nvml.UintNumber(1)
		}
		return nvml.UintNumber(0)
	}
	switch f.ID {
	case nvml.FieldMemoryTemperature:
		return nvml.UintNumber(uint64(s.MemoryTemperature)), nil
	case nvml.FieldTotalEnergy:
		return nvml.UintNumber(uint64(d.gpu.energy * 1000)), nil
	case nvml.FieldPCIeReplays:
		return nvml.UintNumber(s.PCIeReplays), nil
	case nvml.FieldRemappedCorrected:
		return nvml.UintNumber(uint64(s.Remapped.Corrected)), nil
	case nvml.FieldRemappedUncorrected:
		return nvml.UintNumber(uint64(s.Remapped.Uncorrected)), nil
	case nvml.FieldRemapPending:
		return bit(s.Remapped.Pending), nil
	case nvml.FieldRemapFailure:
		return bit(s.Remapped.Failed), nil
	case nvml.FieldPowerAverage, nvml.FieldPowerInstant:
		return nvml.UintNumber(uint64(s.Power * 1000)), nil
	case nvml.FieldGPUMaxMargin, nvml.FieldMemoryMaxMargin:
		return nvml.IntNumber(0), nil
	case nvml.FieldSlowdownMargin:
		return nvml.IntNumber(slowdownMargin), nil
	case nvml.FieldShutdownMargin:
		return nvml.IntNumber(shutdownMargin), nil
	case nvml.FieldPCIeTransmittedBytes:
		return nvml.UintNumber(uint64(d.gpu.pcie[0])), nil
	case nvml.FieldPCIeReceivedBytes:
		return nvml.UintNumber(uint64(d.gpu.pcie[1])), nil
	case nvml.FieldRecoveryAction:
		return nvml.UintNumber(uint64(s.RecoveryAction)), nil
	case nvml.FieldNVLinkDataTransmit, nvml.FieldNVLinkRawTransmit:
		return s.linkBytes(d.gpu.links[0], f.Scope)
	case nvml.FieldNVLinkDataReceive, nvml.FieldNVLinkRawReceive:
		return s.linkBytes(d.gpu.links[1], f.Scope)
	case nvml.FieldNVLinkReplays, nvml.FieldNVLinkRecoveries, nvml.FieldNVLinkCRCErrors:
		if int(f.Scope) >= len(s.LinkErrors) {
			return nvml.Number{}, nvml.CodeNotSupported
		}
		return nvml.UintNumber(s.LinkErrors[f.Scope][f.ID-nvml.FieldNVLinkReplays]), nil
	}
	if f.ID >= nvml.FieldPCIeCorrectable && f.ID <= nvml.FieldPCIeLaneErrors {
		return nvml.UintNumber(s.PCIeErrors[f.ID]), nil
	}
	return nvml.Number{}, nvml.CodeNotSupported
}

// linkBytes is in KiB; the links share the traffic evenly.
func (s *GPUState) linkBytes(total float64, link uint32) (nvml.Number, error) {
	switch {
	case len(s.Links) == 0, link != nvml.ScopeAllLinks && int(link) >= len(s.Links):
		return nvml.Number{}, nvml.CodeNotSupported
	case link == nvml.ScopeAllLinks:
		return nvml.UintNumber(uint64(total) / 1024), nil
	default:
		return nvml.UintNumber(uint64(total) / 1024 / uint64(len(s.Links))), nil
	}
}

// migDevice is a handle of an instance; it dies with the instance.
type migDevice struct {
	parent *gpuDevice
	uuid   string
	slot   int
}

var _ nvml.MIGDevice = (*migDevice)(nil)

func migCall[T any](m *migDevice, call string, read func(*GPUState, *GPUInstance) (T, error)) (T, error) {
	return gpuCall(m.parent, "MIG "+call, func(s *GPUState) (T, error) {
		i := slices.IndexFunc(s.Instances, func(i GPUInstance) bool { return i.UUID == m.uuid })
		if i < 0 {
			var none T
			return none, nvml.CodeInvalidArgument
		}
		return read(s, &s.Instances[i])
	})
}

func (m *migDevice) Slot() int { return m.slot }

func (m *migDevice) UUID() (string, error) {
	return migCall(m, "UUID", func(_ *GPUState, i *GPUInstance) (string, error) { return i.UUID, nil })
}

func (m *migDevice) Name() (string, error) {
	return migCall(m, "Name", func(_ *GPUState, i *GPUInstance) (string, error) { return "NVIDIA H200 MIG " + i.Profile, nil })
}

// Memory is that of the GPU instance: used is what all its compute instances use.
func (m *migDevice) Memory() (nvml.Memory, error) {
	return migCall(m, "Memory", func(s *GPUState, i *GPUInstance) (nvml.Memory, error) {
		var used uint64
		for _, other := range s.Instances {
			if other.GPU == i.GPU {
				used += other.Used
			}
		}
		return nvml.Memory{Total: i.Memory, Used: used, Free: i.Memory - used, HasReserved: true}, nil
	})
}

func (m *migDevice) MemoryErrors(kind nvml.ECCKind, counter nvml.ECCCounter, location nvml.MemoryLocation) (uint64, error) {
	return migCall(m, "MemoryErrors", func(_ *GPUState, i *GPUInstance) (uint64, error) {
		if kind != nvml.ECCUncorrected || counter != nvml.ECCVolatile || location != nvml.MemorySRAM {
			return 0, nvml.CodeNotSupported
		}
		return i.UncorrectedSRAM, nil
	})
}

func (m *migDevice) Processes() ([]nvml.Process, error) {
	return migCall(m, "Processes", func(s *GPUState, i *GPUInstance) ([]nvml.Process, error) {
		return s.processes(func(p GPUProcess) bool { return p.Instance > 0 && s.Instances[p.Instance-1].UUID == i.UUID }), nil
	})
}

func (m *migDevice) NewGPM() (nvml.GPM, error) {
	return newGPM(m.parent, func(s *GPUState) (map[nvml.GPMMetric]float64, error) {
		for _, i := range s.Instances {
			if i.UUID == m.uuid {
				return i.ProfilingMetrics, nil
			}
		}
		return nil, nvml.CodeInvalidArgument
	})
}

func (m *migDevice) GPUInstanceID() (uint32, error) {
	return migCall(m, "GPUInstanceID", func(_ *GPUState, i *GPUInstance) (uint32, error) { return i.GPU, nil })
}

func (m *migDevice) ComputeInstanceID() (uint32, error) {
	return migCall(m, "ComputeInstanceID", func(_ *GPUState, i *GPUInstance) (uint32, error) { return i.Compute, nil })
}

func (m *migDevice) Attributes() (nvml.MIGAttributes, error) {
	return migCall(m, "Attributes", func(_ *GPUState, i *GPUInstance) (nvml.MIGAttributes, error) {
		return nvml.MIGAttributes{Multiprocessors: i.Multiprocessors, GPUInstanceSlices: i.Slices, ComputeInstanceSlices: i.Slices, MemorySize: i.Memory}, nil
	})
}

func gpmCall(metric nvml.GPMMetric) string { return fmt.Sprintf("GPM %d", metric) }

// gpm shows the profiling metrics of the time between two readings.
type gpm struct {
	device *gpuDevice
	// instance reads those of a MIG instance, which are the same all the time; nil for a whole GPU.
	instance func(*GPUState) (map[nvml.GPMMetric]float64, error)

	start, last time.Time
	closed      bool
	values      map[nvml.GPMMetric]float64
	// sums are those of the GPU at last.
	sums map[nvml.GPMMetric]float64
}

// The window that the adapter wants at least.
const gpmWindow = 100 * time.Millisecond

func newGPM(d *gpuDevice, instance func(*GPUState) (map[nvml.GPMMetric]float64, error)) (nvml.GPM, error) {
	return gpuCall(d, "NewGPM", func(s *GPUState) (nvml.GPM, error) {
		if instance != nil {
			if _, err := instance(s); err != nil {
				return nil, err
			}
		}
		return &gpm{device: d, instance: instance, last: d.gpu.since, sums: maps.Clone(d.gpu.activity)}, nil
	})
}

func (g *gpm) Read(metrics []nvml.GPMMetric) (nvml.GPMReading, error) {
	return gpuCall(g.device, "GPM", func(s *GPUState) (nvml.GPMReading, error) {
		if g.closed {
			return nvml.GPMReading{}, nvml.CodeUninitialized
		}
		now := g.device.gpu.since
		if now.Sub(g.last) >= gpmWindow {
			if err := g.advance(s, now); err != nil {
				return nvml.GPMReading{}, err
			}
		}
		if g.start.IsZero() {
			return nvml.GPMReading{}, nvml.CodeNoData
		}
		r := nvml.GPMReading{Start: g.start, End: g.last}
		for _, metric := range metrics {
			v := nvml.GPMValue{Metric: metric, Value: g.values[metric]}
			if v.Err = g.device.gpu.faults.meet(gpmCall(metric)); v.Err != nil {
				v.Value = 0
			}
			r.Values = append(r.Values, v)
		}
		return r, nil
	})
}

// advance moves the window up to now.
func (g *gpm) advance(s *GPUState, now time.Time) error {
	if g.instance != nil {
		values, err := g.instance(s)
		if err != nil {
			return err
		}
		g.values = maps.Clone(values)
	} else {
		before, seconds := g.sums, now.Sub(g.last).Seconds()
		g.values, g.sums = make(map[nvml.GPMMetric]float64), maps.Clone(g.device.gpu.activity)
		for metric, sum := range g.sums {
			g.values[metric] = math.Round((sum-before[metric])/seconds*1e9) / 1e9 // without the dust of adding up
		}
	}
	g.start, g.last = g.last, now
	return nil
}

func (g *gpm) Close() error {
	_ = g.device.gpu.faults.meet("GPM Close")
	g.closed = true
	return nil
}
