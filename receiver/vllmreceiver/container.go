package vllmreceiver

import (
	"slices"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/llmserver"
)

// containerError is why the server in a container is not even asked: another one
// may have its address by now.
type containerError struct{ reason string }

func (e *containerError) Error() string { return hintFor(e.reason) }

// containerTracker knows the container of a discovered server.
type containerTracker struct {
	find   func() (*docker.Container, bool)
	choose func(*docker.Container) (llmserver.Spec, bool)
	// routed is false for a container that cannot be reached.
	routed bool

	current *docker.Container
	facts   facts
	// since is when the present run began, wasReady whether the server was ready
	// in it.
	since    time.Time
	wasReady bool
	// calm is how often Docker had started it again when the server was well, or was
	// first seen.
	calm int
}

// givenUp is how often Docker starts a server again that does not become ready until
// it counts as failed.
const givenUp = 2

// look asks for the newest state of the container, and returns whether it was
// started again.
func (t *containerTracker) look(now time.Time) (restarted bool) {
	c, known := t.find()
	if !known || c == t.current {
		return false
	}
	first := t.current == nil
	started := c.Started
	if started.IsZero() { // as when it cannot be inspected
		started = t.since
		if first {
			started = now
		}
	}
	restarted = !first && !started.Equal(t.since)
	if restarted {
		t.wasReady = false
	}
	if first {
		t.calm = c.RestartCount
	}
	t.calm = min(t.calm, c.RestartCount) // somebody who starts it anew makes Docker count anew
	t.current, t.since = c, started
	if spec, ok := t.choose(c); ok {
		t.facts = factsOf(c, &spec)
	}
	return restarted
}

// obstacle is why the server need not be asked.
func (t *containerTracker) obstacle() error {
	switch c := t.current; {
	case c == nil:
		return &containerError{reasonContainerExited}
	case c.State == docker.StatePaused:
		return &containerError{reasonContainerPaused}
	case c.State == docker.StateRestarting:
		return &containerError{reasonContainerRestarting}
	case !c.Running():
		return &containerError{reasonContainerExited}
	case !t.routed:
		return &containerError{reasonNoAddress}
	}
	return nil
}

// judge corrects the state of the server by what its container tells. A server is
// starting if it was not ready since its container was started, and nothing says
// that it never will be.
func (t *containerTracker) judge(state serverState, reason string) (corrected serverState, starting bool) {
	switch state {
	case stateLoading, stateUnreachable, stateUnknown:
	default:
		t.wasReady = true
		if t.current != nil {
			t.calm = t.current.RestartCount
		}
		return state, false
	}
	switch {
	case t.current != nil && t.current.RestartCount >= t.calm+givenUp:
		return stateFailed, false
	case state == stateLoading && t.wasReady:
		return stateFailed, false // it loads once in a run
	case state == stateLoading:
		return stateLoading, true
	case t.obstacle() != nil || t.wasReady:
		return state, false
	case t.current.Health == docker.HealthStarting:
		return stateLoading, true
	case t.current.Health == "" && slices.Contains(silences, reason):
		return stateLoading, true
	}
	return state, false
}

// silences are how a server shows that does not listen yet: what stands before it,
// as Docker's own proxy, may accept and hang up.
var silences = []string{apiclient.ReasonRefused, apiclient.ReasonConnection, apiclient.ReasonTimeout}

// age is how long the container has been running.
func (t *containerTracker) age(now time.Time) time.Duration { return max(now.Sub(t.since), 0) }
