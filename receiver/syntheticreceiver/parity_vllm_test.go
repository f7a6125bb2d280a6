package syntheticreceiver

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver"
)

// vllmPages are captures, with the simulated server of the nearest version.
var vllmPages = []struct {
	page, container string
	onlySynthetic   differing
}{
	{page: "vllm-0.5.4-v0-engine.prom", container: "vllm-phi-3-mini"},
	{page: "vllm-0.23.1rc1-mtp-specdecode-after.prom", container: "vllm-qwen3-coder"},
	{page: "vllm-0.23.1rc1-nospec-after.prom", container: "vllm-qwen3-coder", onlySynthetic: differing{"vllm.spec_decode.": "this server was started without"}},
	{page: "vllm-2026-09-inferstack.prom", container: "vllm-qwen3-235b"},
}

// TestParityVLLM: what is read of a simulated server looks like what is read of a real
// one of its version.
func TestParityVLLM(t *testing.T) {
	for _, tt := range vllmPages {
		onlyReal := differing{"vllm.model.info{": "without a container less is known"}
		onlySynthetic := differing{
			"vllm.model.info{":          "a container and the API tell more than a page",
			"vllm.model.context_length": "the API tells it, of which there is no capture",
			"vllm.server.info":          "the API tells the version, of which there is no capture",
		}
		maps.Copy(onlySynthetic, tt.onlySynthetic)
		t.Run(tt.page, func(t *testing.T) {
			url := servePages(t, map[string][]byte{"/metrics": capture(t, "vllm", tt.page)})
			captured := readTwice(t, vllmreceiver.NewFactory(), map[string]any{"endpoints": []any{url}})
			synthetic, err := afternoon()
			require.NoError(t, err)
			assertParity(t,
				shapesOf(captured, func(pcommon.Map) bool { return true }),
				shapesOf(synthetic, func(a pcommon.Map) bool {
					instance, ok := a.Get("service.instance.id")
					return ok && instance.Str() == tt.container
				}),
				onlyReal, onlySynthetic)
		})
	}
}
