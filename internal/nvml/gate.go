package nvml

import (
	"context"
	"sync"
)

// gate lets calls of the driver in, many at a time, while it is open, and can be
// closed with a deadline; sync.RWMutex cannot. Each opening starts a generation,
// and what was made in one cannot be used in another.
type gate struct {
	mu         sync.Mutex
	open       bool
	generation uint64
	calls      int
	// idle is closed by the last call that leaves while the gate is closing.
	idle chan struct{}
}

// anyGeneration enters whichever there is.
const anyGeneration uint64 = 0

// enter reports whether a call may go on, and the generation it is in; then it
// has to leave.
func (g *gate) enter(generation uint64) (uint64, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open || g.idle != nil || (generation != anyGeneration && generation != g.generation) {
		return 0, false
	}
	g.calls++
	return g.generation, true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls--
	if g.calls == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
		g.open = false
	}
}

func (g *gate) start() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = true
	g.generation++
}

// stop closes the gate when all calls have left. If ctx ends first the gate is
// open again and the error is CodeTimeout. Only one stop may run at a time.
func (g *gate) stop(ctx context.Context) error {
	g.mu.Lock()
	if g.calls == 0 {
		g.open = false
		g.mu.Unlock()
		return nil
	}
	idle := make(chan struct{})
	g.idle = idle
	g.mu.Unlock()

	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.idle == nil { // the last call left just now
		return nil
	}
	g.idle = nil
	return CodeTimeout
}
