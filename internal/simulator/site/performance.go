package site

import "time"

// Numbers of an H200 SXM, from its data sheet, and what engines reach of them (~).
const (
	gpuMemory      = 143771 << 20
	gpuBandwidth   = 4.8e12 // bytes a second
	gpuFLOPS       = 989e12 // dense, bf16; twice that in fp8
	bandwidthShare = 0.6
	computeShare   = 0.4
	// stepOverhead is what scheduling and sampling add to each step.
	stepOverhead = 4 * time.Millisecond
	// doublingBatch is the batch at which a step takes twice as long as for one request.
	doublingBatch = 96
	// runtimeMemory is what an engine needs on each GPU beside weights and cache.
	runtimeMemory = 4e9
)

// performance is how fast a server is, from the size of its model and the GPUs it has: decoding is bound by reading the
// weights for each token, prefill by computing with them.
type performance struct {
	// step is the time of a decoding step with one request, prefill the time per token of a prompt.
	step, prefill time.Duration
	// capacity is how many tokens fit into the KV cache.
	capacity int
	// weights on each GPU, in bytes.
	weights float64
}

func performanceOf(m *ModelSpec) performance {
	gpus := float64(len(m.GPUs))
	active := m.Parameters
	if m.Active > 0 {
		active = m.Active
	}
	flops := gpuFLOPS * computeShare
	if m.Quantization != "" {
		flops *= 2
	}
	weights := m.Parameters * 1e9 * m.bytesPerWeight()
	read := active * 1e9 * m.bytesPerWeight() / (gpus * gpuBandwidth * bandwidthShare)
	compute := 2 * active * 1e9 / (gpus * flops)
	cache := max(gpus*(gpuMemory*m.MemoryUtilization-runtimeMemory)-weights, 1e9)
	return performance{
		step:     time.Duration(read*float64(time.Second)) + stepOverhead,
		prefill:  max(time.Duration(compute*float64(time.Second)), time.Microsecond),
		capacity: int(cache / cacheBytes(m)),
		weights:  weights / gpus,
	}
}

// cacheBytes is what a token takes in the KV cache: 131 kB for 8e9 parameters, 328 kB for 70e9 (grouped-query attention,
// bf16), and between them by the square root (~).
func cacheBytes(m *ModelSpec) float64 {
	size := 1.0
	for size*size < m.Parameters {
		size += 0.25
	}
	return 40e3 * size
}

// decode is the time per token while batch requests run.
func (p *performance) decode(batch int) time.Duration {
	return p.step + p.step*time.Duration(batch)/doublingBatch
}
