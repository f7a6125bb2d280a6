package litellmreceiver

import (
	"context"
	"sync"
	"time"
)

// healthChecker lets the proxy call all its models, rarely, and keeps what came of
// it. It takes minutes, so that no scrape waits for it.
type healthChecker struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	checks []check
	err    error
}

func startHealthChecker(ctx context.Context, cfg *Config, p proxy) *healthChecker {
	ctx, cancel := context.WithCancel(ctx)
	h := &healthChecker{cancel: cancel, done: make(chan struct{})}
	ticker := time.NewTicker(cfg.HealthCheck.Interval)
	go func() {
		defer close(h.done)
		defer ticker.Stop()
		for {
			h.check(ctx, p, cfg.MaxModels)
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return h
}

func (h *healthChecker) check(ctx context.Context, p proxy, limit int) {
	checks, err := p.check(ctx, limit)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err = err; err == nil {
		h.checks = checks
	}
}

// add hands what the last check found to t, in place of what the proxy stored.
func (h *healthChecker) add(t *told) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil && t.alive {
		t.trouble(endpointHealth, h.err)
	}
	if len(h.checks) > 0 && t.alive {
		t.checks = h.checks
	}
}

func (h *healthChecker) shutdown() {
	h.cancel()
	<-h.done
}
