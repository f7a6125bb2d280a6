//go:build linux && cgo

package nvml

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"time"

	gonvml "github.com/NVIDIA/go-nvml/pkg/nvml"
)

// partition is Partition by the handle of a GPU or of a MIG instance.
type partition struct {
	a          *adapter
	generation uint64
	handle     gonvml.Device
}

// device is Device.
type device struct{ partition }

// get is a call that gives one value.
func get[T any](p *partition, s symbol, f func() (T, gonvml.Return)) (T, error) {
	var v T
	err := p.a.call(p.generation, s, func() (ret gonvml.Return) {
		v, ret = f()
		return ret
	})
	return value(v, err)
}

// UUID implements Partition.
func (p *partition) UUID() (string, error) { return get(p, symUUID, p.handle.GetUUID) }

// Name implements Partition.
func (p *partition) Name() (string, error) { return get(p, symName, p.handle.GetName) }

// Memory implements Partition.
func (p *partition) Memory() (Memory, error) {
	v2, err := get(p, symMemoryInfo2, p.handle.GetMemoryInfo_v2)
	if !IsUnsupported(err) {
		return value(Memory{
			Total: v2.Total, Used: v2.Used, Free: v2.Free, Reserved: v2.Reserved, HasReserved: true,
		}, err)
	}
	v1, err := get(p, symMemoryInfo, p.handle.GetMemoryInfo)
	return Memory{Total: v1.Total, Used: v1.Used, Free: v1.Free}, err
}

// MemoryErrors implements Partition.
func (p *partition) MemoryErrors(kind ECCKind, counter ECCCounter, location MemoryLocation) (uint64, error) {
	return get(p, symMemoryErrorCounter, func() (uint64, gonvml.Return) {
		return p.handle.GetMemoryErrorCounter(gonvml.MemoryErrorType(kind), gonvml.EccCounterType(counter), gonvml.MemoryLocation(location))
	})
}

// Index implements Device.
func (d *device) Index() (int, error) { return get(&d.partition, symIndex, d.handle.GetIndex) }

// MinorNumber implements Device.
func (d *device) MinorNumber() (int, error) {
	return get(&d.partition, symMinorNumber, d.handle.GetMinorNumber)
}

// PCI implements Device.
func (d *device) PCI() (PCI, error) {
	info, err := get(&d.partition, symPCIInfo, d.handle.GetPciInfo)
	if err != nil {
		return PCI{}, err
	}
	id := text(info.BusId[:])
	if id == "" { // before _v3
		id = text(info.BusIdLegacy[:])
	}
	return PCI{BusID: id, DeviceID: info.PciDeviceId, SubsystemID: info.PciSubSystemId}, nil
}

// text is a string of C.
func text(chars []int8) string {
	b := make([]byte, 0, len(chars))
	for _, c := range chars {
		if c == 0 {
			break
		}
		b = append(b, byte(c))
	}
	return string(b)
}

// Serial implements Device.
func (d *device) Serial() (string, error) { return get(&d.partition, symSerial, d.handle.GetSerial) }

// VBIOSVersion implements Device.
func (d *device) VBIOSVersion() (string, error) {
	return get(&d.partition, symVBIOSVersion, d.handle.GetVbiosVersion)
}

// BoardPartNumber implements Device.
func (d *device) BoardPartNumber() (string, error) {
	return get(&d.partition, symBoardPartNumber, d.handle.GetBoardPartNumber)
}

// BoardID implements Device.
func (d *device) BoardID() (uint32, error) { return get(&d.partition, symBoardID, d.handle.GetBoardId) }

func ratio(percent uint32) float64 { return float64(percent) / 100 }

// Utilization implements Device.
func (d *device) Utilization() (Utilization, error) {
	u, err := get(&d.partition, symUtilizationRates, d.handle.GetUtilizationRates)
	return Utilization{GPU: ratio(u.Gpu), Memory: ratio(u.Memory)}, err
}

// EngineUtilization implements Device.
func (d *device) EngineUtilization(engine Engine) (EngineUtilization, error) {
	var (
		s symbol
		f func() (percent, us uint32, ret gonvml.Return)
	)
	switch engine {
	case EngineEncoder:
		s, f = symEncoderUtilization, d.handle.GetEncoderUtilization
	case EngineDecoder:
		s, f = symDecoderUtilization, d.handle.GetDecoderUtilization
	case EngineJPEG:
		s, f = symJPEGUtilization, d.handle.GetJpgUtilization
	case EngineOFA:
		s, f = symOFAUtilization, d.handle.GetOfaUtilization
	default:
		return EngineUtilization{}, CodeInvalidArgument
	}
	return get(&d.partition, s, func() (EngineUtilization, gonvml.Return) {
		percent, us, ret := f()
		return EngineUtilization{Ratio: ratio(percent), Window: time.Duration(us) * time.Microsecond}, ret
	})
}

