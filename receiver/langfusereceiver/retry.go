package langfusereceiver

import (
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/config/configretry"
)

// retries says when something that failed is tried again, by place: a view, the
// storage, or all queries.
type retries struct {
	cfg    configretry.BackOffConfig
	places map[string]*retry
}

type retry struct {
	attempts *backoff.ExponentialBackOff
	at       time.Time
}

func newRetries(cfg configretry.BackOffConfig) *retries {
	return &retries{cfg, make(map[string]*retry)}
}

// fail notes a failure and returns how long to wait.
func (r *retries) fail(place string, now time.Time) time.Duration {
	of := r.places[place]
	if of == nil {
		attempts := backoff.NewExponentialBackOff()
		attempts.InitialInterval = r.cfg.InitialInterval
		attempts.RandomizationFactor = r.cfg.RandomizationFactor
		attempts.Multiplier = r.cfg.Multiplier
		attempts.MaxInterval = r.cfg.MaxInterval
		of = &retry{attempts: attempts}
		r.places[place] = of
	}
	pause := of.attempts.NextBackOff()
	of.at = now.Add(pause)
	return pause
}

// postpone makes the next attempt later than fail did.
func (r *retries) postpone(place string, until time.Time) {
	if of := r.places[place]; of != nil && of.at.Before(until) {
		of.at = until
	}
}

func (r *retries) succeed(place string) { delete(r.places, place) }

// wake lets all be tried now.
func (r *retries) wake() {
	for _, of := range r.places {
		of.at = time.Time{}
	}
}

// wait is how long it is until the next attempt, 0 if it may be made now.
func (r *retries) wait(place string, now time.Time) time.Duration {
	if of := r.places[place]; of != nil {
		return max(of.at.Sub(now), 0)
	}
	return 0
}
