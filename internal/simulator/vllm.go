package simulator

import (
	"fmt"
	"sync"
	"time"
)

// FinishReason is a value of the finished_reason label.
type FinishReason string

// The finish reasons of the newest dialect. A dialect without ReasonRepetition counts it as ReasonStop; one without
// ReasonError treats an error as an abort.
const (
	ReasonStop       FinishReason = "stop"
	ReasonLength     FinishReason = "length"
	ReasonAbort      FinishReason = "abort"
	ReasonError      FinishReason = "error"
	ReasonRepetition FinishReason = "repetition"
)

// Phase is where the server is in its life.
type Phase int

// The phases. While loading, every path answers 503. With a dead engine /health answers 503 and /metrics still works.
const (
	PhaseReady Phase = iota
	PhaseLoading
	PhaseEngineDead
)

// VLLMRequest is one whole request as the engine accounts for it when it ends.
type VLLMRequest struct {
	// Engine is the data-parallel rank that ran it.
	Engine int
	// PromptTokens is the whole prompt; CachedTokens of it came from the prefix cache and ExternalTokens from another
	// instance. Without prefix caching CachedTokens counts as computed.
	PromptTokens, CachedTokens, ExternalTokens int
	// OutputTokens were generated. MaxTokens and N are the request's parameters; 0 means OutputTokens and 1.
	OutputTokens, MaxTokens, N int
	// MMItems is the number of images and the like; MMCached of them were in the cache.
	MMItems, MMCached int
	// Queue, Prefill and Decode are the times spent waiting, until the first token, and from the first to the last one.
	Queue, Prefill, Decode time.Duration
	// Preemptions is how often it was thrown out of the batch; the prefix cache is asked again each time.
	Preemptions int
	// Reason is why it ended. Empty means ReasonStop.
	Reason FinishReason
	// Route is the path that was called. Empty is that of chat completions.
	Route string
}

// VLLMLoad is the state of one engine between two steps: everything that is a gauge.
type VLLMLoad struct {
	// Running requests are in the batch. WaitingCapacity and WaitingDeferred wait, the latter for something other than room
	// (an adapter, a transfer). Swapped exists on V0 only.
	Running, WaitingCapacity, WaitingDeferred, Swapped int
	// KVUsage and CPUKVUsage (V0 only) are ratios 0..1.
	KVUsage, CPUKVUsage float64
	// PromptRate and GenerationRate are tokens per second, exported up to 0.6 only.
	PromptRate, GenerationRate float64
}

// VLLM is one simulated vLLM server. Its methods may be called at any time from any goroutine.
type VLLM struct {
	cfg     VLLMConfig
	dialect dialect
	offered []family

	mu      sync.Mutex
	started time.Time
	phase   Phase
	engines []*engine
	lora    []loraState
	http    instrumentator
}

// engine is the accounting of one data-parallel rank. A V0 engine creates a series on first use, a V1 engine all at start.
type engine struct {
	load    VLLMLoad
	sleep   int
	scalars map[seriesKey]float64
	hists   map[string]*histogram
	bounds  map[string][]float64
}

// seriesKey is a family's registered name and the value of its own label, if it has one.
type seriesKey struct{ name, value string }

// loraState is one series of lora_requests_info: the labels are the state, the value is when it was last seen.
type loraState struct {
	running, waiting string
	seen             time.Time
}

// NewVLLM starts a server: ready, idle, all counters 0. It panics if the version is unknown, which is a mistake in a test.
func NewVLLM(cfg VLLMConfig) *VLLM {
	cfg = cfg.withDefaults()
	d, ok := dialectOf(cfg.Version)
	if !ok {
		panic(fmt.Sprintf("simulator: no vLLM dialect %q, have %v", cfg.Version, VLLMVersions()))
	}
	if !d.engineLabel || cfg.NoEngineLabel {
		d.engineLabel = false
		cfg.Engines = 1
	}
	v := &VLLM{cfg: cfg, dialect: d, offered: d.families(&cfg)}
	v.reset()
	return v
}

// reset makes the state of a process that has just started.
func (v *VLLM) reset() {
	v.started = v.cfg.Now()
	v.lora = nil
	v.http = newInstrumentator()
	v.engines = make([]*engine, v.cfg.Engines)
	for i := range v.engines {
		v.engines[i] = v.newEngine()
	}
}

func (v *VLLM) newEngine() *engine {
	e := &engine{scalars: map[seriesKey]float64{}, hists: map[string]*histogram{}, bounds: map[string][]float64{}}
	for _, f := range v.offered {
		if f.kind == kindHistogram {
			e.bounds[f.name] = f.bounds(v.dialect.order, v.cfg.Models[0].MaxModelLen)
			if !v.dialect.v0 {
				e.hists[f.name] = newHistogram(e.bounds[f.name])
			}
		}
	}
	if !v.dialect.v0 {
		v.presetScalars(e)
	}
	return e
}