// BAR1Memory implements Device.
func (d *device) BAR1Memory() (BAR1Memory, error) {
	m, err := get(&d.partition, symBAR1MemoryInfo, d.handle.GetBAR1MemoryInfo)
	return BAR1Memory{Total: m.Bar1Total, Used: m.Bar1Used, Free: m.Bar1Free}, err
}

// Temperature implements Device.
func (d *device) Temperature() (int, error) {
	t, err := get(&d.partition, symTemperatureV, func() (int, gonvml.Return) {
		t, ret := d.handle.GetTemperatureV().V1()
		return int(t.Temperature), ret
	})
	if !IsUnsupported(err) {
		return t, err
	}
	return get(&d.partition, symTemperature, func() (int, gonvml.Return) {
		t, ret := d.handle.GetTemperature(gonvml.TEMPERATURE_GPU)
		return int(int32(t)), ret
	})
}

// TemperatureMargin implements Device.
func (d *device) TemperatureMargin() (int, error) {
	m, err := get(&d.partition, symMarginTemperature, d.handle.GetMarginTemperature)
	return int(m.MarginTemperature), err
}

// milli reads a value in thousandths.
func milli(d *device, s symbol, f func() (uint32, gonvml.Return)) (float64, error) {
	v, err := get(&d.partition, s, f)
	return float64(v) / 1000, err
}

// Power implements Device.
func (d *device) Power() (float64, error) { return milli(d, symPowerUsage, d.handle.GetPowerUsage) }

// EnforcedPowerLimit implements Device.
func (d *device) EnforcedPowerLimit() (float64, error) {
	return milli(d, symEnforcedPowerLimit, d.handle.GetEnforcedPowerLimit)
}

// DefaultPowerLimit implements Device.
func (d *device) DefaultPowerLimit() (float64, error) {
	return milli(d, symDefaultPowerLimit, d.handle.GetPowerManagementDefaultLimit)
}

// PowerLimitRange implements Device.
func (d *device) PowerLimitRange() (PowerLimitRange, error) {
	return get(&d.partition, symPowerLimitConstraints, func() (PowerLimitRange, gonvml.Return) {
		low, high, ret := d.handle.GetPowerManagementLimitConstraints()
		return PowerLimitRange{Min: float64(low) / 1000, Max: float64(high) / 1000}, ret
	})
}

// Energy implements Device.
func (d *device) Energy() (float64, error) {
	mJ, err := get(&d.partition, symTotalEnergy, d.handle.GetTotalEnergyConsumption)
	return float64(mJ) / 1000, err
}

// Clock implements Device.
func (d *device) Clock(clock Clock) (uint64, error) {
	return get(&d.partition, symClockInfo, func() (uint64, gonvml.Return) {
		mhz, ret := d.handle.GetClockInfo(gonvml.ClockType(clock))
		return uint64(mhz) * 1_000_000, ret
	})
}

// MaxClock implements Device.
func (d *device) MaxClock(clock Clock) (uint64, error) {
	return get(&d.partition, symMaxClockInfo, func() (uint64, gonvml.Return) {
		mhz, ret := d.handle.GetMaxClockInfo(gonvml.ClockType(clock))
		return uint64(mhz) * 1_000_000, ret
	})
}

// ClockEventReasons implements Device.
func (d *device) ClockEventReasons() (ClockEventReasons, error) {
	r, err := get(&d.partition, symClocksEventReasons, d.handle.GetCurrentClocksEventReasons)
	if CodeOf(err) == CodeFunctionNotFound { // its name before driver 535
		r, err = get(&d.partition, symClocksThrottleReasons, d.handle.GetCurrentClocksThrottleReasons)
	}
	return ClockEventReasons(r), err
}

// ViolationTime implements Device.
func (d *device) ViolationTime(policy Policy) (ViolationTime, error) {
	v, err := get(&d.partition, symViolationStatus, func() (gonvml.ViolationTime, gonvml.Return) {
		return d.handle.GetViolationStatus(gonvml.PerfPolicyType(policy))
	})
	if err != nil {
		return ViolationTime{}, err
	}
	return ViolationTime{Total: time.Duration(v.ViolationTime), At: time.UnixMicro(int64(v.ReferenceTime))}, nil
}

