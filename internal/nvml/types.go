package nvml

import "time"

// PCI is the place of a GPU.
type PCI struct {
	// BusID is like "00000000:18:00.0".
	BusID string
	// DeviceID and SubsystemID hold the vendor in the lower half, like 0x233510DE.
	DeviceID, SubsystemID uint32
}

// Utilization is in ratios, 0 to 1.
type Utilization struct {
	GPU float64
	// Memory is activity of the memory controller, not how full the memory is.
	Memory float64
}

// Engine is a fixed-function engine.
type Engine int

// The engines of EngineUtilization.
const (
	EngineEncoder Engine = iota
	EngineDecoder
	EngineJPEG
	EngineOFA
)

// EngineUtilization is a ratio, 0 to 1, over a window.
type EngineUtilization struct {
	Ratio  float64
	Window time.Duration
}

// Memory is in bytes.
type Memory struct {
	Total, Used, Free uint64
	// Reserved is what the driver keeps: Total = Reserved + Used + Free. Where the
	// driver does not tell (HasReserved is false) it is part of Used.
	Reserved    uint64
	HasReserved bool
}

// BAR1Memory is in bytes.
type BAR1Memory struct{ Total, Used, Free uint64 }

// PowerLimitRange is in watts.
type PowerLimitRange struct{ Min, Max float64 }

// Clock is a clock domain.
type Clock int

// The clock domains.
const (
	ClockGraphics Clock = iota
	ClockSM
	ClockMemory
	ClockVideo
)

// ClockEventReasons is a set of reasons, one bit each.
type ClockEventReasons uint64

// The reasons known.
const (
	ClockEventIdle              ClockEventReasons = 0x1
	ClockEventApplicationClocks ClockEventReasons = 0x2
	ClockEventSWPowerCap        ClockEventReasons = 0x4
	ClockEventHWSlowdown        ClockEventReasons = 0x8
	ClockEventSyncBoost         ClockEventReasons = 0x10
	ClockEventSWThermal         ClockEventReasons = 0x20
	ClockEventHWThermal         ClockEventReasons = 0x40
	ClockEventHWPowerBrake      ClockEventReasons = 0x80
	ClockEventDisplayClocks     ClockEventReasons = 0x100
)

// Policy is a rule that can hold the clocks down, by NVML's number.
type Policy int

// The policies of ViolationTime.
const (
	PolicyPower           Policy = 0
	PolicyThermal         Policy = 1
	PolicySyncBoost       Policy = 2
	PolicyBoardLimit      Policy = 3
	PolicyLowUtilization  Policy = 4
	PolicyReliability     Policy = 5
	PolicyTotalBaseClocks Policy = 11
)

// ViolationTime is how long a policy was in force since the driver was loaded.
type ViolationTime struct {
	Total time.Duration
	// At is when the driver read it.
	At time.Time
}

// ECCKind says which errors.
type ECCKind int

// The kinds of ECC errors.
const (
	ECCCorrected ECCKind = iota
	ECCUncorrected
)

// ECCCounter says since when.
type ECCCounter int

// Volatile counters begin anew when the driver is loaded, aggregate ones live in
// the board.
const (
	ECCVolatile ECCCounter = iota
	ECCAggregate
)

// MemoryLocation is a memory of the GPU, by NVML's number.
type MemoryLocation int

// The memories that have ECC counters.
const (
	MemoryL1Cache       MemoryLocation = 0
	MemoryL2Cache       MemoryLocation = 1
	MemoryDRAM          MemoryLocation = 2
	MemoryRegisterFile  MemoryLocation = 3
	MemoryTexture       MemoryLocation = 4
	MemoryTextureShared MemoryLocation = 5
	MemoryCBU           MemoryLocation = 6
	MemorySRAM          MemoryLocation = 7
)

// SRAMECC is the state of the SRAM; aggregate counters live in the board.
type SRAMECC struct {
	VolatileCorrected                             uint64
	VolatileUncorrectedParity                     uint64
	VolatileUncorrectedSECDED                     uint64
	AggregateCorrected                            uint64
	AggregateUncorrectedParity                    uint64
	AggregateUncorrectedSECDED                    uint64
	AggregateL2, AggregateSM, AggregatePCIe       uint64
	AggregateMicrocontroller, AggregateOtherUnits uint64
	// ThresholdExceeded says that NVIDIA would replace the board.
	ThresholdExceeded bool
}

// RemappedRows counts rows replaced by spare ones.
type RemappedRows struct {
	Corrected, Uncorrected int
	// Pending says that rows wait for a reset, Failed that a remap did not work.
	Pending, Failed bool
}

// RowRemapHistogram counts banks by the spare rows they have left.
type RowRemapHistogram struct{ Max, High, Partial, Low, None int }

// PCIeLink is generation and number of lanes.
type PCIeLink struct{ Generation, Width int }

// Direction is seen from the GPU.
type Direction int

