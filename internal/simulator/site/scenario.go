package site

import (
	"fmt"
	"slices"
	"strings"
)

// Scenario is how the whole site is.
type Scenario string

// The scenarios.
const (
	// Normal: 10 to 20 requests a minute, nothing broken.
	Normal Scenario = "normal"
	// HighLoad: so many requests that GPUs are busy nine tenths of the time, and requests wait.
	HighLoad Scenario = "high_load"
	// Degraded: some requests fail, servers are slow, one is down.
	Degraded Scenario = "degraded"
	// Maintenance: hardly a request, and the largest model is stopped.
	Maintenance Scenario = "maintenance"
)

// Scenarios lists all scenarios.
func Scenarios() []Scenario { return []Scenario{Normal, HighLoad, Degraded, Maintenance} }

// About says what the scenario is like.
func (s Scenario) About() string { return behaviours[s].about }

// ParseScenario returns the scenario of that name.
func ParseScenario(name string) (Scenario, error) {
	if s := Scenario(name); slices.Contains(Scenarios(), s) {
		return s, nil
	}
	names := make([]string, 0, len(Scenarios()))
	for _, s := range Scenarios() {
		names = append(names, string(s))
	}
	return "", fmt.Errorf("there is no scenario %q: the scenarios are %s", name, strings.Join(names, ", "))
}

// behaviour is what a scenario changes.
type behaviour struct {
	about string
	// load multiplies the traffic, slow the times of servers.
	load, slow float64
	// serverErrors is the share of requests that fail in the server, clientErrors is added to those of the client.
	serverErrors, clientErrors float64
	// stopped are the models, by their place in the spec, whose containers do not run.
	stopped []int
	// logErrors is the rate of error lines, each minute and container.
	logErrors float64
}

// behaviours: high_load is chosen so that the reference site's busiest GPUs are at work 90 % of the time.
var behaviours = map[Scenario]behaviour{
	Normal:      {about: "10 to 20 requests a minute", load: 1, slow: 1, serverErrors: 0.002, logErrors: 0.02},
	HighLoad:    {about: "the busiest GPUs at work 90 % of the time", load: 9, slow: 1.1, serverErrors: 0.004, clientErrors: 0.004, logErrors: 0.1},
	Degraded:    {about: "errors, slow servers, one down", load: 0.8, slow: 2.5, serverErrors: 0.08, clientErrors: 0.02, stopped: []int{7}, logErrors: 2},
	Maintenance: {about: "hardly a request, the largest model stopped", load: 0.08, slow: 1, stopped: []int{1}, logErrors: 0.02},
}

// Scenario is the one that plays.
func (w *World) Scenario() Scenario {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.effects.scenario
}

// SetScenario plays another one from now on.
func (w *World) SetScenario(s Scenario) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.effects.setScenario(w, s)
}

// effects is what scenario and anomalies do at present.
type effects struct {
	scenario  Scenario
	anomalies []*Anomaly
	ids       int
}

func newEffects(s Scenario) effects { return effects{scenario: s} }

func (e *effects) behaviour() behaviour { return behaviours[e.scenario] }

func (e *effects) setScenario(w *World, s Scenario) {
	before, after := e.behaviour().stopped, behaviours[s].stopped
	e.scenario = s
	for _, i := range before {
		if i < len(w.engines) && !slices.Contains(after, i) {
			w.engines[i].box.start(w)
		}
	}
	for _, i := range after {
		if i < len(w.engines) && !slices.Contains(before, i) {
			w.engines[i].box.stop(w)
		}
	}
}

// load multiplies the traffic.
func (e *effects) load() float64 { return e.behaviour().load }

// clientErrors is the share of requests that are wrong.
func (e *effects) clientErrors(usual float64) float64 { return usual + e.behaviour().clientErrors }

// slow stretches the times of a server.
func (e *effects) slow(at *engine) float64 {
	slow := e.behaviour().slow
	if e.on(SlowModel, at) {
		slow *= 6
	}
	return slow
}

// serverErrors is the share of requests that fail in a server.
func (e *effects) serverErrors(at *engine) float64 {
	if e.on(ErrorBurst, at) {
		return 0.4
	}
	return e.behaviour().serverErrors
}