// PerformanceState implements Device.
func (d *device) PerformanceState() (int, error) {
	p, err := get(&d.partition, symPerformanceState, d.handle.GetPerformanceState)
	if err == nil && p == gonvml.PSTATE_UNKNOWN {
		return 0, CodeNoData
	}
	return int(p), err
}

// SRAMECC implements Device.
func (d *device) SRAMECC() (SRAMECC, error) {
	s, err := get(&d.partition, symSRAMECCErrorStatus, d.handle.GetSramEccErrorStatus)
	return SRAMECC{
		VolatileCorrected:          s.VolatileCor,
		VolatileUncorrectedParity:  s.VolatileUncParity,
		VolatileUncorrectedSECDED:  s.VolatileUncSecDed,
		AggregateCorrected:         s.AggregateCor,
		AggregateUncorrectedParity: s.AggregateUncParity,
		AggregateUncorrectedSECDED: s.AggregateUncSecDed,
		AggregateL2:                s.AggregateUncBucketL2,
		AggregateSM:                s.AggregateUncBucketSm,
		AggregatePCIe:              s.AggregateUncBucketPcie,
		AggregateMicrocontroller:   s.AggregateUncBucketMcu,
		AggregateOtherUnits:        s.AggregateUncBucketOther,
		ThresholdExceeded:          s.BThresholdExceeded != 0,
	}, err
}

// RemappedRows implements Device.
func (d *device) RemappedRows() (RemappedRows, error) {
	return get(&d.partition, symRemappedRows, func() (r RemappedRows, ret gonvml.Return) {
		r.Corrected, r.Uncorrected, r.Pending, r.Failed, ret = d.handle.GetRemappedRows()
		return r, ret
	})
}

// RowRemapHistogram implements Device.
func (d *device) RowRemapHistogram() (RowRemapHistogram, error) {
	h, err := get(&d.partition, symRowRemapperHistogram, d.handle.GetRowRemapperHistogram)
	return RowRemapHistogram{
		Max: int(h.Max), High: int(h.High), Partial: int(h.Partial), Low: int(h.Low), None: int(h.None),
	}, err
}

// Fabric implements Device.
func (d *device) Fabric() (Fabric, error) {
	v3, err := get(&d.partition, symFabricInfoV, func() (gonvml.GpuFabricInfo_v3, gonvml.Return) {
		return d.handle.GetGpuFabricInfoV().V3()
	})
	if err == nil {
		f := fabric(v3.State, v3.Status, v3.ClusterUuid, v3.CliqueId)
		f.HealthMask, f.HealthSummary = v3.HealthMask, int(v3.HealthSummary)
		return f, nil
	}
	if CodeOf(err) == CodeArgumentVersionMismatch {
		v2, err := get(&d.partition, symFabricInfoV, func() (gonvml.GpuFabricInfo_v2, gonvml.Return) {
			return d.handle.GetGpuFabricInfoV().V2()
		})
		f := fabric(v2.State, v2.Status, v2.ClusterUuid, v2.CliqueId)
		f.HealthMask = v2.HealthMask
		return value(f, err)
	}
	if CodeOf(err) != CodeFunctionNotFound {
		return Fabric{}, err
	}
	v1, err := get(&d.partition, symFabricInfo, func() (gonvml.GpuFabricInfo, gonvml.Return) {
		return d.handle.GetGpuFabricInfoV().V1()
	})
	return value(fabric(v1.State, v1.Status, v1.ClusterUuid, v1.CliqueId), err)
}

func fabric(state uint8, status uint32, cluster [16]uint8, clique uint32) Fabric {
	f := Fabric{State: FabricState(state), Status: Code(status), CliqueID: clique}
	if cluster != [16]uint8{} {
		h := hex.EncodeToString(cluster[:])
		f.ClusterUUID = h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	}
	return f
}

// PCIeLink implements Device.
func (d *device) PCIeLink() (PCIeLink, error) {
	generation, err := get(&d.partition, symPCIeGeneration, d.handle.GetCurrPcieLinkGeneration)
	if err != nil {
		return PCIeLink{}, err
	}
	width, err := get(&d.partition, symPCIeWidth, d.handle.GetCurrPcieLinkWidth)
	return value(PCIeLink{Generation: generation, Width: width}, err)
}

