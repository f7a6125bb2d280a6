package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RevokeKey deletes a key: it is one that the proxy does not know.
func (l *LiteLLM) RevokeKey(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revoked[key] = true
}

// ExpireKey lets a key expire now: the proxy still knows it and says so.
func (l *LiteLLM) ExpireKey(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expired[key] = l.cfg.Now()
}

// RestoreKey makes a revoked or expired key work again.
func (l *LiteLLM) RestoreKey(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.revoked, key)
	delete(l.expired, key)
}

// liteRefusal is why a key does not open what was asked for.
type liteRefusal struct {
	status               int
	kind, param, message string
}

// write answers with the error object that the proxy's own exceptions become.
func (r *liteRefusal) write(w http.ResponseWriter) {
	writeJSON(w, r.status, map[string]any{"error": map[string]string{"message": r.message, "type": r.kind, "param": r.param, "code": strconv.Itoa(r.status)}})
}

// liteDetail answers with the error that the web framework makes of other exceptions: the error object is one level down.
func liteDetail(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]any{"detail": map[string]string{"error": message}})
}

// identify finds out whose key came with a request, or why it is refused. The caller holds the lock.
func (l *LiteLLM) identify(r *http.Request) (*LiteLLMKey, *liteRefusal) {
	refuse := func(status int, kind, param, message string) (*LiteLLMKey, *liteRefusal) {
		return nil, &liteRefusal{status: status, kind: kind, param: param, message: message}
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return refuse(http.StatusUnauthorized, "auth_error", "None", "Authentication Error, No api key passed in.")
	}
	sent, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || sent == "" {
		return refuse(http.StatusUnauthorized, "auth_error", "None", "Authentication Error, Malformed API Key passed in. Ensure Key has `Bearer ` prefix.")
	}
	shown := "sk-..." + sent[max(len(sent)-4, 0):]
	if at, ok := l.expired[sent]; ok {
		status := http.StatusBadRequest
		if l.cfg.Version.has(LiteLLM1_88_0) { // (~) 1.65 says 400, 1.98 says 401
			status = http.StatusUnauthorized
		}
		const python = "2006-01-02 15:04:05.000000-07:00"
		return refuse(status, "expired_key", shown, fmt.Sprintf("Authentication Error - Expired Key. Key Expiry time %s and current time %s", at.UTC().Format(python), l.cfg.Now().UTC().Format(python)))
	}
	if !l.revoked[sent] {
		if sent == l.cfg.MasterKey {
			return &LiteLLMKey{Key: sent, Admin: true}, nil
		}
		if i := slices.IndexFunc(l.cfg.Keys, func(k LiteLLMKey) bool { return k.Key == sent }); i >= 0 && !l.cfg.NoDatabase {
			return &l.cfg.Keys[i], nil
		}
	}
	switch {
	case l.cfg.NoDatabase:
		return refuse(http.StatusBadRequest, "no_db_connection", "None", "No connected db.")
	case !strings.HasPrefix(sent, "sk-"):
		return refuse(http.StatusUnauthorized, "auth_error", "None", "Authentication Error, LiteLLM Virtual Key expected. Received="+shown+", expected to start with 'sk-'.")
	}
	return refuse(http.StatusUnauthorized, "token_not_found_in_db", "key", "Authentication Error, Invalid proxy server token passed. Received API Key = "+shown+
		", Key Hash (Token) ="+LiteLLMHash(sent)+". Unable to find token in cache or `LiteLLM_VerificationTokenTable`")
}

// metricsAuth says whether /metrics wants a key.
func (l *LiteLLM) metricsAuth() bool {
	if l.cfg.MetricsAuth != nil {
		return *l.cfg.MetricsAuth
	}
	return l.cfg.Version.has(LiteLLM1_85_0)
}

// refuseMetrics answers a scrape without a good key, and counts it: it is a failed request of a client (capture of mid 2025).
// The caller holds the lock.
func (l *LiteLLM) refuseMetrics(w http.ResponseWriter, r *http.Request, why *liteRefusal) {
	worker := l.workers[l.turn%len(l.workers)]
	values := map[string]string{"route": r.URL.Path, "hashed_api_key": "", "requested_model": "", "exception_class": "Exception"}
	if l.cfg.Version.has(LiteLLM1_80_15) { // (~)
		values["exception_class"], values["exception_status"], values["status_code"] = "ProxyException", strconv.Itoa(why.status), strconv.Itoa(why.status)
	} else {
		// As a call of a deployment without a name, too.
		for _, name := range []string{"litellm_model_name", "model_id", "api_base", "model"} {
			values[name] = ""
		}
		l.add(worker, "calls", 1, values)
		l.add(worker, "failures", 1, values)
		l.add(worker, "model_failed", 1, values)
		l.set(worker, "state", 1, values)
	}
	l.add(worker, "failed", 1, values)
	l.add(worker, "total", 1, values)
	writeJSON(w, http.StatusUnauthorized, "Unauthorized access to metrics endpoint: "+why.message)
}

// pythonTime is a time as the API writes it.
func pythonTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }
