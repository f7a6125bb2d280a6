package litellmreceiver

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// virtualKey is one without an administrator's rights.
const virtualKey = "sk-virtual"

func withVirtualKey(cfg *Config) { cfg.APIKey = virtualKey }

// TestKeyRequired: from 1.85 on the page needs a key. A refusal is not asked for
// again and again: the proxy counts each as a failed request of a client.
func TestKeyRequired(t *testing.T) {
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: simulator.LiteLLM1_85_0})
	p := newProbe(t, c, url)
	for range 3 {
		got := p.read(t)
		assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
		assert.Equal(t, []string{"/metrics 401"}, got.problems())
		assert.InDelta(t, 1, got.value(t, "litellm.proxy.ready"), 0, "what needs no key is read")
		assert.InDelta(t, 1, got.value(t, "litellm.info{service.version=1.85.0}"), 0)
	}
	assert.Equal(t, 1, l.Requests()["/metrics/"])
	assert.Zero(t, l.Requests()["/model/info"])
	entries := p.logs.TakeAll()
	require.Len(t, entries, 1)
	assert.Contains(t, entries[0].ContextMap()["hint"], "Set api_key")
}

func TestNoKeyNeeded(t *testing.T) {
	c := newClock()
	_, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: simulator.LiteLLM1_82_0})
	p := newProbe(t, c, url)
	got := p.read(t)
	assert.Empty(t, got.problems())
	assert.NotEmpty(t, got.of("litellm.tokens.input"))
	assert.Empty(t, got.of("litellm.deployment.info"))
	assert.Empty(t, p.messages())
}

// TestKeyRevoked: one line, what needs no key goes on, and all is well when the key
// works again.
func TestKeyRevoked(t *testing.T) {
	for _, version := range []simulator.LiteLLMVersion{simulator.LiteLLM1_82_0, simulator.LiteLLM1_95_0} {
		t.Run(string(version), func(t *testing.T) {
			c := newClock()
			l, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: version, Keys: []simulator.LiteLLMKey{{Key: virtualKey}}})
			p := newProbe(t, c, url, withVirtualKey, impatient)
			before := p.read(t)
			require.Empty(t, before.problems())
			require.NotEmpty(t, before.of("litellm.daily.spend"))

			l.RevokeKey(virtualKey)
			for range 3 {
				got := p.read(t)
				assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
				assert.Contains(t, got.problems(), "/v1/models 401")
				assert.Equal(t, version == simulator.LiteLLM1_95_0, slices.Contains(got.problems(), "/metrics 401"))
				assert.Equal(t, version == simulator.LiteLLM1_82_0, len(got.of("litellm.tokens.input")) > 0)
				assert.Len(t, got.of("litellm.deployment.info"), 5, "known from before")
				assert.Empty(t, got.of("litellm.daily.spend"))
				assert.Empty(t, got.of("litellm.deployment.healthy"))
				assert.Empty(t, got.of("litellm.models"))
			}
			assert.Equal(t, []string{"The LiteLLM proxy refuses the key; what needs none is read on."}, p.messages())

			l.RestoreKey(virtualKey)
			got := p.read(t)
			assert.Empty(t, got.problems())
			assert.NotEmpty(t, got.of("litellm.daily.spend"))
			assert.NotEmpty(t, got.of("litellm.tokens.input"))
			assert.Equal(t, []string{"The LiteLLM proxy takes the key again."}, p.messages())
		})
	}
}

// TestRefusedKeyIsLeftAlone: after a refusal no endpoint is asked with the key for a
// while.
func TestRefusedKeyIsLeftAlone(t *testing.T) {
	c := newClock()
	l, url := newSimulated(t, c, simulator.LiteLLMConfig{})
	p := newProbe(t, c, url, withVirtualKey) // which it does not know
	for range 4 {
		assert.Contains(t, p.read(t).problems(), "/v1/models 401")
	}
	for path, n := range l.Requests() {
		if !strings.HasPrefix(path, "/health/l") && path != "/health/readiness" {
			assert.LessOrEqual(t, n, 1, path)
		}
	}
}

