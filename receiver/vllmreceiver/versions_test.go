package vllmreceiver

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
		cfg  simulator.VLLMConfig
	}{
		{"plain", simulator.VLLMConfig{}},
		{"spec_decode", simulator.VLLMConfig{SpeculativeTokens: 3}},
		{"lora", simulator.VLLMConfig{Models: []simulator.VLLMModel{{ID: "base", Adapters: []simulator.LoRAAdapter{{Name: "sql", Path: "/lora/sql"}}}}}},
		{"engines", simulator.VLLMConfig{Engines: 3}},
		{"mfu", simulator.VLLMConfig{MFU: true, KVCacheMetrics: true, FaultTolerance: true}},
		{"hidden", simulator.VLLMConfig{ShowHidden: true, CountAborts: true}},
		{"no_prefix_caching", simulator.VLLMConfig{DisablePrefixCaching: true}},
		{"no_engine_label", simulator.VLLMConfig{NoEngineLabel: true}},
		{"multi_process", simulator.VLLMConfig{MultiProcess: true, Engines: 2}},
		{"ray_colon", simulator.VLLMConfig{Ray: simulator.RayColon}},
		{"ray_underscore", simulator.VLLMConfig{Ray: simulator.RayUnderscore, Engines: 2, SpeculativeTokens: 2}},
		{"others", simulator.VLLMConfig{Extra: "# TYPE lmcache:hits counter\nlmcache:hits_total{model_name=\"x\"} 1\nnixl_bytes 2\n"}},
	}
	for _, version := range simulator.VLLMVersions() {
		for _, setup := range setups {
			t.Run(string(version)+"/"+setup.name, func(t *testing.T) {
				c := newClock()
				cfg := setup.cfg
				cfg.Version = version
				v, url := newSimulated(t, c, cfg)
				got := newProbe(t, c, url, everything).read(t)
				assert.InDelta(t, 1, got.value(t, "vllm.up"), 0)
				assert.Equal(t, "ready", got.state(t))
				assertNothingLost(t, v.Page(), got)
			})
		}
	}
}

// everywhere are the names that a user can rely on, whatever the version.
var everywhere = []string{
	"gen_ai.server.request.duration",
	"gen_ai.server.time_per_output_token",
	"gen_ai.server.time_to_first_token",
	"vllm.inter_token_latency",
	"vllm.kv_cache.blocks",
	"vllm.kv_cache.capacity",
	"vllm.kv_cache.info",
	"vllm.kv_cache.utilization",
	"vllm.model.context_length",
	"vllm.model.info",
	"vllm.preemptions",
	"vllm.request.input_tokens",
	"vllm.request.output_tokens",
	"vllm.requests.finished",
	"vllm.requests.running",
	"vllm.requests.waiting",
	"vllm.scrape.body.size",
	"vllm.scrape.duration",
	"vllm.scrape.invalid_series",
	"vllm.scrape.series",
	"vllm.scrape.unknown_series",
	"vllm.server.info",
	"vllm.server.state",
	"vllm.tokens.input",
	"vllm.tokens.output",
	"vllm.up",
}

func TestSameNamesInAllVersions(t *testing.T) {
	attributes := map[string]map[string]any{}
	for _, version := range simulator.VLLMVersions() {
		c := newClock()
		_, url := newSimulated(t, c, simulator.VLLMConfig{Version: version})
		got := newProbe(t, c, url).read(t)
		for _, name := range everywhere {
			points := got.of(name)
			require.NotEmpty(t, points, "%s in %s", name, version)
			keys := map[string]any{}
			for k := range points[0].attributes {
				keys[k] = true
			}
			if attributes[name] == nil {
				attributes[name] = keys
			}
			assert.Equal(t, attributes[name], keys, "attributes of %s in %s", name, version)
		}
	}
}
