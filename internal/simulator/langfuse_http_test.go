package simulator

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestLangfuseAvailability is the contract's table of versions and modes.
func TestLangfuseAvailability(t *testing.T) {
	all := []string{
		"/health", "/ready", "/projects", "/models",
		"/metrics/daily", "/traces", "/sessions", "/observations", "/scores", "/metrics", "/v2/scores",
		"/v2/metrics", "/v2/observations", "/v3/scores",
	}
	cloud := func(version string) LangfuseConfig {
		return LangfuseConfig{Version: version, Cloud: true, Plan: LangfusePro}
	}
	removed := cloud("4.16.0")
	for _, test := range []struct {
		name   string
		cfg    LangfuseConfig
		at     time.Time
		status []int // of all, 0 for HTML 404
	}{
		{"2.x", LangfuseConfig{Version: "2.95.0"}, time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 0, 0, 0, 0, 0}},
		{"3.0", LangfuseConfig{Version: "3.0.0"}, time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 0, 0, 0, 0, 0}},
		{"3.53", LangfuseConfig{Version: "3.53.0"}, time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 0, 200, 0, 0, 0}},
		{"3.57", LangfuseConfig{Version: "3.57.0"}, time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 0, 0, 0}},
		{"3.141", LangfuseConfig{Version: "3.141.0"}, time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 501, 501, 0}},
		{"3.141 with the switch", LangfuseConfig{Version: "3.141.0", V2OnV3: true}, time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 0}},
		{"3.180", LangfuseConfig{Version: "3.180.0"}, time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 501, 501, 200}},
		{"3.225", LangfuseConfig{Version: "3.225.11"}, time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 404, 404, 200}},
		{"4 legacy", LangfuseConfig{Version: "4.0.0", Mode: LangfuseLegacy}, time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 404, 404, 200}},
		{"4 dual", LangfuseConfig{Version: "4.0.0", Mode: LangfuseDual}, time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200}},
		{"4 events only", LangfuseConfig{Version: "4.16.0"}, time.Time{}, []int{200, 200, 200, 200, 404, 404, 404, 404, 404, 404, 404, 200, 200, 200}},
		{"cloud in summer", cloud("4.16.0"), time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200}},
		{"cloud on 3", cloud("3.141.0"), time.Time{}, []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 0}},
		{"the last second", removed, langfuseRemoval.Add(-time.Second), []int{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200}},
		{"after 16 November 2026", removed, langfuseRemoval, []int{200, 200, 200, 200, 0, 405, 0, 0, 405, 0, 0, 200, 200, 200}},
		{"a new organisation", LangfuseConfig{Cloud: true, Plan: LangfusePro, NewOrganization: true}, time.Time{}, []int{200, 200, 200, 200, 410, 410, 410, 410, 410, 410, 410, 200, 200, 200}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, c := newTestLangfuse(test.cfg)
			if !test.at.IsZero() {
				c.t = test.at
			}
			query := url.Values{"query": {lfTimes(t, lfCount)}}
			for i, path := range all {
				w, want := lfGet(l, path, query), test.status[i]
				if want == 0 {
					assert.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"), path)
					want = 404
				} else {
					assert.Equal(t, "application/json", w.Header().Get("Content-Type"), path)
				}
				assert.Equal(t, want, w.Code, path)
			}
		})
	}
}

func TestLangfuseRefusalsSayWhy(t *testing.T) {
	body := func(cfg LangfuseConfig, path string) string {
		l, _ := newTestLangfuse(cfg)
		return lfGet(l, path, url.Values{"query": {lfTimes(t, lfCount)}}).Body.String()
	}
	assert.JSONEq(t, `{"message":"v2 APIs are currently in beta and only available on Langfuse Cloud","error":"NotImplementedError"}`,
		body(LangfuseConfig{Version: "3.141.0"}, "/v2/metrics"))
	assert.Contains(t, body(LangfuseConfig{Version: "4.0.0", Mode: LangfuseLegacy}, "/v2/metrics"), "v4 write mode")
	assert.Contains(t, body(LangfuseConfig{}, "/metrics"), "events_only mode")
	assert.Contains(t, body(LangfuseConfig{Cloud: true, NewOrganization: true}, "/metrics"), "LEGACY_API_UNAVAILABLE_FOR_NEW_ORGANIZATION")
	assert.Contains(t, body(LangfuseConfig{Version: "3.0.0"}, "/v2/metrics"), "<!DOCTYPE html>")
}

