package simulator

import (
	"fmt"
	"maps"
	"sync"
	"time"
)

// LiteLLM is one simulated proxy. Its methods may be called at any time from any goroutine.
type LiteLLM struct {
	cfg      LiteLLMConfig
	families []liteFamily
	// byKey are the places of the families.
	byKey map[string]int

	mu      sync.Mutex
	workers []*liteWorker
	// gone are the workers whose files are still in the shared directory.
	gone []*liteWorker
	pids int
	turn int // which worker answers the next scrape

	requests map[string]int
	revoked  map[string]bool
	expired  map[string]time.Time
	// notReady and cutOff say that the proxy is not ready and that it has lost its data base.
	notReady, cutOff bool
	health           liteHealth
	days             liteDays
}

// NewLiteLLM starts a proxy that nobody has asked yet. It panics if the version is unknown, which is a mistake in a test.
func NewLiteLLM(cfg LiteLLMConfig) *LiteLLM {
	cfg = cfg.withDefaults()
	if liteOrder(cfg.Version) < 0 {
		panic(fmt.Sprintf("simulator: no LiteLLM dialect %q, have %v", cfg.Version, LiteLLMVersions()))
	}
	l := &LiteLLM{
		cfg: cfg, families: cfg.families(), byKey: make(map[string]int),
		requests: make(map[string]int), revoked: make(map[string]bool), expired: make(map[string]time.Time),
		health: liteHealth{known: make(map[string]bool), last: make(map[string]*liteCheck)}, days: liteDays{rows: make(map[liteRowKey]*liteRow)},
	}
	for i, f := range l.families {
		l.byKey[f.key] = i
	}
	l.restart()
	return l
}

// Restart makes all counters begin anew, as those of new processes do. What is in the data base stays.
func (l *LiteLLM) Restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.restart()
}

func (l *LiteLLM) restart() {
	l.workers, l.gone, l.pids = make([]*liteWorker, l.cfg.Workers), nil, 0
	for i := range l.workers {
		l.workers[i] = l.newWorker(l.cfg.Now().Add(time.Duration(i) * time.Second))
	}
	l.showLimits()
}

// RestartWorker replaces one of several workers. Alone it counts anew; where workers share a directory, the counters of the
// old one stay, and before 1.82.0 (~) so do its gauges.
func (l *LiteLLM) RestartWorker(worker int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cfg.MultiProcess {
		l.gone = append(l.gone, l.workers[worker])
	}
	l.workers[worker] = l.newWorker(l.cfg.Now())
	l.showLimits()
}

// Requests counts the calls so far by path, all refused ones included.
func (l *LiteLLM) Requests() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.requests)
}
