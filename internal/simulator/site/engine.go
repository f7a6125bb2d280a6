package site

import (
	"slices"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const blockSize = 16

// condition is what a server is good for.
type condition int

const (
	// down: its container does not run, or it does not listen yet.
	down condition = iota
	loading
	ready
	// stuck: it answers, and finishes nothing.
	stuck
)

// engine is a vLLM server at work: a queue, a running batch, a KV cache.
type engine struct {
	spec  *ModelSpec
	perf  performance
	vllm  *simulator.VLLM
	box   *box
	index int

	condition condition
	// loadingSince is when loading began, readyAt when it ends.
	loadingSince, readyAt time.Duration

	waiting []*request
	running []*request
	// tokens in the KV cache, of running requests.
	tokens int
	// busy adds up the time with a running batch since the last step, filled the running requests over that time.
	busy   time.Duration
	filled float64
	last   time.Duration

	// work is the tokens since the last step, for the throughput that old versions export, logged those since the last
	// line about it.
	work, logged throughput
}

// throughput is tokens of prompts, and of answers.
type throughput struct{ prefilled, decoded int }

func (t *throughput) add(r *request) {
	t.prefilled += r.prompt
	t.decoded += r.output
}

// account brings busy and filled to now; call it before the batch changes.
func (e *engine) account(now time.Duration) {
	if len(e.running) > 0 {
		d := now - e.last
		e.busy += d
		e.filled += d.Seconds() * float64(len(e.running))
	}
	e.last = now
}

// fits says whether a request may join the batch.
func (e *engine) fits(r *request) bool {
	return e.condition == ready && len(e.running) < e.spec.MaxBatch && e.tokens+r.prompt+r.output <= e.perf.capacity
}

// admit lets waiting requests run, first come first served, and returns them. slow stretches all times.
func (e *engine) admit(now time.Duration, slow float64) []*request {
	var admitted []*request
	for len(e.waiting) > 0 && e.fits(e.waiting[0]) {
		r := e.waiting[0]
		e.waiting = e.waiting[1:]
		e.account(now)
		e.running = append(e.running, r)
		e.tokens += r.prompt + r.output
		stretch := func(d time.Duration) time.Duration { return time.Duration(float64(d) * slow) }
		r.admitted = now
		// Prompts share the GPU with what decodes: the fuller the batch, the longer (~).
		prefill := e.perf.step + time.Duration(r.prompt-r.cached)*e.perf.prefill
		r.first = now + stretch(prefill+prefill*time.Duration(len(e.running))/doublingBatch)
		r.ended = r.first + stretch(time.Duration(max(r.output-1, 0))*e.perf.decode(len(e.running)))
		admitted = append(admitted, r)
	}
	return admitted
}

// release takes a request out of the batch.
func (e *engine) release(r *request, now time.Duration) bool {
	for i, other := range e.running {
		if other == r {
			e.account(now)
			e.running = append(e.running[:i], e.running[i+1:]...)
			e.tokens -= r.prompt + r.output
			return true
		}
	}
	return false // the server died meanwhile
}

// drop empties the server and returns what it had: it died.
func (e *engine) drop(now time.Duration) []*request {
	e.account(now)
	lost := slices.Concat(e.running, e.waiting)
	e.running, e.waiting, e.tokens = nil, nil, 0
	return lost
}

// scheduling is how long a request waits for the next step of an engine that has nothing else to do.
const scheduling = 30 * time.Microsecond

// finish tells the server's counters of a request that is over.
func (e *engine) finish(r *request, reason simulator.FinishReason) {
	e.work.add(r)
	e.logged.add(r)
	e.vllm.Finish(simulator.VLLMRequest{
		PromptTokens: r.prompt, CachedTokens: r.cached, OutputTokens: r.output,
		MaxTokens: max(r.output, 1024), Queue: r.admitted - r.arrived - r.overhead + scheduling, Prefill: r.first - r.admitted, Decode: r.ended - r.first,
		Reason: reason, Route: routes[e.spec.Kind],
	})
}

// show puts the state of the moment into the gauges. It returns the shares of the step in which the GPU was busy and of
// the batch that was filled.
func (e *engine) show(now, step time.Duration) (busy, batch float64) {
	e.account(now)
	busy = min(e.busy.Seconds()/step.Seconds(), 1)
	batch = min(e.filled/step.Seconds()/float64(e.spec.MaxBatch), 1)
	e.vllm.SetLoad(0, simulator.VLLMLoad{
		Running: len(e.running), WaitingCapacity: len(e.waiting),
		KVUsage:    min(float64(e.tokens)/float64(e.perf.capacity), 1),
		PromptRate: float64(e.work.prefilled) / step.Seconds(), GenerationRate: float64(e.work.decoded) / step.Seconds(),
	})
	e.busy, e.filled, e.work = 0, 0, throughput{}
	return busy, batch
}
