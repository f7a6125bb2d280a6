package simulator

import (
	"compress/gzip"
	"net/http"
	"strings"
)

// Handler serves the API of the proxy, as far as monitoring reads it.
func (l *LiteLLM) Handler() http.Handler {
	mux := http.NewServeMux()
	open := func(path string, serve http.HandlerFunc) { mux.HandleFunc("GET "+path, serve) }
	keyed := func(path string, serve func(http.ResponseWriter, *http.Request, *LiteLLMKey)) {
		open(path, func(w http.ResponseWriter, r *http.Request) {
			l.mu.Lock()
			key, why := l.identify(r)
			l.mu.Unlock()
			if why != nil {
				why.write(w)
				return
			}
			serve(w, r, key)
		})
	}
	if !l.cfg.NoPrometheus {
		open("/metrics", redirectToSlash)
		open("/metrics/", l.serveMetrics)
	}
	open("/health/liveliness", serveAlive)
	open("/health/liveness", serveAlive)
	open("/health/readiness", l.serveReadiness)
	if !l.cfg.NoDocs {
		open("/openapi.json", l.serveOpenAPI)
	}
	keyed("/health", l.serveHealth)
	keyed("/health/latest", l.serveLatest)
	keyed("/health/history", l.serveHistory)
	keyed("/v1/models", l.serveModels)
	keyed("/models", l.serveModels)
	keyed("/model/info", l.serveModelInfo)
	keyed("/v1/model/info", l.serveModelInfo)
	keyed("/model_group/info", l.serveModelGroups)
	keyed("/user/daily/activity", l.serveActivity)
	if l.cfg.Version.has(LiteLLM1_80_0) { // (~)
		keyed("/user/daily/activity/aggregated", l.serveAggregated)
	}
	keyed("/global/spend/report", l.serveSpendReport)
	if l.cfg.Version.has(LiteLLM1_82_0) {
		keyed("/health/backlog", l.serveBacklog)
	}
	if l.cfg.Version.has(LiteLLM1_88_0) {
		keyed("/health/readiness/details", l.serveReadinessDetails)
	}
	mux.HandleFunc("/", notFound)
	return l.counted(l.guarded(mux))
}

// counted counts requests by path.
func (l *LiteLLM) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.requests[r.URL.Path]++
		l.mu.Unlock()
		w.Header().Set("Server", "uvicorn")
		next.ServeHTTP(w, r)
	})
}

// guarded wants a key for every path that has /metrics in it, before anything else: it says 401 even where there is none.
func (l *LiteLLM) guarded(next http.Handler) http.Handler {
	if !l.metricsAuth() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/metrics") {
			l.mu.Lock()
			_, why := l.identify(r)
			if why != nil {
				l.refuseMetrics(w, r, why)
			}
			l.mu.Unlock()
			if why != nil {
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// redirectToSlash has an empty body: who does not follow sees nothing. The address is http even behind a proxy that speaks
// https.
func redirectToSlash(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Location", "http://"+r.Host+r.URL.Path+"/")
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// serveMetrics answers in gzip to who takes it, as the client library does.
func (l *LiteLLM) serveMetrics(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		_, _ = w.Write(l.Page())
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = z.Write(l.Page())
	_ = z.Close()
}

func serveAlive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, "I'm alive!")
}

// SetReady says whether /health/readiness answers 200.
func (l *LiteLLM) SetReady(ready bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notReady = !ready
}

// SetDatabase says whether the proxy reaches its data base. It is ready without it, but says so; what comes from the data base
// is an error.
func (l *LiteLLM) SetDatabase(reached bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cutOff = !reached
}

// database says whether there is one to be read from, or answers that there is none.
func (l *LiteLLM) database(w http.ResponseWriter, missing string) bool {
	l.mu.Lock()
	cutOff := l.cutOff
	l.mu.Unlock()
	switch {
	case l.cfg.NoDatabase:
		liteDetail(w, http.StatusInternalServerError, missing)
	case cutOff:
		liteDetail(w, http.StatusInternalServerError, "All connection attempts failed")
	}
	return !l.cfg.NoDatabase && !cutOff
}

// readiness is all that the proxy says of itself.
func (l *LiteLLM) readiness() map[string]any {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := map[string]any{
		"status": "healthy", "db": "connected", "cache": nil, "litellm_version": l.cfg.BuildVersion,
		"success_callbacks": []string{"langfuse", "prometheus"}, "use_aiohttp_transport": true,
	}
	switch {
	case l.cfg.NoDatabase:
		state["db"] = "Not connected"
	case l.cutOff:
		state["db"] = "disconnected"
	}
	if l.cfg.Redis {
		state["cache"] = "redis"
	}
	if l.cfg.Version.has(LiteLLM1_82_0) {
		state["log_level"], state["is_detailed_debug"] = "WARNING", false
	}
	return state
}

func (l *LiteLLM) serveReadiness(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	notReady := l.notReady
	l.mu.Unlock()
	if notReady {
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"detail": "Service Unhealthy (timed out)"})
		return
	}
	state := l.readiness()
	if l.cfg.Version.has(LiteLLM1_88_0) && !l.cfg.ReadinessDetails {
		state = map[string]any{"status": state["status"], "db": state["db"]}
	}
	writeJSON(w, http.StatusOK, state)
}

func (l *LiteLLM) serveReadinessDetails(w http.ResponseWriter, _ *http.Request, _ *LiteLLMKey) {
	writeJSON(w, http.StatusOK, l.readiness())
}

// serveOpenAPI answers the version; the real one has 2 MB of paths besides.
func (l *LiteLLM) serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"openapi": "3.1.0", "info": map[string]any{"title": "LiteLLM API", "version": l.cfg.BuildVersion}, "paths": map[string]any{},
	})
}

func (l *LiteLLM) serveBacklog(w http.ResponseWriter, _ *http.Request, _ *LiteLLMKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	if s := l.at(l.workers[l.turn%len(l.workers)], "in_flight", nil); s != nil {
		n = int(s.value)
	}
	writeJSON(w, http.StatusOK, map[string]int{"in_flight_requests": n})
}

func (l *LiteLLM) serveSpendReport(w http.ResponseWriter, _ *http.Request, key *LiteLLMKey) {
	if !key.Admin {
		liteDetail(w, http.StatusForbidden, "Admin-only endpoint. Not allowed to access this.")
		return
	}
	if l.database(w, liteNoDatabase) {
		liteDetail(w, http.StatusBadRequest, "/spend/report endpoint You must be a LiteLLM Enterprise user to use this feature.")
	}
}
