package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Handler serves the API of the proxy, as far as monitoring reads it.
func (l *LiteLLM) Handler() http.Handler {
	mux := http.NewServeMux()
	open := func(path string, serve http.HandlerFunc) { mux.HandleFunc("GET "+path, serve) }
	keyed := func(path string, serve func(http.ResponseWriter, *http.Request, *LiteLLMKey)) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if key := l.keyOf(w, r); key != nil {
				serve(w, r, key)
			}
		})
	}
	if !l.cfg.NoPrometheus {
		open("/metrics", redirectToSlash) // an empty body: who does not follow sees nothing
		open("/metrics/", l.serveMetrics)
	}
	open("/health/liveliness", serveAlive)
	open("/health/liveness", serveAlive)
	open("/health/readiness", l.serveReadiness)
	open("/openapi.json", l.serveOpenAPI)
	keyed("/health", l.serveHealth)
	keyed("/health/latest", l.serveLatest)
	keyed("/health/history", l.serveHistory)
	keyed("/v1/models", l.serveModels)
	keyed("/models", l.serveModels)
	keyed("/model/info", l.serveModelInfo)
	keyed("/v1/model/info", l.serveModelInfo)
	keyed("/model_group/info", l.serveModelGroups)
	keyed("/user/daily/activity", l.serveActivity)
	keyed("/user/daily/activity/aggregated", l.serveActivity)
	keyed("/global/spend/report", l.serveSpendReport)
	if l.cfg.Version.has(LiteLLM1_82_0) {
		keyed("/health/backlog", l.serveBacklog)
	}
	if l.cfg.Version.has(LiteLLM1_88_0) {
		keyed("/health/readiness/details", func(w http.ResponseWriter, _ *http.Request, _ *LiteLLMKey) {
			writeJSON(w, http.StatusOK, l.readiness())
		})
	}
	mux.HandleFunc("/", notFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "uvicorn")
		l.mu.Lock()
		l.requests[r.URL.Path]++
		l.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

func redirectToSlash(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Location", r.URL.Path+"/")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

func serveAlive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "I'm alive!")
}

// liteError is an error in the shape of the proxy's.
func liteError(w http.ResponseWriter, status int, kind, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{"message": message, "type": kind, "param": "None", "code": strconv.Itoa(status)}})
}

// keyOf is whose key came with a request, or nil after it was refused.
func (l *LiteLLM) keyOf(w http.ResponseWriter, r *http.Request) *LiteLLMKey {
	sent, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !ok || sent == "":
		liteError(w, http.StatusUnauthorized, "auth_error", "Authentication Error, No api key passed in.")
	case l.revoked[sent]:
		// The real proxy repeats parts of the key here, too.
		liteError(w, http.StatusUnauthorized, "expired_key", "Authentication Error - Expired Key. Received API Key = "+sent[:min(len(sent), 6)]+"...")
	case sent == l.cfg.MasterKey:
		return &LiteLLMKey{Key: sent, Admin: true}
	default:
		if i := slices.IndexFunc(l.cfg.Keys, func(k LiteLLMKey) bool { return k.Key == sent }); i >= 0 {
			return &l.cfg.Keys[i]
		}
		liteError(w, http.StatusUnauthorized, "token_not_found_in_db", "Authentication Error, Invalid proxy server token passed.")
	}
	return nil
}

// metricsAuth says whether /metrics wants a key.
func (l *LiteLLM) metricsAuth() bool {
	if l.cfg.MetricsAuth != nil {
		return *l.cfg.MetricsAuth
	}
	return l.cfg.Version.has(LiteLLM1_85_0)
}

func (l *LiteLLM) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if l.metricsAuth() && l.keyOf(w, r) == nil {
		// A refused scrape counts as a failed request of a client (capture of mid 2025).
		l.mu.Lock()
		defer l.mu.Unlock()
		values := map[string]string{"route": "/metrics/", "hashed_api_key": "", "requested_model": "", "exception_class": "Exception"}
		l.add(l.workers[0], "failed", 1, values)
		l.add(l.workers[0], "total", 1, values)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(l.Page())
}

