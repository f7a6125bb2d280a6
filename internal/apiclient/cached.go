package apiclient

import (
	"context"
	"time"
)

// Cached keeps the last good answer of an endpoint that changes slowly. It is for
// one caller at a time.
//
// A failure is not kept: the next Get asks again, as often as the client's gate lets
// it, and until then has the last good answer beside the error.
type Cached[T any] struct {
	client   *Client
	endpoint string
	maxAge   time.Duration
	fetch    func(context.Context) (T, error)
	// Now is the clock. Default time.Now.
	Now func() time.Time

	value T
	at    time.Time
}

// NewCached returns a cache in front of fetch. maxAge is how long an answer is
// used without asking again.
func NewCached[T any](client *Client, endpoint string, maxAge time.Duration, fetch func(context.Context) (T, error)) *Cached[T] {
	return &Cached[T]{client: client, endpoint: endpoint, maxAge: maxAge, fetch: fetch, Now: time.Now}
}

// Get returns the last good answer and when it was given (zero if there never was
// one), and why there is none newer, if it is older than maxAge.
func (c *Cached[T]) Get(ctx context.Context) (value T, at time.Time, err error) {
	now := c.Now()
	if !c.at.IsZero() && now.Sub(c.at) < c.maxAge {
		c.client.telemetry.hit(ctx, c.endpoint)
		return c.value, c.at, nil
	}
	fresh, err := c.fetch(ctx)
	if err != nil {
		return c.value, c.at, err
	}
	c.value, c.at = fresh, now
	return c.value, c.at, nil
}

// Forget drops the answer, so that the next Get asks again.
func (c *Cached[T]) Forget() {
	var none T
	c.value, c.at = none, time.Time{}
}
