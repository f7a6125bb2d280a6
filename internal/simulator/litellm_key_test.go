package simulator

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

// keyedPaths are those that want a key in every version.
var keyedPaths = []string{
	"/health", "/health/latest", "/health/history", "/v1/models", "/models", "/model/info", "/v1/model/info", "/model_group/info",
	"/user/daily/activity", "/global/spend/report",
}

// TestLiteLLMRefusals: who has no good key is told why, in an error object.
func TestLiteLLMRefusals(t *testing.T) {
	c := newClock()
	keys := []LiteLLMKey{{Key: "sk-few-1234"}, {Key: "sk-gone-5678"}, {Key: "sk-old-9012"}}
	for _, tt := range []struct {
		name, header string
		cfg          LiteLLMConfig
		status       int
		kind, says   string
	}{
		{"none", "", LiteLLMConfig{}, 401, "auth_error", "No api key passed in"},
		{"malformed", "Basic abc", LiteLLMConfig{}, 401, "auth_error", "Malformed API Key"},
		{"empty", "Bearer ", LiteLLMConfig{}, 401, "auth_error", "Malformed API Key"},
		{"unknown", "Bearer sk-wrong-4321", LiteLLMConfig{}, 401, "token_not_found_in_db", "Received API Key = sk-...4321, Key Hash (Token) =" + LiteLLMHash("sk-wrong-4321")},
		{"of another kind", "Bearer password", LiteLLMConfig{}, 401, "auth_error", "expected to start with 'sk-'"},
		{"revoked", "Bearer sk-gone-5678", LiteLLMConfig{}, 401, "token_not_found_in_db", "Unable to find token"},
		{"expired", "Bearer sk-old-9012", LiteLLMConfig{}, 401, "expired_key", "Expired Key. Key Expiry time 2026-03-01 12:00:00.250000+00:00"},
		{"expired, earlier", "Bearer sk-old-9012", LiteLLMConfig{Version: LiteLLM1_85_0}, 400, "expired_key", "Expired Key"},
		{"no data base", "Bearer sk-few-1234", LiteLLMConfig{NoDatabase: true}, 400, "no_db_connection", "No connected db."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Keys, tt.cfg.Now = keys, c.now
			l := NewLiteLLM(tt.cfg)
			l.RevokeKey("sk-gone-5678")
			l.ExpireKey("sk-old-9012")
			for _, path := range keyedPaths {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
				if tt.header != "" {
					r.Header.Set("Authorization", tt.header)
				}
				w := httptest.NewRecorder()
				l.Handler().ServeHTTP(w, r)
				assert.Equal(t, tt.status, w.Code, path)
				why := within(t, object(t, w.Body.String()), "error").(map[string]any)
				assert.Equal(t, tt.kind, why["type"])
				assert.Equal(t, itoa(tt.status), why["code"])
				assert.Contains(t, why["message"], tt.says)
				assert.NotContains(t, why["message"], "sk-wrong")
				assert.Contains(t, why, "param")
			}
			assert.Zero(t, l.CostlyChecks(), "who is refused costs nothing")
		})
	}
}

// TestLiteLLMKeyInTheMiddle: a key can be lost while it is used, and be found again.
func TestLiteLLMKeyInTheMiddle(t *testing.T) {
	l := NewLiteLLM(LiteLLMConfig{Keys: []LiteLLMKey{{Key: "sk-few"}}})
	for _, key := range []string{"sk-few", "sk-master"} {
		status := func() int {
			status, _ := proxyGet(t, l, "/v1/models", key)
			return status
		}
		assert.Equal(t, 200, status())
		l.RevokeKey(key)
		assert.Equal(t, 401, status())
		l.RestoreKey(key)
		assert.Equal(t, 200, status())
		l.ExpireKey(key)
		assert.Equal(t, 401, status())
		page, _ := proxyGet(t, l, "/metrics/", key)
		assert.Equal(t, 401, page)
		l.RestoreKey(key)
		assert.Equal(t, 200, status())
	}
}