func TestLangfuseChecksInOrder(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Version: "3.141.0"})
	bad := url.Values{"query": {"{"}}
	assert.Equal(t, 400, lfGet(l, "/v2/metrics", bad).Code, "bad parameters come before 501")
	l.RevokeKey()
	assert.Equal(t, 401, lfGet(l, "/v2/metrics", bad).Code)
	l.SetVersion("4.0.0")
	assert.Equal(t, 404, lfGet(l, "/metrics", bad).Code, "an endpoint that is off does not look at the key")
	assert.Equal(t, 200, lfGet(l, "/health", nil).Code)

	r := httptest.NewRequest(http.MethodPost, "/api/public/v2/metrics", http.NoBody)
	w := httptest.NewRecorder()
	l.Handler().ServeHTTP(w, r)
	assert.Equal(t, 405, w.Code)
	assert.JSONEq(t, `{"message":"Method not allowed","error":"MethodNotAllowedError"}`, w.Body.String())
}

func TestLangfuseDeprecation(t *testing.T) {
	for version, deprecated := range map[string]bool{"3.225.0": false, "4.0.0": true} {
		l, _ := newTestLangfuse(LangfuseConfig{Version: version, Mode: LangfuseDual})
		for path, route := range langfuseRoutes {
			if !l.release.from(route.since) || l.working(&route) != nil {
				continue
			}
			body := lfObject(t, l, path, url.Values{"query": {lfTimes(t, lfCount)}})
			if !deprecated || route.family != familyLegacy {
				assert.NotContains(t, body, "_deprecation", path)
				continue
			}
			note := body["_deprecation"].(map[string]any)
			assert.Equal(t, "2026-11-16", note["sunsetAt"], path)
			assert.Equal(t, route.replacement, note["replacement"], path)
			assert.Contains(t, note["message"], "November 16, 2026")
			assert.NotEmpty(t, note["docsUrl"])
		}
	}
}

func TestLangfuseKeys(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{PublicKey: "pk-lf-1", SecretKey: "sk-lf-1"})
	status := func(authorize func(r *http.Request)) (int, string) {
		r := httptest.NewRequest(http.MethodGet, "/api/public/projects", http.NoBody)
		authorize(r)
		w := httptest.NewRecorder()
		l.Handler().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	code, body := status(func(*http.Request) {})
	assert.Equal(t, 401, code)
	assert.JSONEq(t, `{"message":"No authorization header"}`, body)
	for _, pair := range [][2]string{{"pk-lf-1", "wrong"}, {"wrong", "sk-lf-1"}, {"", ""}} {
		code, body = status(func(r *http.Request) { r.SetBasicAuth(pair[0], pair[1]) })
		assert.Equal(t, 401, code)
		assert.JSONEq(t, `{"message":"Invalid credentials. Confirm that you've configured the correct host."}`, body)
	}
	code, _ = status(func(r *http.Request) { r.Header.Set("Authorization", "Bearer sk-lf-1") })
	assert.Equal(t, 401, code)
	good := func(r *http.Request) { r.SetBasicAuth("pk-lf-1", "sk-lf-1") }
	code, _ = status(good)
	assert.Equal(t, 200, code)
	l.RevokeKey()
	code, _ = status(func(r *http.Request) { r.SetBasicAuth("", "") })
	assert.Equal(t, 401, code)
	code, _ = status(good)
	assert.Equal(t, 401, code)
}