// presetScalars creates every series of an engine that V0 creates at its first step and V1 at start. The finish reasons
// appear one by one on V0, and its speculative decoding only where it is used.
func (v *VLLM) presetScalars(e *engine) {
	for _, f := range v.offered {
		lazy := v.dialect.v0 && (f.label != "" || f.specDecode && v.cfg.SpeculativeTokens == 0)
		if f.kind == kindHistogram || f.samples != nil || lazy {
			continue
		}
		for _, value := range f.labelValues(v) {
			e.add(f.name, value, 0)
		}
	}
	e.scalars[seriesKey{"gpu_prefix_cache_hit_rate", ""}] = -1
	e.scalars[seriesKey{"cpu_prefix_cache_hit_rate", ""}] = -1
	e.scalars[seriesKey{"engine_healthy", ""}] = boolValue(v.phase != PhaseEngineDead)
	e.setGauges()
}

// engine returns rank i; ranks that do not exist wrap around, so that callers may spread load without knowing the size. It
// also does what the first step of a V0 engine does.
func (v *VLLM) engine(i int) *engine {
	n := len(v.engines)
	e := v.engines[(i%n+n)%n]
	if v.dialect.v0 && len(e.scalars) == 0 {
		v.presetScalars(e)
	}
	return e
}

// SetLoad replaces the gauges of one engine. Nothing else changes them: a server whose requests were all cancelled keeps
// showing its last load, as the real one does.
func (v *VLLM) SetLoad(engine int, load VLLMLoad) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e := v.engine(engine); e.load != load {
		e.load = load
		e.setGauges()
	}
}

// SetSleep puts all engines to sleep: 0 is awake, 1 has offloaded the weights, 2 has discarded them.
func (v *VLLM) SetSleep(level int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range v.engines {
		e := v.engine(i)
		e.sleep = level
		e.setGauges()
	}
}

// SetLoRA records which adapters run and wait now, each a list joined with commas in one label. Earlier label sets stay on
// the page with their old time.
func (v *VLLM) SetLoRA(running, waiting string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seeLoRA(running, waiting)
}

func (v *VLLM) seeLoRA(running, waiting string) {
	now := v.cfg.Now()
	for i, s := range v.lora {
		if s.running == running && s.waiting == waiting {
			v.lora[i].seen = now
			return
		}
	}
	v.lora = append(v.lora, loraState{running: running, waiting: waiting, seen: now})
}

// Preempt counts n preemptions that belong to no finished request yet.
func (v *VLLM) Preempt(engine, n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.engine(engine).add("num_preemptions", "", float64(n))
}

// SetPhase moves the server to another phase of its life. Counters are kept; see Restart.
func (v *VLLM) SetPhase(p Phase) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.phase = p
	for _, e := range v.engines {
		if len(e.scalars) > 0 {
			e.scalars[seriesKey{"engine_healthy", ""}] = boolValue(p != PhaseEngineDead)
		}
	}
}

// Restart starts a new process: every counter and histogram from 0, gauges idle, new start and _created times, ready.
func (v *VLLM) Restart() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.phase = PhaseReady
	v.reset()
}

// ObserveHTTP counts n answers of the API server in the http_* families: calls that never reached the engine, such as
// rejected ones. The requests that the simulator itself answers are not counted, so that a page does not depend on who
// looked at it before. Status is a class such as "4xx".
func (v *VLLM) ObserveHTTP(handler, method, status string, n int, took time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.http.observe(httpCall{handler, method, status}, n, took.Seconds(), 0, 0, v.cfg.Now())
}

func (e *engine) add(name, value string, n float64) { e.scalars[seriesKey{name, value}] += n }

// observe records n equal observations. Families that the dialect does not offer have no bounds and are ignored.
func (e *engine) observe(name string, value float64, n int) {
	bounds, offered := e.bounds[name]
	if !offered || n <= 0 {
		return
	}
	if e.hists[name] == nil {
		e.hists[name] = newHistogram(bounds)
	}
	e.hists[name].observe(value, n)
}

// setGauges writes the load into every name a gauge has had.
func (e *engine) setGauges() {
	set := func(name, value string, x float64) { e.scalars[seriesKey{name, value}] = x }
	l := e.load
	set("num_requests_running", "", float64(l.Running))
	set("num_requests_waiting", "", float64(l.WaitingCapacity+l.WaitingDeferred))
	set("num_requests_waiting_by_reason", "capacity", float64(l.WaitingCapacity))
	set("num_requests_waiting_by_reason", "deferred", float64(l.WaitingDeferred))
	set("num_requests_swapped", "", float64(l.Swapped))
	set("kv_cache_usage_perc", "", l.KVUsage)
	set("gpu_cache_usage_perc", "", l.KVUsage)
	set("cpu_cache_usage_perc", "", l.CPUKVUsage)
	set("avg_prompt_throughput_toks_per_s", "", l.PromptRate)
	set("avg_generation_throughput_toks_per_s", "", l.GenerationRate)
	set("engine_sleep_state", "awake", boolValue(e.sleep == 0))
	set("engine_sleep_state", "weights_offloaded", boolValue(e.sleep == 1))
	set("engine_sleep_state", "discard_all", boolValue(e.sleep == 2))
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
