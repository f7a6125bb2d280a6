package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxChecks is how many stored results the history has.
const maxChecks = 10_000

// liteHealth is what the proxy knows of its deployments by their ids, and the results that it has stored.
type liteHealth struct {
	known map[string]bool
	last  map[string]*liteCheck
	// history has the oldest first.
	history []*liteCheck
	stored  int
	// calls counts the calls of models that asking for health has made.
	calls int
}

type liteCheck struct {
	number     int
	deployment *LiteLLMDeployment
	healthy    bool
	at         time.Time
}

// SetHealth is the result of a check of a deployment that the proxy has made by itself, and what a check would find from now
// on. It is stored if it differs from the last one or an hour has passed since.
func (l *LiteLLM) SetHealth(deployment int, healthy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d, now := &l.cfg.Deployments[deployment], l.cfg.Now()
	h := &l.health
	h.known[d.ID] = healthy
	if last := h.last[d.ID]; last != nil && last.healthy == healthy && now.Sub(last.at) < time.Hour {
		return
	}
	h.stored++
	check := &liteCheck{h.stored, d, healthy, now}
	h.last[d.ID] = check
	h.history = append(h.history, check)
	if len(h.history) > maxChecks {
		h.history = slices.Delete(h.history, 0, 1)
	}
}

// CostlyChecks counts the calls of models that /health has made: each costs money.
func (l *LiteLLM) CostlyChecks() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.health.calls
}

// serveHealth calls every model, or that of the query, as the real one does: each call costs.
func (l *LiteLLM) serveHealth(w http.ResponseWriter, r *http.Request, _ *LiteLLMKey) {
	model, id := r.URL.Query().Get("model"), r.URL.Query().Get("model_id")
	if !l.cfg.BackgroundHealth && l.cfg.HealthTakes > 0 && !wait(r, l.cfg.HealthTakes) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cfg.BackgroundHealth && len(l.health.known) == 0 {
		writeJSON(w, http.StatusOK, map[string]any{}) // nothing was checked yet
		return
	}
	healthy, unhealthy := []map[string]any{}, []map[string]any{}
	for i := range l.cfg.Deployments {
		d := &l.cfg.Deployments[i]
		ok, known := l.health.known[d.ID]
		switch {
		case l.cfg.BackgroundHealth && !known,
			!l.cfg.BackgroundHealth && (model != "" && model != d.Name && model != d.Model || id != "" && id != d.ID):
			continue
		case !l.cfg.BackgroundHealth:
			l.health.calls++
		}
		if d.Provider() == "hosted_vllm" && strings.HasPrefix(l.cfg.BuildVersion, "1.84.") {
			continue // a bug of that release: neither healthy nor unhealthy
		}
		at := map[string]any{"model": d.Model}
		if l.cfg.Version.has(LiteLLM1_80_0) { // (~)
			at["model_id"] = d.ID
		}
		if d.APIBase != "" {
			at["api_base"] = d.APIBase
		}
		if known && !ok {
			at["error"] = "litellm.InternalServerError: InternalServerError: Connection error."
			unhealthy = append(unhealthy, at)
			continue
		}
		healthy = append(healthy, at)
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"healthy_endpoints": healthy, "unhealthy_endpoints": unhealthy, "healthy_count": len(healthy), "unhealthy_count": len(unhealthy),
	})
}

// json is a stored result.
func (c *liteCheck) json() map[string]any {
	result := map[string]any{
		"health_check_id": fmt.Sprintf("%08x-0000-4000-8000-%012x", c.number, c.number), "model_name": c.deployment.Name, "model_id": c.deployment.ID,
		"status": "healthy", "healthy_count": 1, "unhealthy_count": 0, "error_message": nil, "response_time_ms": 182.4, "details": nil,
		"checked_by": "background_health_check", "checked_at": pythonTime(c.at), "created_at": pythonTime(c.at),
	}
	if !c.healthy {
		result["status"], result["healthy_count"], result["unhealthy_count"] = "unhealthy", 0, 1
		result["error_message"] = "litellm.InternalServerError: InternalServerError: Connection error."
	}
	return result
}

// serveLatest answers the last stored result of each deployment.
func (l *LiteLLM) serveLatest(w http.ResponseWriter, _ *http.Request, _ *LiteLLMKey) {
	if !l.database(w, "Database not initialized") {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	latest := make(map[string]any)
	for id, c := range l.health.last {
		latest[id] = c.json()
	}
	writeJSON(w, http.StatusOK, map[string]any{"latest_health_checks": latest, "total_models": len(latest)})
}

// serveHistory answers stored results, the newest first.
func (l *LiteLLM) serveHistory(w http.ResponseWriter, r *http.Request, _ *LiteLLMKey) {
	q := r.URL.Query()
	limit, fine := liteNumber(w, q.Get("limit"), "limit", 100, 1, 1000)
	if !fine {
		return
	}
	offset, fine := liteNumber(w, q.Get("offset"), "offset", 0, 0, 1<<30)
	if !fine || !l.database(w, "Database not initialized") {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	checks := []any{}
	for _, c := range slices.Backward(l.health.history) {
		result := c.json()
		switch {
		case q.Get("model") != "" && q.Get("model") != c.deployment.Name, q.Get("status_filter") != "" && q.Get("status_filter") != result["status"]:
		case offset > 0:
			offset--
		case len(checks) < limit:
			checks = append(checks, result)
		}
	}
	offset, _ = strconv.Atoi(q.Get("offset"))
	writeJSON(w, http.StatusOK, map[string]any{"health_checks": checks, "total_records": len(checks), "limit": limit, "offset": offset})
}

// liteNumber reads a number of a query, or answers what is wrong with it.
func liteNumber(w http.ResponseWriter, text, name string, otherwise, least, most int) (int, bool) {
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	kind, message := "int_parsing", "Input should be a valid integer, unable to parse string as an integer"
	switch {
	case err != nil:
	case n < least:
		kind, message = "greater_than_equal", fmt.Sprintf("Input should be greater than or equal to %d", least)
	case n > most:
		kind, message = "less_than_equal", fmt.Sprintf("Input should be less than or equal to %d", most)
	default:
		return n, true
	}
	writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"detail": []any{
		map[string]any{"type": kind, "loc": []string{"query", name}, "msg": message, "input": text},
	}})
	return 0, false
}
