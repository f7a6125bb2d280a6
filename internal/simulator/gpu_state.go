package simulator

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
)

// Numbers of an H200 SXM, as nvidia-smi showed them with driver 590.48.01.
const (
	mib          = 1 << 20
	h200Total    = 143771 * mib
	h200Reserved = 614 * mib
	h200Links    = 18
	// The GPU may be as hot as this (the margin was 59 at 28 degrees). It slows
	// down, and shuts down, when the margin falls below these.
	operatingLimit = 87
	slowdownMargin = -2
	shutdownMargin = -8
)

// Where the GPUs of an HGX board are on the bus.
var hgxBus = []int{0x18, 0x2a, 0x3a, 0x5d, 0x9a, 0xab, 0xba, 0xdb}

// ECCKey says which errors a number counts.
type ECCKey struct {
	Kind     nvml.ECCKind
	Counter  nvml.ECCCounter
	Location nvml.MemoryLocation
}

// GPUState is all that can be set on a GPU. What adds up over time (energy,
// bytes, time throttled) does so by itself, from the rates.
type GPUState struct {
	// Busy and Controller are the ratios of Utilization.
	Busy, Controller float64
	// Engines is by [nvml.Engine].
	Engines [4]float64
	// Used memory does not include the reserve.
	Total, Reserved, Used uint64
	BAR1Used              uint64

	Temperature, MemoryTemperature                            int
	Power, EnforcedPowerLimit, DefaultPowerLimit, Least, Most float64
	// Clocks and MaxClocks are in hertz, by [nvml.Clock].
	Clocks, MaxClocks [4]uint64
	Reasons           nvml.ClockEventReasons
	PerformanceState  int

	ECC            map[ECCKey]uint64
	SRAM           nvml.SRAMECC
	Remapped       nvml.RemappedRows
	Banks          nvml.RowRemapHistogram
	RecoveryAction int
	Fabric         nvml.Fabric

	PCIe, MaxPCIe nvml.PCIeLink
	PCIeReplays   uint64
	// PCIeErrors is by field, such as [nvml.FieldPCIeBadTLP].
	PCIeErrors map[nvml.FieldID]uint64
	// PCIeTransmit and the other rates are in bytes a second.
	PCIeTransmit, PCIeReceive, NVLinkTransmit, NVLinkReceive float64
	// Links says of each NVLink whether it is up. LinkErrors is of each link:
	// replays, recoveries, CRC errors.
	Links      []bool
	LinkErrors [][3]uint64

	// GPM is what the profiling metrics are at present; those missing are 0.
	GPM map[nvml.GPMMetric]float64

	Processes []GPUProcess
	// MIG says that the GPU can be cut, Instances into what it is cut.
	MIG, MIGPending bool
	Instances       []GPUInstance
}

// GPUProcess is a process that holds a context on the GPU.
type GPUProcess struct {
	PID uint32
	// Memory is in bytes; NoMemory says that the driver does not know.
	Memory   uint64
	NoMemory bool
	// SM and the others are ratios. All zero gives no sample.
	SM, Controller, Encoder, Decoder float64
	Graphics, MPS                    bool
	// Unlisted processes only appear in the utilization.
	Unlisted bool
	// Instance is 1 + the index of the instance it runs on, 0 for the whole GPU.
	Instance int
}

// GPUInstance is a compute instance of MIG.
type GPUInstance struct {
	UUID             string
	Profile          string
	GPU, Compute     uint32
	Slices           int
	Multiprocessors  int
	Memory, Used     uint64
	UncorrectedSRAM  uint64
	ProfilingMetrics map[nvml.GPMMetric]float64
}

// GPU is one GPU of the server.
type GPU struct {
	library *NVML
	index   int
	uuid    string
	faults  faults

	mu    sync.Mutex
	state GPUState
	lost  error

	// What has added up until since, for the state since then.
	since       time.Time
	energy      float64
	held        [9]time.Duration // by bit of the reason
	pcie, links [2]float64       // bytes, transmitted and received
	// activity is what GPM is the mean of: each profiling metric times seconds.
	activity map[nvml.GPMMetric]float64
}

func newGPU(l *NVML, index int) *GPU {
	g := &GPU{library: l, index: index, uuid: fmt.Sprintf("GPU-%08x-5a3c-4f0e-9d2b-%012x", 0x8b3c0000+index, 0x1f4c00+index), since: l.cfg.Now(), activity: make(map[nvml.GPMMetric]float64)}
	g.state = GPUState{
		Total: h200Total, Reserved: h200Reserved, BAR1Used: mib,
		DefaultPowerLimit: 700, EnforcedPowerLimit: 700, Least: 200, Most: 700,
		MaxClocks: [4]uint64{1980e6, 1980e6, 3201e6, 1545e6},
		ECC:       make(map[ECCKey]uint64), Banks: nvml.RowRemapHistogram{Max: 3072},
		Fabric: nvml.Fabric{State: nvml.FabricCompleted},
		PCIe:   nvml.PCIeLink{Generation: 5, Width: 16}, MaxPCIe: nvml.PCIeLink{Generation: 5, Width: 16},
		PCIeErrors: make(map[nvml.FieldID]uint64),
		GPM:        make(map[nvml.GPMMetric]float64),
	}
	for range h200Links {
		g.state.Links = append(g.state.Links, true)
		g.state.LinkErrors = append(g.state.LinkErrors, [3]uint64{})
	}
	g.state.SetLoad(0)
	return g
}

