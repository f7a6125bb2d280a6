package vllmreceiver

import (
	"time"

	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
)

type serverState = metadata.AttributeVllmServerState

const (
	stateReady       = metadata.AttributeVllmServerStateReady
	stateLoading     = metadata.AttributeVllmServerStateLoading
	stateSleeping    = metadata.AttributeVllmServerStateSleeping
	stateStuck       = metadata.AttributeVllmServerStateStuck
	stateFailed      = metadata.AttributeVllmServerStateFailed
	stateUnreachable = metadata.AttributeVllmServerStateUnreachable
	stateUnknown     = metadata.AttributeVllmServerStateUnknown
)

// observation is what one scrape saw of a server.
type observation struct {
	// answered is false if nothing answered at the endpoint.
	answered bool
	// healthy is what the health check said; nil if it could not be asked.
	healthy *bool
	// page is nil if the metrics could not be read.
	page *enginePage
}

// stateTracker turns observations into the state of the server.
type stateTracker struct {
	stuckAfter time.Duration

	wasReady bool
	// progress is the token count at the last scrape, idleSince the time since
	// when requests wait although it stays the same; zero if they do not.
	progress  float64
	idleSince time.Time
}

// next returns the state after what was seen at now.
func (t *stateTracker) next(o observation, now time.Time) serverState {
	stuck := t.stuck(o.page, now)
	switch {
	case !o.answered:
		t.wasReady = false
		return stateUnreachable
	case o.healthy != nil && !*o.healthy:
		// A server is not healthy before its model is loaded, nor after its
		// engine has died: what came before tells which.
		if t.wasReady {
			return stateFailed
		}
		return stateLoading
	case o.healthy == nil && (o.page == nil || len(o.page.families) == 0):
		return stateUnknown
	}
	t.wasReady = true
	switch {
	case o.page != nil && o.page.asleep():
		return stateSleeping
	case stuck:
		return stateStuck
	}
	return stateReady
}

// stuck says whether requests have waited for stuckAfter without any token
// being processed. Running requests do not count: their gauge freezes when all
// of them are cancelled at once.
func (t *stateTracker) stuck(page *enginePage, now time.Time) bool {
	if page == nil || page.sum("num_requests_waiting") == 0 || page.progress() != t.progress {
		t.idleSince = time.Time{}
		if page != nil {
			t.progress = page.progress()
		}
		return false
	}
	if t.idleSince.IsZero() {
		t.idleSince = now
	}
	return t.stuckAfter > 0 && now.Sub(t.idleSince) >= t.stuckAfter
}
