package apiclient

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// gate decides whether an endpoint may be asked. It is closed while the breaker
// is open, and as long as the server wants to be left alone: after 429, and after
// a refusal of the credentials, which some servers count as an attack.
type gate struct {
	endpoint string
	openFor  time.Duration
	breaker  *gobreaker.CircuitBreaker[struct{}]

	mu sync.Mutex
	// until is when the endpoint may be asked again, if the gate itself is closed.
	until time.Time
	// last is why the endpoint failed last: what a closed gate answers with.
	last error
}

func (c *Client) gate(endpoint string) *gate {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.gates[endpoint]
	if g == nil {
		g = &gate{endpoint: endpoint, openFor: c.cfg.CircuitBreaker.OpenFor}
		if failures := c.cfg.CircuitBreaker.Failures; failures > 0 {
			g.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
				Name:         endpoint,
				Timeout:      g.openFor,
				ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= failures },
				IsSuccessful: func(err error) bool { return err == nil || !passing(err) },
				OnStateChange: func(_ string, _, to gobreaker.State) {
					c.telemetry.breaker(endpoint, to == gobreaker.StateOpen)
				},
			})
		}
		c.gates[endpoint] = g
	}
	return g
}

// pass calls ask unless the gate is closed. The error of a closed gate wraps
// ErrGateClosed and the one that closed it, so that Reason stays the same.
func (g *gate) pass(now func() time.Time, ask func() error) error {
	g.mu.Lock()
	last, closed := g.last, now().Before(g.until)
	g.mu.Unlock()
	if closed {
		return fmt.Errorf("%w: %w", ErrGateClosed, last)
	}
	var err error
	if g.breaker == nil {
		err = ask()
	} else {
		_, err = g.breaker.Execute(func() (struct{}, error) { return struct{}{}, ask() })
		if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
			return fmt.Errorf("%w: %w", ErrGateClosed, last)
		}
	}
	if err != nil {
		g.mu.Lock()
		g.last = err
		g.until = now().Add(g.pause(err))
		g.mu.Unlock()
	}
	return err
}

// pause is how long the server wants to be left alone.
func (g *gate) pause(err error) time.Duration {
	var status *StatusError
	if !errors.As(err, &status) {
		return 0
	}
	switch status.Code {
	case http.StatusUnauthorized, http.StatusForbidden:
		if g.breaker != nil {
			return g.openFor
		}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return status.RetryAfter
	}
	return 0
}