// The directions of PCIeThroughput.
const (
	DirectionTransmit Direction = iota
	DirectionReceive
)

// FabricState is how far the GPU got with joining the NVLink fabric.
type FabricState int

// The states of a GPU in the fabric.
const (
	FabricNotSupported FabricState = iota
	FabricNotStarted
	FabricInProgress
	FabricCompleted
)

// String is the name as nvidia-smi has it, in lower case.
func (s FabricState) String() string {
	switch s {
	case FabricNotSupported:
		return "not_supported"
	case FabricNotStarted:
		return "not_started"
	case FabricInProgress:
		return "in_progress"
	case FabricCompleted:
		return "completed"
	default:
		return "unknown"
	}
}

// Fabric is the state of the GPU in the NVLink fabric.
type Fabric struct {
	State FabricState
	// Status is how registration ended; only meaningful once completed.
	Status Code
	// ClusterUUID is empty where there is none; GPUs of one clique can talk.
	ClusterUUID string
	CliqueID    uint32
	// HealthMask is raw, 0 from older drivers; HealthSummary 0 not supported,
	// 1 healthy, 2 unhealthy, 3 limited capacity.
	HealthMask    uint32
	HealthSummary int
}

// Process holds a context on the GPU.
type Process struct {
	// PID is that of the pid namespace of the caller or of the host, depending on
	// the driver.
	PID uint32
	// Memory is in bytes; HasMemory is false where the driver does not know.
	Memory    uint64
	HasMemory bool
	// Compute, Graphics and MPS say which lists the process is in.
	Compute, Graphics, MPS bool
	// InMIG says that the ids of the instances have a meaning.
	InMIG                            bool
	GPUInstanceID, ComputeInstanceID uint32
}

// ProcessUtilization is in ratios, 0 to 1.
type ProcessUtilization struct {
	PID uint32
	// Timestamp is in microseconds.
	Timestamp                    uint64
	SM, Memory, Encoder, Decoder float64
}

// MIGMode is whether the GPU can be cut into instances.
type MIGMode struct {
	Enabled bool
	// Pending is what it will be after the next reset.
	Pending bool
}

// MIGAttributes is the share of a GPU that an instance has.
type MIGAttributes struct {
	Multiprocessors                            int
	CopyEngines, Decoders, Encoders, JPEG, OFA int
	GPUInstanceSlices, ComputeInstanceSlices   int
	// MemorySize is in bytes.
	MemorySize uint64
}

// GPMMetric is the number of a profiling metric.
type GPMMetric uint32

// The profiling metrics in use. 62 to 97 are single NVLinks, receive even.
const (
	GPMGraphicsActive GPMMetric = 1
	GPMSMActive       GPMMetric = 2
	GPMSMOccupancy    GPMMetric = 3
	GPMInteger        GPMMetric = 4
	GPMTensor         GPMMetric = 5
	GPMTensorDFMA     GPMMetric = 6
	GPMTensorHMMA     GPMMetric = 7
	GPMTensorDMMA     GPMMetric = 8
	GPMTensorIMMA     GPMMetric = 9
	GPMDRAMBandwidth  GPMMetric = 10
	GPMFP64           GPMMetric = 11
	GPMFP32           GPMMetric = 12
	GPMFP16           GPMMetric = 13
	GPMPCIeTransmit   GPMMetric = 20
	GPMPCIeReceive    GPMMetric = 21
	GPMNVLinkReceive  GPMMetric = 60
	GPMNVLinkTransmit GPMMetric = 61
	gpmNVLinkLast     GPMMetric = 97
)

// GPMReading is the metrics of one window.
type GPMReading struct {
	// Start and End are when the two samples were taken.
	Start, End time.Time
	// Values stand in the order of the request.
	Values []GPMValue
}

// GPMValue is one metric, or why there is none.
type GPMValue struct {
	Metric GPMMetric
	// Value is a ratio (0 to 1), or bytes a second for PCIe and NVLink.
	Value float64
	Err   error
}

// EventType is a set of kinds of events, one bit each.
type EventType uint64

// The kinds of events in use.
const (
	EventSingleBitECC       EventType = 0x1
	EventDoubleBitECC       EventType = 0x2
	EventXID                EventType = 0x8
	EventClock              EventType = 0x10
	EventDRAMRetirement     EventType = 0x400
	EventDRAMRetirementFail EventType = 0x800
	EventGPUUnavailable     EventType = 0x4000
	EventRecoveryAction     EventType = 0x8000
)

// Event is one of the kinds registered for.
type Event struct {
	// UUID is that of the GPU at its registration, which may be unreadable now.
	UUID string
	Type EventType
	// Data is the XID where Type is EventXID; 999 where the driver does not know.
	Data uint64
	// InMIG says that the event concerns an instance.
	InMIG                            bool
	GPUInstanceID, ComputeInstanceID uint32
}
