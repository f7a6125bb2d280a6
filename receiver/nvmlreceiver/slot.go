package nvmlreceiver

import (
	"context"
	"errors"
	"sync/atomic"
)

// errStuck says that something did not end in time, or that what was begun
// earlier has still not ended. A call that hangs in the driver cannot be
// cancelled, only left alone.
var errStuck = errors.New("a call hangs in the driver")

// slot runs one thing at a time.
type slot struct{ taken atomic.Bool }

// inSlot runs f on a goroutine of its own and gives up on it, but keeps the slot
// taken, when ctx ends first. What f touches belongs to it until then.
func inSlot[T any](ctx context.Context, s *slot, f func() T) (T, error) {
	var none T
	if ctx.Err() != nil || !s.taken.CompareAndSwap(false, true) {
		return none, errStuck
	}
	result := make(chan T, 1)
	go func() {
		v := f()
		s.taken.Store(false)
		result <- v
	}()
	select {
	case v := <-result:
		return v, nil
	case <-ctx.Done():
		return none, errStuck
	}
}
