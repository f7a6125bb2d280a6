package syntheticreceiver

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver"
)

// TestParityLiteLLM: what is read of the simulated proxy looks like what is read of
// real ones of about its version: a page, and the models that the API lists.
func TestParityLiteLLM(t *testing.T) {
	url := servePages(t, map[string][]byte{
		"/metrics/":          capture(t, "litellm", "litellm-main-2026-05-metrics.prom"),
		"/model/info":        capture(t, "litellm", "litellm-1.82-model_info.json"),
		"/health/readiness":  capture(t, "litellm", "docs-health-readiness.json"),
		"/v1/models":         capture(t, "litellm", "docs-v1-models.json"),
		"/health/liveliness": []byte(`"I'm alive!"`),
	})
	captured := readTwice(t, litellmreceiver.NewFactory(), map[string]any{"endpoint": url, "api_key": "sk-any"})
	synthetic, err := afternoon()
	require.NoError(t, err)
	// The page and the API are of different proxies, so that no deployment of the page has
	// a provider there.
	byAPI := []string{"gen_ai.provider.name", "litellm.provider"}
	assertParity(t,
		without(shapesOf(captured, func(pcommon.Map) bool { return true }), byAPI...),
		without(shapesOf(synthetic, func(a pcommon.Map) bool {
			name, ok := a.Get("service.name")
			return ok && name.Str() == "litellm"
		}), byAPI...),
		differing{
			"litellm.deployment.info{":                    "each deployment has what it has",
			"litellm.deployment.state{":                   "nor a public name",
			"litellm.deployment.latency_per_output_token": "nor a public name",
		}, differing{
			"litellm.deployment.state{":                   "nor a public name",
			"litellm.deployment.latency_per_output_token": "nor a public name",
			"gen_ai.client.operation.time_to_first_chunk": "nobody streamed there",
			"litellm.budget.":                             "nobody has a budget there",
			"litellm.cache.misses":                        "it has no cache",
			"litellm.proxy.cache.connected":               "it has no cache",
			"litellm.daily.":                              "it has no data base",
			"litellm.deployment.healthy":                  "it has no data base, in which checks would be stored",
			"litellm.deployment.request_limit":            "no deployment has one there",
			"litellm.deployment.info{":                    "each deployment has what it has",
		})
}