// SetLoad puts a GPU between idle (0) and fully loaded (1): utilization, power,
// heat, clocks and traffic, as an H200 had them. Memory and processes stay.
func (s *GPUState) SetLoad(load float64) {
	between := func(idle, full float64) float64 { return idle + load*(full-idle) }
	s.Busy, s.Controller = load, load*0.62 // decoding reads all weights for every token (~)
	s.Power = between(77.5, 630)
	s.Temperature, s.MemoryTemperature = int(math.Round(between(28, 53))), int(math.Round(between(31, 42)))
	s.Clocks = [4]uint64{345e6, 345e6, 3201e6, 765e6}
	s.Reasons = nvml.ClockEventIdle
	s.PerformanceState = 0
	if load > 0 {
		s.Clocks, s.Reasons = [4]uint64{1980e6, 1980e6, 3201e6, 1545e6}, 0
	}
	s.PCIeTransmit, s.PCIeReceive = between(371e3, 4217e3), between(337e3, 8691e3)
	s.NVLinkTransmit, s.NVLinkReceive = between(0, 40e9), between(0, 40e9)
	s.GPM = map[nvml.GPMMetric]float64{
		nvml.GPMGraphicsActive: load, nvml.GPMSMActive: between(0, 0.93), nvml.GPMSMOccupancy: between(0, 0.21),
		nvml.GPMTensor: between(0, 0.34), nvml.GPMTensorHMMA: between(0, 0.34), nvml.GPMDRAMBandwidth: between(0, 0.62),
		nvml.GPMInteger: between(0, 0.11), nvml.GPMFP32: between(0, 0.05), nvml.GPMFP16: between(0, 0.03),
		nvml.GPMPCIeTransmit: s.PCIeTransmit, nvml.GPMPCIeReceive: s.PCIeReceive,
		nvml.GPMNVLinkTransmit: s.NVLinkTransmit, nvml.GPMNVLinkReceive: s.NVLinkReceive,
	}
}

// UUID is that of the GPU.
func (g *GPU) UUID() string { return g.uuid }

// Set changes the state. What adds up does so with the old state until now.
func (g *GPU) Set(change func(*GPUState)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.addUp()
	change(&g.state)
}

// Snapshot returns the state. Its slices and maps are shared: read only.
func (g *GPU) Snapshot() *GPUState {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.state
	return &s
}

// Lose takes the GPU off the bus, or makes it need a reset: code is
// [nvml.CodeGPUIsLost] or [nvml.CodeResetRequired].
func (g *GPU) Lose(code nvml.Code) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.addUp()
	g.lost = code
}

// Return brings a lost GPU back, reset: its counters begin at zero.
func (g *GPU) Return() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lost = nil
	g.reset()
}

// Fail makes a call of this GPU fail, such as Power; nil ends that.
func (g *GPU) Fail(call string, err error) { g.faults.fail(call, err) }

// FailField makes a field fail.
func (g *GPU) FailField(id nvml.FieldID, err error) { g.faults.fail(fieldCall(id), err) }

// FailGPM makes a profiling metric fail.
func (g *GPU) FailGPM(metric nvml.GPMMetric, err error) { g.faults.fail(gpmCall(metric), err) }

// Hang makes a call of this GPU hang until the function returned is called.
func (g *GPU) Hang(call string) (release func()) { return g.faults.hang(call) }

// Calls is how often a call of this GPU was made.
func (g *GPU) Calls(call string) int { return g.faults.count(call) }

// AllCalls is how often each call of this GPU was made, fields and profiling
// metrics included.
func (g *GPU) AllCalls() map[string]int { return g.faults.all() }

// FieldCalls is how often a field was asked for.
func (g *GPU) FieldCalls(id nvml.FieldID) int { return g.faults.count(fieldCall(id)) }

// XID delivers an XID error to who registered for it.
func (g *GPU) XID(code uint64) {
	g.library.deliver(nvml.Event{UUID: g.uuid, Type: nvml.EventXID, Data: code})
}

// Event delivers any event to who registered for it.
func (g *GPU) Event(e nvml.Event) {
	e.UUID = g.uuid
	g.library.deliver(e)
}

// LostError is why the GPU cannot be read, nil if it can.
func (g *GPU) LostError() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lost
}

func (g *GPU) driverLoaded() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reset()
}

// reset begins all counters anew that do not live in the board.
func (g *GPU) reset() {
	g.since = g.library.cfg.Now()
	g.energy, g.held, g.pcie, g.links = 0, [9]time.Duration{}, [2]float64{}, [2]float64{}
	for key := range g.state.ECC {
		if key.Counter == nvml.ECCVolatile {
			delete(g.state.ECC, key)
		}
	}
	g.state.PCIeReplays = 0
	clear(g.state.PCIeErrors)
	clear(g.state.LinkErrors)
	g.state.RecoveryAction = 0
}

// addUp brings what adds up to the present.
func (g *GPU) addUp() {
	now := g.library.cfg.Now()
	d := max(now.Sub(g.since), 0)
	g.since = now
	if g.lost != nil {
		return
	}
	seconds := d.Seconds()
	g.energy += g.state.Power * seconds
	g.pcie[0] += g.state.PCIeTransmit * seconds
	g.pcie[1] += g.state.PCIeReceive * seconds
	for metric, v := range g.state.GPM {
		g.activity[metric] += v * seconds
	}
	g.links[0] += g.state.NVLinkTransmit * seconds
	g.links[1] += g.state.NVLinkReceive * seconds
	for bit := range g.held {
		if g.state.Reasons&(1<<bit) != 0 {
			g.held[bit] += d
		}
	}
}
