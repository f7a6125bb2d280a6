package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// gate decides whether an endpoint may be asked. It is closed while its breaker is
// open, and as long as the server wants to be left alone (Retry-After).
type gate struct {
	breaker *gobreaker.CircuitBreaker[struct{}]

	mu sync.Mutex
	// failed is the last error that the breaker counted while it was not open: what an
	// open one answers with.
	failed error
	// refused says that the credentials were refused since the breaker changed.
	refused bool
	// until is when the endpoint may be asked again, because of asked.
	until time.Time
	asked *StatusError
}

func (c *Client) gate(endpoint string) *gate {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.gates[endpoint]
	if g == nil {
		g = &gate{}
		if failures := c.cfg.CircuitBreaker.Failures; failures > 0 {
			g.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
				Timeout:      c.cfg.CircuitBreaker.OpenFor,
				ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= failures || g.isRefused() },
				IsSuccessful: func(err error) bool { return !counts(err) },
				// What we broke off says nothing about the server.
				IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
				OnStateChange: func(_ string, _, to gobreaker.State) {
					g.changed()
					c.telemetry.breaker(endpoint, to == gobreaker.StateOpen)
				},
			})
			c.telemetry.breaker(endpoint, false)
		}
		c.gates[endpoint] = g
	}
	return g
}

// closed says why the endpoint may not be asked at that time, nil if it may. The
// error wraps ErrGateClosed and what closed the gate, so that Reason stays the same;
// a pause that the server wants is what is left of it.
func (g *gate) closed(then time.Time) error {
	open := g.open()
	g.mu.Lock()
	defer g.mu.Unlock()
	if left := g.until.Sub(then); left > 0 {
		asked := *g.asked
		asked.RetryAfter = left
		return fmt.Errorf("%w: %w", ErrGateClosed, &asked)
	}
	if open {
		return fmt.Errorf("%w: %w", ErrGateClosed, g.failed)
	}
	return nil
}

// open says whether the breaker is.
func (g *gate) open() bool {
	return g.breaker != nil && g.breaker.State() == gobreaker.StateOpen
}

// pass calls ask unless the gate is closed.
func (g *gate) pass(ask func() error) error {
	if err := g.closed(time.Now()); err != nil {
		return err
	}
	// The error is noted before the breaker counts it: whoever finds the breaker open
	// finds the error too.
	noted := func() (struct{}, error) {
		err := ask()
		g.note(err, time.Now())
		return struct{}{}, err
	}
	if g.breaker == nil {
		_, err := noted()
		return err
	}
	_, err := g.breaker.Execute(noted)
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		g.mu.Lock()
		defer g.mu.Unlock()
		return fmt.Errorf("%w: %w", ErrGateClosed, g.failed)
	}
	return err
}

// note remembers an error, and a pause that the server wants, unless there is a
// longer one.
func (g *gate) note(err error, now time.Time) {
	if !counts(err) {
		return
	}
	open := g.open()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !open { // else the request was under way when it opened
		g.failed = err
		g.refused = g.refused || refusal(err)
	}
	if until := now.Add(wanted(err)); until.After(now) && until.After(g.until) {
		g.until = until
		errors.As(err, &g.asked)
	}
}

func (g *gate) isRefused() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
}

func (g *gate) changed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = false
}

// counts says whether the breaker counts the error as a failure of the endpoint: all
// but an answer that this cannot be had there, such as 404, or that the question was
// wrong.
func counts(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	var status *StatusError
	return !errors.As(err, &status) || passing(err) || refusal(err)
}

// refusal says whether the credentials were refused. Some servers count that as an
// attack.
func refusal(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && (status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden)
}

// wanted is how long the server wants to be left alone before it is asked again.
func wanted(err error) time.Duration {
	var status *StatusError
	if errors.As(err, &status) && passing(err) {
		return status.RetryAfter
	}
	return 0
}
