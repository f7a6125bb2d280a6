package apiclient

import (
	"context"
	"time"
)

// Cached keeps the last good answer of an endpoint that changes slowly. It is for
// one caller at a time.
type Cached[T any] struct {
	client   *Client
	endpoint string
	maxAge   time.Duration
	fetch    func(context.Context) (T, error)

	value T
	at    time.Time
}

// NewCached returns a cache in front of fetch. maxAge is how long an answer is
// used without asking again.
func NewCached[T any](client *Client, endpoint string, maxAge time.Duration, fetch func(context.Context) (T, error)) *Cached[T] {
	return &Cached[T]{client: client, endpoint: endpoint, maxAge: maxAge, fetch: fetch}
}

// Get returns the last good answer and when it was given (zero if there never was
// one), and why there is none newer, if it is older than maxAge.
func (c *Cached[T]) Get(ctx context.Context) (value T, at time.Time, err error) {
	now := c.client.now()
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

// Forget makes the next Get ask again.
func (c *Cached[T]) Forget() { c.at = time.Time{} }
