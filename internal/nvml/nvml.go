package nvml

import (
	"context"
	"errors"
	"time"
)

// ErrNotInBuild is what every call of New's Library gives in a build that cannot
// have NVML. It carries no Code.
var ErrNotInBuild = errors.New("NVML is not supported by this build (needs Linux and cgo)")

// Library is NVML of one driver. All methods may be called from any goroutine;
// all but Init give CodeUninitialized while it is not initialised. What it hands
// out (devices, event sets, GPM readers) ends with Shutdown: a later use gives
// CodeUninitialized and never reaches the driver, whatever Init did since.
//
// A call that hangs in the driver cannot be cancelled.
type Library interface {
	// Init loads the library and initialises it; where it is already, it does
	// nothing. Its error says what to do and carries the Code. Where another Init
	// is still running, it gives CodeInUse rather than wait.
	Init() error
	// Shutdown waits for the calls under way, frees event sets and GPM readers and
	// ends NVML, so that /dev/nvidia* is no longer held. New calls are refused
	// from its begin on. If ctx ends first it gives CodeTimeout, and everything
	// stays as it was: try again. Without Init it does nothing.
	Shutdown(ctx context.Context) error

	// DriverVersion is like "590.48.01".
	DriverVersion() (string, error)
	// NVMLVersion is like "13.590.48.01".
	NVMLVersion() (string, error)
	// CUDAVersion is the newest CUDA that the driver supports, like "13.1".
	CUDAVersion() (string, error)

	// DeviceCount is the number of GPUs. Zero without an error usually means that
	// /dev/nvidia* is missing, as in a container without the NVIDIA runtime.
	DeviceCount() (int, error)
	// Device gives the GPU of that index, 0 to DeviceCount-1. The order of GPUs is
	// not stable across reboots: identify them by UUID.
	Device(index int) (Device, error)

	// NewEventSet makes a set without any registration.
	NewEventSet() (EventSet, error)
}

// Device is one GPU. The errors of all methods are Codes; what a GPU or driver
// does not have gives one for which IsUnsupported holds, and never a zero.
type Device interface {
	Partition

	// Identity.

	// Index is that of the driver, as in nvidia-smi.
	Index() (int, error)
	// MinorNumber is the number in /dev/nvidia<minor>; not always the index.
	MinorNumber() (int, error)
	// PCI tells where the GPU is.
	PCI() (PCI, error)
	// Serial is the number on the board.
	Serial() (string, error)
	// VBIOSVersion is like "96.00.AF.00.01".
	VBIOSVersion() (string, error)
	// BoardPartNumber is like "900-21010-0040-000".
	BoardPartNumber() (string, error)
	// BoardID is equal for the GPUs of one board.
	BoardID() (uint32, error)

	// Activity.

	// Utilization is how much of the last sample period (1/6 s to 1 s) any kernel
	// ran, and any access of the memory took place.
	Utilization() (Utilization, error)
	// EngineUtilization is that of a fixed-function engine.
	EngineUtilization(engine Engine) (EngineUtilization, error)
	// BAR1Memory is the window through which the host reaches the GPU's memory.
	BAR1Memory() (BAR1Memory, error)

	// Heat, power and clocks.

	// Temperature is that of the GPU in degrees Celsius.
	Temperature() (int, error)
	// TemperatureMargin is how many degrees are left until the GPU slows down.
	TemperatureMargin() (int, error)
	// Power is the present draw in watts; on Hopper the average of a second.
	Power() (float64, error)
	// EnforcedPowerLimit is the one in force, in watts.
	EnforcedPowerLimit() (float64, error)
	// DefaultPowerLimit is the one after boot, in watts.
	DefaultPowerLimit() (float64, error)
	// PowerLimitRange is what the limit may be set to, in watts.
	PowerLimitRange() (PowerLimitRange, error)
	// Energy is what was consumed since the driver was loaded, in joules.
	Energy() (float64, error)
	// Clock is the present speed in hertz.
	Clock(clock Clock) (uint64, error)
	// MaxClock is the highest speed in hertz.
	MaxClock(clock Clock) (uint64, error)
	// ClockEventReasons is why the clocks are what they are, at this moment.
	ClockEventReasons() (ClockEventReasons, error)
	// ViolationTime is for how long a policy has held the clocks down.
	ViolationTime(policy Policy) (ViolationTime, error)
	// PerformanceState is 0 (fastest) to 15; one that the driver does not know
	// gives CodeNoData.
	PerformanceState() (int, error)

	// Errors and health.

	// SRAMECC is documented as for root only.
	SRAMECC() (SRAMECC, error)
	// RemappedRows gives CodeNotSupported while MIG instances exist.
	RemappedRows() (RemappedRows, error)
	// RowRemapHistogram counts banks by how many spare rows they have left.
	RowRemapHistogram() (RowRemapHistogram, error)
	// Fabric is the state of the GPU in the NVLink fabric.
	Fabric() (Fabric, error)

	// Links.

	// PCIeLink is what was negotiated at present.
	PCIeLink() (PCIeLink, error)
	// MaxPCIeLink is what GPU and slot can do.
	MaxPCIeLink() (PCIeLink, error)
	// PCIeReplays counts replays on the PCIe link.
	PCIeReplays() (uint64, error)
	// PCIeThroughput is in bytes a second over 20 ms, for which the call blocks.
	PCIeThroughput(direction Direction) (float64, error)
	// NVLinks says for every link, by its number, whether it is up.
	NVLinks() ([]bool, error)

	// Fields reads many values in one call; the answers stand in the order of the
	// requests, each with its own error. See FieldValue.
	Fields(requests []Field) ([]FieldValue, error)

	// ProcessUtilization is what each process used since a time in microseconds:
	// newest is the one to pass next time, the largest seen on this GPU. The first
	// time it is 0, never the time of a clock. Where nothing ran the list is empty
	// and newest is since. It has no meaning while MIG is on.
	ProcessUtilization(since uint64) (samples []ProcessUtilization, newest uint64, err error)

	// MIGMode says whether the GPU is cut into instances, now and after the next
	// reset.
	MIGMode() (MIGMode, error)
	// MIGDevices lists the instances that exist now, none where MIG is off. Ask
	// anew each time: they die when they are destroyed, and their ids are used
	// again at once.
	MIGDevices() ([]MIGDevice, error)
}

