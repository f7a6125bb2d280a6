package nvmlreceiver

import (
	"math"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

// engines are the fixed-function ones.
var engines = []struct {
	engine nvml.Engine
	call   string
	task   metadata.AttributeHwGpuTask
}{
	{nvml.EngineEncoder, "EncoderUtilization", metadata.AttributeHwGpuTaskEncoder},
	{nvml.EngineDecoder, "DecoderUtilization", metadata.AttributeHwGpuTaskDecoder},
	{nvml.EngineJPEG, "JPEGUtilization", metadata.AttributeHwGpuTaskJpeg},
	{nvml.EngineOFA, "OFAUtilization", metadata.AttributeHwGpuTaskOfa},
}

func (r *reader) recordActivity() {
	if r.cfg.HwGpuUtilization.Enabled || r.cfg.HwGpuMemoryControllerUtilization.Enabled {
		if u, ok := ask(r, "Utilization", r.device.Utilization); ok {
			r.mb.RecordHwGpuUtilizationDataPoint(r.now, u.GPU, metadata.AttributeHwGpuTaskGeneral)
			r.mb.RecordHwGpuMemoryControllerUtilizationDataPoint(r.now, u.Memory)
		}
	}
	if r.cfg.HwGpuUtilization.Enabled {
		for _, e := range engines {
			if u, ok := ask(r, e.call, func() (nvml.EngineUtilization, error) { return r.device.EngineUtilization(e.engine) }); ok {
				r.mb.RecordHwGpuUtilizationDataPoint(r.now, u.Ratio, e.task)
			}
		}
	}
	if r.cfg.HwGpuPerformanceState.Enabled {
		if state, ok := ask(r, "PerformanceState", r.device.PerformanceState); ok {
			r.mb.RecordHwGpuPerformanceStateDataPoint(r.now, int64(state))
		}
	}
}

func (r *reader) recordMemory() {
	if r.wantsMemory() {
		if m, ok := ask(r, "Memory", r.device.Memory); ok {
			r.recordMemoryOf(m)
		}
	}
	if r.cfg.HwGpuBar1Limit.Enabled || r.cfg.HwGpuBar1Usage.Enabled {
		if m, ok := ask(r, "BAR1Memory", r.device.BAR1Memory); ok {
			r.mb.RecordHwGpuBar1LimitDataPoint(r.now, int64(m.Total))
			r.mb.RecordHwGpuBar1UsageDataPoint(r.now, int64(m.Used))
		}
	}
}

func (r *reader) wantsMemory() bool {
	return r.cfg.HwGpuMemoryLimit.Enabled || r.cfg.HwGpuMemoryUsage.Enabled || r.cfg.HwGpuMemoryFree.Enabled ||
		r.cfg.HwGpuMemoryReserved.Enabled || r.cfg.HwGpuMemoryUtilization.Enabled
}

func (r *reader) recordMemoryOf(m nvml.Memory) {
	r.mb.RecordHwGpuMemoryLimitDataPoint(r.now, int64(m.Total))
	r.mb.RecordHwGpuMemoryUsageDataPoint(r.now, int64(m.Used))
	r.mb.RecordHwGpuMemoryFreeDataPoint(r.now, int64(m.Free))
	if m.HasReserved {
		r.mb.RecordHwGpuMemoryReservedDataPoint(r.now, int64(m.Reserved))
	}
	if m.Total > 0 {
		r.mb.RecordHwGpuMemoryUtilizationDataPoint(r.now, float64(m.Used)/float64(m.Total))
	}
}

// Kinds of limits. The first two are those of the semantic conventions.
const (
	limitDegraded = "high.degraded"
	limitCritical = "high.critical"
	limitEnforced = "enforced"
	limitDefault  = "default"
	limitMin      = "min"
	limitMax      = "max"
)

func (r *reader) recordHeat(fields fieldValues) {
	var temperature int
	known := false
	if r.cfg.HwTemperature.Enabled || r.cfg.HwTemperatureLimit.Enabled {
		if temperature, known = ask(r, "Temperature", r.device.Temperature); known {
			r.mb.RecordHwTemperatureDataPoint(r.now, float64(temperature), metadata.AttributeHwSensorLocationGpu)
		}
	}
	if v, ok := fields.of(nvml.FieldMemoryTemperature); ok {
		r.mb.RecordHwTemperatureDataPoint(r.now, v.Float64(), metadata.AttributeHwSensorLocationMemory)
	}
	if !r.cfg.HwTemperatureLimit.Enabled && !r.cfg.HwGpuTemperatureMargin.Enabled {
		return
	}
	margin, ok := ask(r, "TemperatureMargin", r.device.TemperatureMargin)
	if !ok {
		return
	}
	r.mb.RecordHwGpuTemperatureMarginDataPoint(r.now, float64(margin))
	if !known {
		return
	}
	// The GPU slows down, and shuts down, at margins of its own, such as -2 and
	// -8: what it may be at most is not yet what it can stand.
	limit := float64(temperature + margin)
	degraded, ok := fields.of(nvml.FieldSlowdownMargin)
	if ok {
		limit -= degraded.Float64()
	}
	r.mb.RecordHwTemperatureLimitDataPoint(r.now, limit, limitDegraded)
	if critical, ok := fields.of(nvml.FieldShutdownMargin); ok {
		r.mb.RecordHwTemperatureLimitDataPoint(r.now, float64(temperature+margin)-critical.Float64(), limitCritical)
	}
}

func (r *reader) recordPower(fields fieldValues) {
	if r.cfg.HwPower.Enabled {
		if v, ok := fields.of(nvml.FieldPowerInstant); ok {
			r.mb.RecordHwPowerDataPoint(r.now, v.Float64()/1000)
		} else if watts, ok := ask(r, "Power", r.device.Power); ok {
			r.mb.RecordHwPowerDataPoint(r.now, watts)
		}
	}
	if r.cfg.HwGpuPowerLimit.Enabled {
		if watts, ok := ask(r, "EnforcedPowerLimit", r.device.EnforcedPowerLimit); ok {
			r.mb.RecordHwGpuPowerLimitDataPoint(r.now, watts, limitEnforced)
		}
		if watts, ok := ask(r, "DefaultPowerLimit", r.device.DefaultPowerLimit); ok {
			r.mb.RecordHwGpuPowerLimitDataPoint(r.now, watts, limitDefault)
		}
		if limits, ok := ask(r, "PowerLimitRange", r.device.PowerLimitRange); ok {
			r.mb.RecordHwGpuPowerLimitDataPoint(r.now, limits.Min, limitMin)
			r.mb.RecordHwGpuPowerLimitDataPoint(r.now, limits.Max, limitMax)
		}
	}
	if r.cfg.HwEnergy.Enabled {
		if joules, ok := ask(r, "Energy", r.device.Energy); ok {
			r.mb.RecordHwEnergyDataPoint(r.now, joules)
		}
	}
}

var clocks = []struct {
	clock     nvml.Clock
	now, most string
	attribute metadata.AttributeHwGpuClock
}{
	{nvml.ClockGraphics, "GraphicsClock", "MaxGraphicsClock", metadata.AttributeHwGpuClockGraphics},
	{nvml.ClockSM, "SMClock", "MaxSMClock", metadata.AttributeHwGpuClockSm},
	{nvml.ClockMemory, "MemoryClock", "MaxMemoryClock", metadata.AttributeHwGpuClockMemory},
	{nvml.ClockVideo, "VideoClock", "MaxVideoClock", metadata.AttributeHwGpuClockVideo},
}

type throttleReason = metadata.AttributeHwGpuClockEventReason

// reasons are those that hold clocks down. Real are those that nobody asked for.
var reasons = []struct {
	bit       nvml.ClockEventReasons
	attribute throttleReason
	real      bool
}{
	{nvml.ClockEventIdle, metadata.AttributeHwGpuClockEventReasonIdle, false},
	{nvml.ClockEventApplicationClocks, metadata.AttributeHwGpuClockEventReasonApplicationClocks, false},
	{nvml.ClockEventSWPowerCap, metadata.AttributeHwGpuClockEventReasonSwPowerCap, true},
	{nvml.ClockEventHWSlowdown, metadata.AttributeHwGpuClockEventReasonHwSlowdown, true},
	{nvml.ClockEventSyncBoost, metadata.AttributeHwGpuClockEventReasonSyncBoost, false},
	{nvml.ClockEventSWThermal, metadata.AttributeHwGpuClockEventReasonSwThermal, true},
	{nvml.ClockEventHWThermal, metadata.AttributeHwGpuClockEventReasonHwThermal, true},
	{nvml.ClockEventHWPowerBrake, metadata.AttributeHwGpuClockEventReasonHwPowerBrake, true},
	{nvml.ClockEventDisplayClocks, metadata.AttributeHwGpuClockEventReasonDisplayClocks, false},
}

var policies = []struct {
	policy    nvml.Policy
	call      string
	attribute metadata.AttributeHwGpuClockPolicy
}{
	{nvml.PolicyPower, "ViolationTime power", metadata.AttributeHwGpuClockPolicyPower},
	{nvml.PolicyThermal, "ViolationTime thermal", metadata.AttributeHwGpuClockPolicyThermal},
	{nvml.PolicySyncBoost, "ViolationTime sync_boost", metadata.AttributeHwGpuClockPolicySyncBoost},
	{nvml.PolicyBoardLimit, "ViolationTime board_limit", metadata.AttributeHwGpuClockPolicyBoardLimit},
	{nvml.PolicyLowUtilization, "ViolationTime low_utilization", metadata.AttributeHwGpuClockPolicyLowUtilization},
	{nvml.PolicyReliability, "ViolationTime reliability", metadata.AttributeHwGpuClockPolicyReliability},
}

func (r *reader) recordClocks() {
	for _, c := range clocks {
		if r.cfg.HwGpuSpeed.Enabled {
			if hertz, ok := ask(r, c.now, func() (uint64, error) { return r.device.Clock(c.clock) }); ok {
				r.mb.RecordHwGpuSpeedDataPoint(r.now, int64(hertz), c.attribute)
			}
		}
		if r.cfg.HwGpuSpeedLimit.Enabled {
			if hertz, ok := ask(r, c.most, func() (uint64, error) { return r.device.MaxClock(c.clock) }); ok {
				r.mb.RecordHwGpuSpeedLimitDataPoint(r.now, int64(hertz), c.attribute)
			}
		}
	}
	// The events want to know too, whether or not the metric is on.
	if active, ok := ask(r, "ClockEventReasons", r.device.ClockEventReasons); ok {
		r.throttle = &active
		for _, reason := range reasons {
			r.mb.RecordHwGpuClockEventActiveDataPoint(r.now, boolean(active&reason.bit != 0), reason.attribute)
		}
	}
	if r.cfg.HwGpuClockEventTime.Enabled {
		for _, p := range policies {
			if t, ok := ask(r, p.call, func() (nvml.ViolationTime, error) { return r.device.ViolationTime(p.policy) }); ok {
				r.mb.RecordHwGpuClockEventTimeDataPoint(r.now, t.Total.Seconds(), p.attribute)
			}
		}
	}
}

// asInt64 is the value of a counter, or the largest there is.
func asInt64(v uint64) int64 { return int64(min(v, math.MaxInt64)) }
