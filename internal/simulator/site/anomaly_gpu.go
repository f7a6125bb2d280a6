package site

import (
	"slices"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
)

// XID codes, as NVIDIA's documentation names them.
const (
	xidRemapped  = 63
	xidNVLink    = 74
	xidOffBus    = 79
	xidContained = 94
)

func coolingFails(_ *World, a *Anomaly) { a.gpu.hot = true }
func coolingWorks(_ *World, a *Anomaly) { a.gpu.hot = false }

// gpuLost takes the GPU off the bus: what computes on it dies, and dies again after each start.
func gpuLost(w *World, a *Anomaly) {
	a.gpu.lost = true
	a.gpu.facade.XID(xidOffBus)
	a.gpu.facade.Lose(nvml.CodeGPUIsLost)
	for _, e := range a.gpu.engines {
		b := e.box
		b.looping = true
		b.lines.say(w, "ERROR", "multiproc_executor.py:140", "CUDA error: unspecified launch failure")
		b.crash(w, 1)
	}
}

// gpuReturns is a reset: its counters begin anew.
func gpuReturns(w *World, a *Anomaly) {
	g := a.gpu
	g.lost = false
	g.errors, g.links = [3]uint64{}, 0
	g.facade.Return()
	for _, e := range g.engines {
		if !slices.ContainsFunc(w.gpus, func(other *gpu) bool { return other.lost && slices.Contains(other.engines, e) }) {
			e.box.looping = false
		}
	}
}

func eccBegins(_ *World, a *Anomaly) {
	a.gpu.errors[1]++
	a.gpu.errors[2]++
	a.gpu.facade.XID(xidContained)
	a.gpu.facade.XID(xidRemapped)
}

func eccErrors(w *World, a *Anomaly) {
	a.gpu.errors[0] += uint64(poisson(w.random.gpus, 3*w.cfg.Step.Seconds()))
}

// linkErrors adds replays; every hundred of them the driver tells of a fault.
func linkErrors(w *World, a *Anomaly) {
	before := a.gpu.links
	a.gpu.links += uint64(poisson(w.random.gpus, 5*w.cfg.Step.Seconds()))
	if before/100 != a.gpu.links/100 {
		a.gpu.facade.Event(nvml.Event{Type: nvml.EventXID, Data: xidNVLink})
	}
}