// MaxPCIeLink implements Device.
func (d *device) MaxPCIeLink() (PCIeLink, error) {
	generation, err := get(&d.partition, symPCIeMaxGeneration, d.handle.GetMaxPcieLinkGeneration)
	if err != nil {
		return PCIeLink{}, err
	}
	width, err := get(&d.partition, symPCIeMaxWidth, d.handle.GetMaxPcieLinkWidth)
	return value(PCIeLink{Generation: generation, Width: width}, err)
}

// PCIeReplays implements Device.
func (d *device) PCIeReplays() (uint64, error) {
	n, err := get(&d.partition, symPCIeReplays, d.handle.GetPcieReplayCounter)
	return uint64(n), err
}

// PCIeThroughput implements Device.
func (d *device) PCIeThroughput(direction Direction) (float64, error) {
	counter := gonvml.PCIE_UTIL_TX_BYTES
	if direction == DirectionReceive {
		counter = gonvml.PCIE_UTIL_RX_BYTES
	}
	kB, err := get(&d.partition, symPCIeThroughput, func() (uint32, gonvml.Return) {
		return d.handle.GetPcieThroughput(counter)
	})
	return float64(kB) * 1000, err
}

// NVLinks implements Device.
func (d *device) NVLinks() ([]bool, error) {
	var links []bool
	for link := range gonvml.NVLINK_MAX_LINKS {
		state, err := get(&d.partition, symNVLinkState, func() (gonvml.EnableState, gonvml.Return) {
			return d.handle.GetNvLinkState(link)
		})
		switch {
		case err == nil:
			links = append(links, state == gonvml.FEATURE_ENABLED)
		case link > 0 && (CodeOf(err) == CodeInvalidArgument || CodeOf(err) == CodeNotSupported):
			return links, nil // there are no more
		case CodeOf(err) == CodeInvalidArgument:
			return nil, CodeNotSupported
		default:
			return nil, err
		}
	}
	return links, nil
}

// Fields implements Device.
func (d *device) Fields(requests []Field) ([]FieldValue, error) {
	values := make([]FieldValue, len(requests))
	batch := make([]gonvml.FieldValue, 0, len(requests))
	at := make([]int, 0, len(requests)) // where in values those of the batch belong
	for i, r := range requests {
		values[i].Field = r
		if r.ID > MaxFieldID {
			values[i].Err = CodeArgumentVersionMismatch
			continue
		}
		batch = append(batch, gonvml.FieldValue{FieldId: uint32(r.ID), ScopeId: r.Scope})
		at = append(at, i)
	}
	if len(batch) == 0 {
		return values, nil
	}
	err := d.a.call(d.generation, symFieldValues, func() gonvml.Return {
		return d.handle.GetFieldValues(batch)
	})
	if err != nil {
		return nil, err
	}
	for i, b := range batch {
		decode(&values[at[i]], &b)
	}
	return values, nil
}

func decode(v *FieldValue, from *gonvml.FieldValue) {
	if from.Timestamp > 0 {
		v.Time = time.UnixMicro(from.Timestamp)
	}
	v.Latency = time.Duration(from.LatencyUsec) * time.Microsecond
	v.Err = result(gonvml.Return(from.NvmlReturn))
	if CodeOf(v.Err) == CodeInvalidArgument { // of a field or a link that it does not know
		v.Err = CodeNotSupported
	}
	if v.Err != nil {
		return
	}
	bits := binary.NativeEndian.Uint64(from.Value[:])
	half := binary.NativeEndian.Uint32(from.Value[:])
	switch gonvml.ValueType(from.ValueType) {
	case gonvml.VALUE_TYPE_DOUBLE:
		f := math.Float64frombits(bits)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			v.Err = CodeNoData
			return
		}
		v.Number = FloatNumber(f)
	case gonvml.VALUE_TYPE_UNSIGNED_INT:
		v.Number = UintNumber(uint64(half))
	case gonvml.VALUE_TYPE_UNSIGNED_LONG, gonvml.VALUE_TYPE_UNSIGNED_LONG_LONG: // both of 64 bits on Linux
		v.Number = UintNumber(bits)
	case gonvml.VALUE_TYPE_SIGNED_LONG_LONG:
		v.Number = IntNumber(int64(bits))
	case gonvml.VALUE_TYPE_SIGNED_INT:
		v.Number = IntNumber(int64(int32(half)))
	default: // of a driver newer than this code
		v.Err = CodeArgumentVersionMismatch
	}
}
