package site

import (
	"math"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// How an H200 becomes warm: 28 degrees at 77.5 W and 53 at 630 W, as nvidia-smi showed them idle and loaded with driver
// 590.48.01; the lag is a guess (~).
const (
	idlePower = 77.5
	fullPower = 630.0
	ambient   = 24.5
	warmth    = (53.0 - 28) / (fullPower - idlePower) // kelvin per watt
	// Memory is warmer than the rest at rest and cooler at work: 32 and 41 °C in the same capture.
	memoryOffset = 6.2
	memoryWarmth = (41.0 - 32) / (fullPower - idlePower)
	thermalLag   = 45 * time.Second
	slowdownHeat = 87.0
	maxHeat      = 94.0
	// brokenCooling is what a failed fan adds.
	brokenCooling = 62.0
	contextMemory = 520 << 20 // what the CUDA context of a process takes
)

// gpu is a GPU with what runs on it.
type gpu struct {
	index   int
	facade  *simulator.GPU
	engines []*engine
	// boxes and ranks are the container of each engine, and which of its processes is here.
	boxes []*box
	ranks []uint32

	heat, memoryHeat float64
	hot, lost        bool
	slowed           bool
	// shares are busy and batch of each engine in the last step.
	busy, batch []float64
	errors      [3]uint64 // corrected, uncorrected, remapped rows
	links       uint64
}

// stepGPUs turns the work of the servers into activity, power and heat.
func (w *World) stepGPUs() {
	type work struct{ busy, batch float64 }
	done := make([]work, len(w.engines))
	for i, e := range w.engines {
		done[i].busy, done[i].batch = e.show(w.now, w.cfg.Step)
	}
	for _, g := range w.gpus {
		for i, e := range g.engines {
			g.busy[i], g.batch[i] = done[e.index].busy, done[e.index].batch
		}
		g.step(w)
	}
}

func (g *gpu) step(w *World) {
	idle, fill := 1.0, 0.0
	for i := range g.engines {
		idle *= 1 - g.busy[i]
		fill = max(fill, g.busy[i]*math.Sqrt(g.batch[i]))
	}
	busy := 1 - idle
	// Decoding a single request reads all weights already: half of the power is there at the smallest batch (~).
	activity := 0.5*busy + 0.5*fill
	power := idlePower + activity*(fullPower-idlePower)
	if busy > 0 {
		power *= 1 + 0.02*w.random.gpus.NormFloat64()
	}
	if g.slowed {
		power = idlePower + 0.6*(power-idlePower)
	}
	target, memory := ambient+warmth*power, ambient+memoryOffset+memoryWarmth*power
	if g.hot {
		target += brokenCooling
		memory += brokenCooling
	}
	part := 1 - math.Exp(-w.cfg.Step.Seconds()/thermalLag.Seconds())
	g.heat = min(g.heat+(target-g.heat)*part, maxHeat)
	g.memoryHeat += (memory - g.memoryHeat) * part
	// Slower above the limit, and until it is well below.
	g.slowed = g.heat >= slowdownHeat || g.slowed && g.heat > slowdownHeat-4
	now := w.now
	g.facade.Set(func(s *simulator.GPUState) { g.show(s, now, busy, activity, power) })
}

// show puts the state of the moment into the facade.
func (g *gpu) show(s *simulator.GPUState, now time.Duration, busy, activity, power float64) {
	s.SetLoad(activity)
	s.Busy, s.Controller = busy, 0.7*activity
	s.Power = power
	s.Temperature, s.MemoryTemperature = int(math.Round(g.heat)), int(math.Round(g.memoryHeat))
	s.Reasons = 0
	switch {
	case g.slowed:
		s.Reasons = nvml.ClockEventSWThermal | nvml.ClockEventHWThermal
		s.Clocks[0], s.Clocks[1] = 1095e6, 1095e6
	case busy == 0:
		s.Reasons = nvml.ClockEventIdle
	}
	s.GPM[nvml.GPMGraphicsActive] = busy
	if len(g.engines) == 0 || !g.parallel() {
		s.NVLinkTransmit, s.NVLinkReceive = 0, 0
		s.GPM[nvml.GPMNVLinkTransmit], s.GPM[nvml.GPMNVLinkReceive] = 0, 0
	}
	s.Processes = s.Processes[:0]
	s.Used = 0
	for i, e := range g.engines {
		memory := e.memory(now)
		if memory == 0 {
			continue
		}
		s.Used += memory
		p := simulator.GPUProcess{PID: g.boxes[i].pid + g.ranks[i], Memory: memory - memory/64}
		if g.busy[i] > 0 {
			p.SM, p.Controller = g.busy[i]*(0.3+0.7*math.Sqrt(g.batch[i])), 0.7*g.busy[i]
		}
		s.Processes = append(s.Processes, p)
	}
	s.Used = min(s.Used, s.Total-s.Reserved)
	g.showErrors(s)
}

// parallel says whether a server here speaks to other GPUs.
func (g *gpu) parallel() bool {
	for i, e := range g.engines {
		if len(e.spec.GPUs) > 1 && g.busy[i] > 0 {
			return true
		}
	}
	return false
}

func (g *gpu) showErrors(s *simulator.GPUState) {
	for _, counter := range [...]nvml.ECCCounter{nvml.ECCVolatile, nvml.ECCAggregate} {
		for i, kind := range [...]nvml.ECCKind{nvml.ECCCorrected, nvml.ECCUncorrected} {
			if n := g.errors[i]; n > 0 {
				s.ECC[simulator.ECCKey{Kind: kind, Counter: counter, Location: nvml.MemoryDRAM}] = n
			}
		}
	}
	s.Remapped.Uncorrected = int(g.errors[2])
	s.Remapped.Pending = g.errors[2] > 0
	for i := range s.LinkErrors {
		if g.links > 0 && i < 2 { // a bad connector is that of a pair
			s.LinkErrors[i] = [3]uint64{g.links, g.links / 40, g.links * 3}
		}
	}
}

// memory is what the server takes of each of its GPUs, in bytes: all that it may as soon as it is loaded, and while it
// loads what it has of the weights.
func (e *engine) memory(now time.Duration) uint64 {
	switch e.condition {
	case down:
		return 0
	case loading:
		return contextMemory + uint64(e.loaded(now)*e.perf.weights)
	}
	return uint64(e.spec.MemoryUtilization * gpuMemory)
}