func TestLangfuseDateAndPrefix(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{PathPrefix: "/langfuse/", Skew: -90 * time.Second})
	resp, body := get(t, l.Handler(), "/langfuse/api/public/health", "")
	assert.Equal(t, 200, resp.StatusCode)
	assert.JSONEq(t, `{"status":"OK","version":"4.16.0"}`, body)
	assert.Equal(t, "Tue, 10 Mar 2026 11:58:30 GMT", resp.Header.Get("Date"))
	for _, path := range []string{"/api/public/health", "/langfuse/health", "/langfuse/api/public/health/", "/langfuse/api/public"} {
		resp, _ = get(t, l.Handler(), path, "")
		assert.Equal(t, 404, resp.StatusCode, path)
	}
}

func TestLangfuseHealth(t *testing.T) {
	l, c := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	health := func(query string) (int, string) {
		w := lfGet(l, "/health", url.Values{query: {"true"}})
		return w.Code, w.Body.String()
	}
	expect := func(query string, status int, text string) {
		t.Helper()
		code, body := health(query)
		assert.Equal(t, status, code)
		assert.JSONEq(t, `{"status":"`+text+`","version":"4.16.0"}`, body)
	}
	expect("failIfDatabaseUnavailable", 200, "OK")
	expect("failIfNoRecentEvents", 503, "No traces within the last 3 minutes")
	l.AddTrace(LangfuseTrace{Time: lfAt(11, 57, 0)})
	expect("failIfNoRecentEvents", 503, "No observations within the last 3 minutes")
	l.Add(LangfuseObservation{Start: lfAt(12, 0, 0)})
	expect("failIfNoRecentEvents", 200, "OK")
	l.SetMode(LangfuseEventsOnly)
	expect("failIfNoRecentEvents", 200, "OK")
	c.t = lfAt(12, 3, 1)
	expect("failIfNoRecentEvents", 503, "No events within the last 3 minutes")
	l.SetDatabase(false)
	expect("failIfNoRecentEvents", 503, "Couldn't fetch recent events")
	expect("failIfDatabaseUnavailable", 503, "Database not available")
	expect("other", 200, "OK")

	assert.Equal(t, 200, lfGet(l, "/ready", nil).Code)
	l.SetReady(false)
	w := lfGet(l, "/ready", nil)
	assert.Equal(t, 500, w.Code)
	assert.Contains(t, w.Body.String(), "SIGTERM / SIGINT received, shutting down")
	expect("other", 200, "OK")
}

func TestLangfuseProjectAndModels(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{
		ProjectID: "p-9", ProjectName: "bot", Organization: "acme", RetentionDays: 30,
		Models: []LangfuseModel{{ID: "m1", Name: "m-a", MatchPattern: "(?i)^m-a$", InputPrice: lfUSD(1e-6), OutputPrice: lfUSD(2e-6)}, {ID: "m2", Name: "m-b", TotalPrice: lfUSD(3e-6), Managed: true}},
	})
	assert.Equal(t, map[string]any{"data": []any{map[string]any{
		"id": "p-9", "name": "bot", "metadata": map[string]any{}, "retentionDays": 30.0, "organization": map[string]any{"id": "org-p-9", "name": "acme"},
	}}}, lfObject(t, l, "/projects", nil))
	body := lfObject(t, l, "/models", url.Values{"limit": {"1"}, "page": {"2"}})
	assert.Equal(t, map[string]any{"page": 2.0, "limit": 1.0, "totalItems": 2.0, "totalPages": 2.0}, body["meta"])
	model := body["data"].([]any)[0].(map[string]any)
	assert.Equal(t, "m-b", model["modelName"])
	assert.Nil(t, model["inputPrice"])
	assert.InDelta(t, 3e-6, model["totalPrice"], 0)
	assert.Equal(t, map[string]any{"total": map[string]any{"price": 3e-6}}, model["prices"])
	assert.Equal(t, true, model["isLangfuseManaged"])
	assert.Equal(t, 400, lfGet(l, "/models", url.Values{"limit": {"101"}}).Code)

	l, _ = newTestLangfuse(LangfuseConfig{})
	assert.NotContains(t, lfObject(t, l, "/projects", nil)["data"].([]any)[0], "retentionDays")
}
