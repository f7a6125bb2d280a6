package site

import (
	"container/heap"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// DefaultStep is the grid that the world moves on.
const DefaultStep = time.Second

// Config of a world.
type Config struct {
	// Seed decides all that is left to chance.
	Seed uint64
	// Start is when the world begins; requests of before it do not exist.
	Start time.Time
	// Step is the grid. Default DefaultStep.
	Step time.Duration
	// Spec is what there is. The zero value means Reference().
	Spec Spec
	// Scenario is the one at the beginning. Default Normal.
	Scenario Scenario
	// Logs takes the lines that containers write; nil drops them.
	Logs LogSink
}

// World is a site in time. Its methods may be called from any goroutine; what the facades serve is the state after the
// last step.
type World struct {
	cfg Config

	mu  sync.Mutex
	now time.Duration // since Start, on the grid

	random  random
	events  events
	serial  uint64
	effects effects

	engines []*engine
	shares  []float64
	gpus    []*gpu
	boxes   []*box
	host    host
	proxy   proxy
	traffic traffic

	analytics analytics

	requests uint64
	ledger   ledger

	clock clock
	// Facades that serve this world.
	nvml     *simulator.NVML
	docker   *simulator.Docker
	litellm  *simulator.LiteLLM
	langfuse *simulator.Langfuse
}

// random has a generator for each purpose.
type random struct {
	arrivals, requests, servers, host, gpus, logs, scores *rand.Rand
}

// clock is what the facades take for the time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// New returns a world at its beginning: all containers run and all models are loaded.
func New(cfg Config) *World {
	if cfg.Step <= 0 {
		cfg.Step = DefaultStep
	}
	if len(cfg.Spec.Models) == 0 {
		cfg.Spec = Reference()
	}
	if cfg.Scenario == "" {
		cfg.Scenario = Normal
	}
	w := &World{cfg: cfg, random: random{
		arrivals: stream(cfg.Seed, "arrivals"), requests: stream(cfg.Seed, "requests"), servers: stream(cfg.Seed, "servers"),
		host: stream(cfg.Seed, "host"), gpus: stream(cfg.Seed, "gpus"), logs: stream(cfg.Seed, "logs"), scores: stream(cfg.Seed, "scores"),
	}}
	w.clock.set(cfg.Start)
	w.effects = newEffects(cfg.Scenario)
	w.build()
	return w
}

// Now is the time of the last step: what the facades show.
func (w *World) Now() time.Time { return w.clock.Now() }

// Advance plays until at, in whole steps. It does nothing if at is not a step ahead.
func (w *World) Advance(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.now+w.cfg.Step <= at.Sub(w.cfg.Start) {
		w.step()
	}
}

// step plays what happens until the next point of the grid, then brings the state there to the facades.
func (w *World) step() {
	until := w.now + w.cfg.Step
	for _, at := range w.traffic.arrivals(w, w.now, until) {
		w.at(at, func() { w.arrive(at) })
	}
	for len(w.events) > 0 && w.events[0].at <= until {
		e := heap.Pop(&w.events).(event)
		w.moment(e.at)
		e.happen()
	}
	w.moment(until)
	w.effects.step(w)
	for _, b := range w.boxes {
		b.step(w)
	}
	w.stepGPUs()
	w.host.step(w)
	w.proxy.step(w)
	w.analytics.step(w)
}

// moment moves the time to d.
func (w *World) moment(d time.Duration) {
	w.now = d
	w.clock.set(w.cfg.Start.Add(d))
}

// at lets something happen later.
func (w *World) at(d time.Duration, happen func()) {
	w.serial++
	heap.Push(&w.events, event{at: d, serial: w.serial, happen: happen})
}

// event is something that will happen. Those of one moment happen in the order in which they were made.
type event struct {
	at     time.Duration
	serial uint64
	happen func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].serial < e[j].serial
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