// lacking lets a key read the page and the list of models, and refuses the rest.
func lacking(l *simulator.LiteLLM, status int, restored *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := r.URL.Path; !restored.Load() && (path == "/model/info" || path == "/health/latest" || strings.HasPrefix(path, "/user/")) {
			http.Error(w, `{"error":{"message":"Only proxy admin can do this","type":"auth_error"}}`, status)
			return
		}
		l.Handler().ServeHTTP(w, r)
	})
}

// TestKeyLacksRights: a key should have few. What it may not read is absent, and no
// failure; the log says once what it is.
func TestKeyLacksRights(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		c := newClock()
		l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, Deployments: models(), Keys: []simulator.LiteLLMKey{{Key: virtualKey}}})
		traffic(l)
		var restored atomic.Bool
		p := newProbe(t, c, serve(t, lacking(l, status, &restored)), withVirtualKey, impatient)
		for range 2 {
			got := p.read(t)
			assert.Empty(t, got.problems())
			assert.NotEmpty(t, got.of("litellm.tokens.input"))
			assert.InDelta(t, 4, got.value(t, "litellm.models"), 0)
			assert.Empty(t, got.of("litellm.daily.spend"))
			var names []any
			for _, r := range got.of("litellm.deployment.info") {
				assert.Len(t, r.attributes, 1, "names are all that is known")
				names = append(names, r.attributes["gen_ai.request.model"])
			}
			assert.Equal(t, []any{"bare", "chat", "claude", "embed"}, names)
		}
		entries := p.logs.TakeAll()
		require.Len(t, entries, 1)
		assert.Equal(t, []any{"/health/latest", "/model/info", "/user/daily/activity"}, entries[0].ContextMap()["endpoints"])

		restored.Store(true)
		got := p.read(t)
		assert.Len(t, got.of("litellm.deployment.info"), 5)
		assert.NotEmpty(t, got.of("litellm.daily.spend"))
		assert.Empty(t, p.messages())
	}
}

// TestKeyExpired: LiteLLM says so with 400, which else means "not here".
func TestKeyExpired(t *testing.T) {
	for version, reason := range map[simulator.LiteLLMVersion]string{simulator.LiteLLM1_82_0: "key_expired", simulator.LiteLLM1_95_0: "401"} {
		c := newClock()
		l, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: version, MetricsAuth: new(bool), Keys: []simulator.LiteLLMKey{{Key: virtualKey}}})
		p := newProbe(t, c, url, withVirtualKey, impatient)
		require.Empty(t, p.read(t).problems())
		l.ExpireKey(virtualKey)
		for range 2 {
			got := p.read(t)
			assert.Contains(t, got.problems(), "/v1/models "+reason)
			assert.NotEmpty(t, got.of("litellm.tokens.input"))
			assert.Empty(t, got.of("litellm.models"))
			assert.Len(t, got.of("litellm.deployment.info"), 5)
		}
		entries := p.logs.TakeAll()
		require.Len(t, entries, 1)
		assert.Equal(t, hints[reason], entries[0].ContextMap()["hint"])
		l.RestoreKey(virtualKey)
		assert.Empty(t, p.read(t).problems())
		assert.Equal(t, []string{"The LiteLLM proxy takes the key again."}, p.messages())
	}
}

// TestModelsOfKey: a key sees what it may use.
func TestModelsOfKey(t *testing.T) {
	c := newClock()
	_, url := newSimulated(t, c, simulator.LiteLLMConfig{Keys: []simulator.LiteLLMKey{{Key: virtualKey, Models: []string{"claude"}}}})
	got := newProbe(t, c, url, withVirtualKey).read(t)
	assert.InDelta(t, 1, got.value(t, "litellm.models"), 0)
	assert.Len(t, got.of("litellm.deployment.info"), 1)
}

// TestKeyInHeaders: credentials may come in other ways than api_key.
func TestKeyInHeaders(t *testing.T) {
	c := newClock()
	_, url := newSimulated(t, c, simulator.LiteLLMConfig{})
	got := newProbe(t, c, url, func(cfg *Config) {
		cfg.Headers = map[string]configopaque.String{"authorization": "Bearer " + masterKey}
	}).read(t)
	assert.Empty(t, got.problems())
	assert.Len(t, got.of("litellm.deployment.info"), 5)
}
