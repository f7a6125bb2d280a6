package nvmlreceiver

import (
	"context"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
)

const (
	// eventWait is how long a wait for an event blocks, and so how long letting go
	// of the driver may have to wait for it.
	eventWait = 500 * time.Millisecond
	// eventPause is the pause after an error: a lost GPU would make it spin.
	eventPause = time.Second

	wantedEvents = nvml.EventXID | nvml.EventDoubleBitECC | nvml.EventGPUUnavailable | nvml.EventRecoveryAction
)

// watch is a goroutine that waits for events of the GPUs.
type watch struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// watchEvents waits for events until stop, or the end of the session with the
// driver. All calls are made on its own goroutine, as they may hang.
func watchEvents(library nvml.Library, devices []found, pause time.Duration, handle func(context.Context, nvml.Event), problem func(error)) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		defer cancel()
		set, err := library.NewEventSet()
		if err != nil {
			problem(err)
			return
		}
		defer func() { _ = set.Close() }()
		registered := false
		for _, d := range devices {
			if refused := set.Register(d.device, wantedEvents); refused != nil {
				err = refused
			} else {
				registered = true
			}
		}
		if !registered {
			problem(err)
			return
		}
		problem(nil)
		for ctx.Err() == nil {
			event, err := set.Wait(eventWait)
			switch {
			case err == nil:
				handle(ctx, event)
			case nvml.IsTimeout(err):
			case nvml.CodeOf(err) == nvml.CodeUninitialized:
				return
			default:
				select {
				case <-time.After(pause):
				case <-ctx.Done():
				}
			}
		}
	}()
	return w
}

// end lets the goroutine end, without waiting for it.
func (w *watch) end() {
	if w != nil {
		w.cancel()
	}
}

// stop ends the goroutine; it waits for it no longer than ctx.
func (w *watch) stop(ctx context.Context) {
	if w == nil {
		return
	}
	w.cancel()
	select {
	case <-w.done:
	case <-ctx.Done():
	}
}