// Partition is what both a whole GPU and a MIG instance tell.
type Partition interface {
	// UUID is like "GPU-8b3c..." or "MIG-1f4c...": the key to remember it by.
	UUID() (string, error)
	// Name is the model, like "NVIDIA H200", with the profile of an instance, like
	// "NVIDIA H200 MIG 1g.18gb".
	Name() (string, error)
	// Memory is that of the GPU or of the GPU instance.
	Memory() (Memory, error)
	// MemoryErrors counts ECC errors. A MIG instance tells only the uncorrected
	// volatile ones of the SRAM.
	MemoryErrors(kind ECCKind, counter ECCCounter, location MemoryLocation) (uint64, error)
	// Processes lists who holds a context: compute, MPS and graphics, each process
	// once, by pid. An idle GPU gives an empty list.
	Processes() ([]Process, error)
	// NewGPM opens the profiling metrics (Hopper and newer) and takes a first
	// sample.
	NewGPM() (GPM, error)
}

// MIGDevice is one compute instance of a GPU. Instances of one GPU instance
// share its memory and report the same: count it once.
type MIGDevice interface {
	Partition

	// Slot is the index within the GPU.
	Slot() int
	// GPUInstanceID is that of the GPU instance.
	GPUInstanceID() (uint32, error)
	// ComputeInstanceID is that within the GPU instance.
	ComputeInstanceID() (uint32, error)
	// Attributes is the share of the GPU.
	Attributes() (MIGAttributes, error)
}

// GPM reads the profiling metrics of one GPU or MIG instance, each time over the
// window since the last reading. It is for one caller at a time.
type GPM interface {
	// Read gives the metrics in the order asked for. The window ends now, unless
	// the last reading was less than 100 ms ago, in which case its window stands
	// again. Until 100 ms after NewGPM, and when the last sample is too old to
	// compare with, it gives CodeNoData.
	Read(metrics []GPMMetric) (GPMReading, error)
	// Close frees the samples; more than once is fine.
	Close() error
}

// EventSet delivers events of the GPUs registered, each once, from the
// registration on.
type EventSet interface {
	// Register asks for those of types that the GPU supports; where it supports
	// none of them it gives CodeNotSupported.
	Register(device Device, types EventType) error
	// Wait blocks an OS thread until there is an event or the time is over, which
	// gives CodeTimeout. It can also give CodeGPUIsLost at once, again and again:
	// back off. Shutdown has to wait for it, so keep the time short (1 s).
	Wait(timeout time.Duration) (Event, error)
	// Close waits for Wait and frees the set; more than once is fine.
	Close() error
}

// Option changes what New makes.
type Option func(*options)

type options struct {
	path string
	now  func() time.Time
}

// WithLibraryPath names the library to load; empty means libnvidia-ml.so.1 where
// the loader finds it. A process can only ever use one: Init gives
// CodeAlreadyInitialized for a second.
func WithLibraryPath(path string) Option {
	return func(o *options) { o.path = path }
}

const defaultLibrary = "libnvidia-ml.so.1"

func newOptions(opts []Option) options {
	o := options{now: time.Now}
	for _, opt := range opts {
		opt(&o)
	}
	if o.path == "" {
		o.path = defaultLibrary
	}
	return o
}