// readiness is all that the proxy says of itself.
func (l *LiteLLM) readiness() map[string]any {
	state := map[string]any{
		"status": "healthy", "db": "connected", "cache": nil, "litellm_version": l.cfg.BuildVersion,
		"success_callbacks": []string{"langfuse", "prometheus"}, "use_aiohttp_transport": true,
	}
	if l.cfg.NoDatabase {
		state["db"] = "Not connected"
	}
	if l.cfg.Redis {
		state["cache"] = map[string]any{"type": "redis"}
	}
	return state
}

func (l *LiteLLM) serveReadiness(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	unready := l.unready
	l.mu.Unlock()
	state := l.readiness()
	if l.cfg.Version.has(LiteLLM1_88_0) {
		state = map[string]any{"status": state["status"], "db": state["db"]}
	}
	status := http.StatusOK
	if unready {
		status = http.StatusServiceUnavailable
		state["status"], state["db"] = "unhealthy", "disconnected"
	}
	writeJSON(w, status, state)
}

func (l *LiteLLM) serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"openapi": "3.1.0", "info": map[string]any{"title": "LiteLLM API", "version": l.cfg.BuildVersion}, "paths": map[string]any{},
	})
}

// serveHealth calls every model, as the real one does: each call costs.
func (l *LiteLLM) serveHealth(w http.ResponseWriter, _ *http.Request, _ *LiteLLMKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	healthy, unhealthy := []map[string]any{}, []map[string]any{}
	for i := range l.cfg.Deployments {
		d := &l.cfg.Deployments[i]
		l.costly++
		at := map[string]any{"model": d.Model, "model_id": d.ID}
		if d.APIBase != "" {
			at["api_base"] = d.APIBase
		}
		if ok, known := l.health[d.ID]; known && !ok {
			at["error"] = "litellm.InternalServerError"
			unhealthy = append(unhealthy, at)
			continue
		}
		healthy = append(healthy, at)
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"healthy_endpoints": healthy, "unhealthy_endpoints": unhealthy, "healthy_count": len(healthy), "unhealthy_count": len(unhealthy),
	})
}

// serveLatest answers the stored results of earlier checks, by deployment.
func (l *LiteLLM) serveLatest(w http.ResponseWriter, _ *http.Request, _ *LiteLLMKey) {
	if l.cfg.NoDatabase {
		liteError(w, http.StatusInternalServerError, "internal_server_error", "Database not initialized")
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	latest := map[string]any{}
	for i := range l.cfg.Deployments {
		d := &l.cfg.Deployments[i]
		if ok, known := l.health[d.ID]; known {
			latest[d.ID] = l.check(d, ok)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"latest_health_checks": latest, "total_models": len(latest)})
}

func (l *LiteLLM) check(d *LiteLLMDeployment, ok bool) map[string]any {
	status, good, bad := "healthy", 1, 0
	if !ok {
		status, good, bad = "unhealthy", 0, 1
	}
	return map[string]any{
		"model_name": d.Name, "model_id": d.ID, "status": status, "healthy_count": good, "unhealthy_count": bad, "error_message": nil,
		"response_time_ms": 182.4, "checked_at": l.checked.UTC().Format(time.RFC3339Nano), "checked_by": "background_health_check",
	}
}

func (l *LiteLLM) serveHistory(w http.ResponseWriter, _ *http.Request, _ *LiteLLMKey) {
	if l.cfg.NoDatabase {
		liteError(w, http.StatusInternalServerError, "internal_server_error", "Database not initialized")
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	checks := []any{}
	for i := range l.cfg.Deployments {
		d := &l.cfg.Deployments[i]
		if ok, known := l.health[d.ID]; known {
			checks = append(checks, l.check(d, ok))
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"health_checks": checks, "total_records": len(checks), "limit": 100, "offset": 0})
}

func (l *LiteLLM) serveBacklog(w http.ResponseWriter, _ *http.Request, _ *LiteLLMKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0.0
	for _, worker := range l.workers {
		n += worker.at(l.family("in_flight"), nil, l.cfg.Now()).value
	}
	writeJSON(w, http.StatusOK, map[string]int{"in_flight_requests": int(n)})
}

func (l *LiteLLM) serveSpendReport(w http.ResponseWriter, _ *http.Request, key *LiteLLMKey) {
	if !key.Admin {
		liteError(w, http.StatusForbidden, "auth_error", "Only proxy admins can see this")
		return
	}
	liteError(w, http.StatusBadRequest, "bad_request_error", "/spend/report endpoint is a LiteLLM Enterprise feature")
}
