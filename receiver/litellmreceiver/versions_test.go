package litellmreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// TestVersions holds every dialect, in every way it can be set up, to the law.
func TestVersions(t *testing.T) {
	setups := []struct {
		name string
		cfg  simulator.LiteLLMConfig
	}{
		{"plain", simulator.LiteLLMConfig{}},
		{"services", simulator.LiteLLMConfig{Redis: true, PrometheusSystem: true}},
		{"workers_together", simulator.LiteLLMConfig{Workers: 3, MultiProcess: true}},
		{"no_database", simulator.LiteLLMConfig{NoDatabase: true}},
		{"more_labels", simulator.LiteLLMConfig{CustomLabels: []string{"metadata_department", "tag_batch"}, StreamLabel: true}},
		{"fewer_labels", simulator.LiteLLMConfig{DropLabels: []string{"model_id", "api_base", "hashed_api_key", "requested_model", "model"}}},
		{"fewer_metrics", simulator.LiteLLMConfig{DropMetrics: []string{"litellm_spend_metric", "litellm_deployment_state"}}},
		{"own_bounds", simulator.LiteLLMConfig{LatencyBounds: []float64{0.1, 1, 10}}},
		{"others", simulator.LiteLLMConfig{Extra: "# TYPE my_counter counter\nmy_counter_total{a=\"x\"} 1\nother 2\n"}},
	}
	for _, version := range simulator.LiteLLMVersions() {
		for _, setup := range setups {
			t.Run(string(version)+"/"+setup.name, func(t *testing.T) {
				c := newClock()
				cfg := setup.cfg
				cfg.Version = version
				l, url := newSimulated(t, c, cfg)
				p := newProbe(t, c, url, everything, pageOnly)
				got := p.read(t)
				assert.InDelta(t, 1, got.value(t, "litellm.up"), 0)
				assert.Empty(t, got.problems())
				assert.Empty(t, p.messages())
				assertNothingLost(t, l.Page(), got)
			})
		}
	}
}

// everywhere are the names that a user can rely on, whatever the version, and their
// attributes where they are more than those of the model.
var everywhere = []string{
	"gen_ai.client.operation.duration",
	"gen_ai.client.operation.time_to_first_chunk",
	"gen_ai.server.request.duration",
	"litellm.budget.remaining",
	"litellm.budget.reset",
	"litellm.daily.requests",
	"litellm.daily.spend",
	"litellm.daily.tokens",
	"litellm.deployment.context_length",
	"litellm.deployment.cooldowns",
	"litellm.deployment.failures",
	"litellm.deployment.healthy",
	"litellm.deployment.info",
	"litellm.deployment.latency_per_output_token",
	"litellm.deployment.price",
	"litellm.deployment.requests",
	"litellm.deployment.state",
	"litellm.deployment.successes",
	"litellm.fallbacks",
	"litellm.info",
	"litellm.models",
	"litellm.overhead.duration",
	"litellm.proxy.database.connected",
	"litellm.proxy.ready",
	"litellm.rate_limit.remaining_requests",
	"litellm.rate_limit.remaining_tokens",
	"litellm.requests.failed",
	"litellm.requests.finished",
	"litellm.scrape.body.size",
	"litellm.scrape.duration",
	"litellm.scrape.invalid_series",
	"litellm.scrape.refused_models",
	"litellm.scrape.samples",
	"litellm.scrape.series",
	"litellm.scrape.unknown_series",
	"litellm.spend",
	"litellm.tokens.input",
	"litellm.tokens.output",
	"litellm.up",
}

func TestSameNamesInAllVersions(t *testing.T) {
	values := map[string]float64{}
	for _, version := range simulator.LiteLLMVersions() {
		c := newClock()
		_, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: version})
		got := newProbe(t, c, url, withKey).read(t)
		assert.Empty(t, got.problems(), version)
		for _, name := range everywhere {
			require.NotEmpty(t, got.of(name), "%s in %s", name, version)
		}
		// The same traffic is the same numbers, whatever the version calls them.
		for _, name := range []string{"litellm.tokens.input", "litellm.tokens.output", "litellm.requests.finished", "litellm.requests.failed", "litellm.spend", "litellm.daily.spend", "litellm.daily.tokens", "litellm.deployment.failures", "litellm.budget.reset"} {
			if name == "litellm.budget.reset" || name == "litellm.daily.tokens" {
				continue // newer ones know more entities and kinds of tokens
			}
			if _, seen := values[name]; !seen {
				values[name] = got.sum(name)
			}
			assert.InDelta(t, values[name], got.sum(name), 1e-9, "%s in %s", name, version)
		}
	}
	for name, v := range values {
		assert.Positive(t, v, name)
	}
}
