package modelcatalogconnector

import (
	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadata"
)

// modelState is the state of a model as one who calls it finds it. 0 means that
// nobody tells. A lower one is better.
type modelState = metadata.AttributeLlmModelState

const (
	stateAvailable = metadata.AttributeLlmModelStateAvailable
	stateLoading   = metadata.AttributeLlmModelStateLoading
	stateError     = metadata.AttributeLlmModelStateError
	stateUnknown   = metadata.AttributeLlmModelStateUnknown
)

// states are all of them: one is 1, the others 0, so that a change leaves no old
// series standing.
var states = []modelState{stateAvailable, stateLoading, stateError, stateUnknown}

// stateOfServer says what the state of a vLLM server means for its models. One
// that sleeps is not broken, but answers nothing until it is woken up.
var stateOfServer = map[string]modelState{
	"ready":       stateAvailable,
	"loading":     stateLoading,
	"sleeping":    stateLoading,
	"stuck":       stateError,
	"failed":      stateError,
	"unreachable": stateError,
	"unknown":     stateUnknown,
}

// stateOfDeployment says what LiteLLM's state of a deployment means. In a partial
// outage some calls are answered.
var stateOfDeployment = map[string]modelState{
	"healthy": stateAvailable,
	"partial": stateAvailable,
	"outage":  stateError,
}

// better returns the better of two states.
func better(a, b modelState) modelState {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// works is the state of what works or does not.
func works(ok bool) modelState {
	if ok {
		return stateAvailable
	}
	return stateError
}

// state is that of all models of the server.
func (s *server) currentState() modelState {
	switch {
	case s.state.known():
		return s.state.value
	case s.up.known():
		return works(s.up.value)
	}
	return stateUnknown
}

// routeState is the state of a model that is called through a proxy. The proxy
// speaks of the last call, which may be long ago, so that the word of the server
// counts where it says no. Where it says yes the proxy may still not reach it.
func routeState(p *proxy, d *deployment, behind []*hosting, check fact[bool]) modelState {
	if p.up.known() && !p.up.value {
		return stateError
	}
	var engine modelState
	for _, h := range behind {
		engine = better(engine, h.server.currentState())
	}
	switch {
	case engine == stateError || engine == stateLoading:
		return engine
	case d.state.known():
		return d.state.value
	case check.known():
		return works(check.value)
	case engine != 0:
		return engine
	}
	return stateUnknown
}
