package syntheticreceiver

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// patience is how long a step waits for a receiver. Each answers within the timeout
// of its requests.
const patience = 2 * time.Minute

// turnstile lets receivers read in step: each reads once, and waits as its consumer
// until the next step.
type turnstile struct {
	readers []*reader
	over    chan struct{}
}

func newTurnstile() *turnstile { return &turnstile{over: make(chan struct{})} }

// reader is one that reads once in each step.
type reader struct {
	name    string
	read    chan pmetric.Metrics
	again   chan struct{}
	waiting bool
}

// admit makes room for a reader.
func (t *turnstile) admit(name string) *reader {
	r := &reader{name: name, read: make(chan pmetric.Metrics), again: make(chan struct{})}
	t.readers = append(t.readers, r)
	return r
}

// consumer is where the readers hand in; which says whose metrics they are, nil if
// nobody's who is waited for.
func (t *turnstile) consumer(which func(pmetric.Metrics) *reader) (consumer.Metrics, error) {
	return consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
		r := which(md)
		if r == nil {
			return nil
		}
		select {
		case r.read <- md:
		case <-t.over:
			return nil
		}
		select {
		case <-r.again:
		case <-t.over:
		}
		return nil
	})
}

// turn lets each reader read once, and moves what they read to md, in the order in
// which they were admitted.
func (t *turnstile) turn(ctx context.Context, md pmetric.Metrics) error {
	for _, r := range t.readers {
		if r.waiting {
			r.again <- struct{}{}
		}
		r.waiting = true
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, r := range t.readers {
		select {
		case got := <-r.read:
			got.ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
		case <-ctx.Done():
			return fmt.Errorf("%s has read nothing: %w", r.name, context.Cause(ctx))
		}
	}
	return nil
}

// end lets all go.
func (t *turnstile) end() { close(t.over) }
