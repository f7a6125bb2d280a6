package simulator

import (
	"maps"
	"sync"
	"time"
)

// Langfuse is one simulated Langfuse server with one project. Its methods may be called at any time from any goroutine.
type Langfuse struct {
	mu      sync.Mutex
	cfg     LangfuseConfig
	release langfuseRelease
	langfuseStore

	requests     map[string]int
	throttled    int
	spent        map[langfuseBucket]*langfuseWindow
	databaseDown bool
	shuttingDown bool
}

// NewLangfuse starts a server without data. It panics if the version or the plan is none, which is a mistake in a test.
func NewLangfuse(cfg LangfuseConfig) *Langfuse {
	cfg = cfg.withDefaults()
	checkPlan(cfg.Plan)
	return &Langfuse{
		cfg: cfg, release: mustLangfuseRelease(cfg.Version), langfuseStore: newLangfuseStore(),
		requests: map[string]int{}, spent: map[langfuseBucket]*langfuseWindow{},
	}
}

// SetVersion is an upgrade, or a step back. It panics as NewLangfuse does.
func (l *Langfuse) SetVersion(version string) {
	release := mustLangfuseRelease(version)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg.Version, l.release = version, release
}

// SetMode is a step of the migration to the table of events.
func (l *Langfuse) SetMode(mode LangfuseMode) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg.Mode = mode
}

// SetIngestionDelay changes it for everything without a Visible time of its own, also for what was added before.
func (l *Langfuse) SetIngestionDelay(delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg.IngestionDelay = delay
}

// SetKey replaces the project's key; the old one is answered 401.
func (l *Langfuse) SetKey(public, secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg.PublicKey, l.cfg.SecretKey = public, secret
}

// RevokeKey deletes the project's key: every call that needs one is answered 401 until SetKey.
func (l *Langfuse) RevokeKey() { l.SetKey("", "") }

// SetDatabase says whether the data base works. Without it what reads data is answered 500, and /health 503 if asked to
// look.
func (l *Langfuse) SetDatabase(works bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.databaseDown = !works
}

// SetReady says whether /ready answers 200. A server that shuts down answers 500 there and works.
func (l *Langfuse) SetReady(ready bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shuttingDown = !ready
}

// Requests counts the calls so far by path under /api/public, such as "/v2/metrics", the refused ones too. Paths that no
// version has are under "".
func (l *Langfuse) Requests() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.requests)
}

// Throttled counts the answers 429 so far.
func (l *Langfuse) Throttled() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.throttled
}
