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
// open, and as long as the server wants to be left alone (Retry-After of 429 and
// 503).
type gate struct {
	breaker *gobreaker.CircuitBreaker[struct{}]

	mu sync.Mutex
	// failed is the last error that the breaker counted, what an open one answers with.
	failed error
	// refused says that the credentials were refused since the breaker changed.
	refused bool
	// until is when the endpoint may be asked again, asked is why.
	until time.Time
	asked error
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
				// What was not sent to its end says nothing about the server.
				IsExcluded: func(err error) bool { return errors.Is(err, ErrRateLimit) || errors.Is(err, context.Canceled) },
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

// pass calls ask unless the gate is closed. The error of a closed gate wraps
// ErrGateClosed and the one that closed it, so that Reason stays the same.
func (g *gate) pass(now func() time.Time, ask func() error) error {
	g.mu.Lock()
	asked, closed := g.asked, now().Before(g.until)
	g.mu.Unlock()
	if closed {
		return fmt.Errorf("%w: %w", ErrGateClosed, asked)
	}
	// The error is noted before the breaker counts it: whoever finds the breaker open
	// finds the error too.
	noted := func() (struct{}, error) {
		err := ask()
		g.note(err, now())
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

func (g *gate) note(err error, now time.Time) {
	if !counts(err) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failed = err
	g.refused = g.refused || refusal(err)
	if until := now.Add(wanted(err)); until.After(now) && until.After(g.until) {
		g.until, g.asked = until, err
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

// counts says whether the breaker counts the error as a failure of the server.
func counts(err error) bool { return err != nil && (passing(err) || refusal(err)) }

// refusal says whether the credentials were refused. Some servers count that as an
// attack.
func refusal(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && (status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden)
}

// wanted is how long the server wants to be left alone.
func wanted(err error) time.Duration {
	var status *StatusError
	if errors.As(err, &status) && (status.Code == http.StatusTooManyRequests || status.Code == http.StatusServiceUnavailable) {
		return status.RetryAfter
	}
	return 0
}
