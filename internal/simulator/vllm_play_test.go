package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPlayIsDeterministic(t *testing.T) {
	page := func(version VLLMVersion, seed uint64) string {
		c := newClock()
		v := NewVLLM(VLLMConfig{
			Version: version, Engines: 2, SpeculativeTokens: 2, Now: c.now,
			Models: []VLLMModel{{ID: "m", Adapters: []LoRAAdapter{{Name: "a"}, {Name: "b"}}}},
		})
		v.Play(seed, 10*time.Minute, 20)
		c.t = c.t.Add(time.Minute)
		v.Play(seed+1, 10*time.Minute, 20)
		return string(v.Page())
	}
	for _, version := range VLLMVersions() {
		first, second := page(version, 1), page(version, 1)
		assert.Equal(t, first, second, version)
		assert.NotEqual(t, page(version, 1), page(version, 2), version)
	}
}

// TestPlayTouchesEverything: no series of any dialect stays at zero, apart from those that mean "does not happen".
func TestPlayTouchesEverything(t *testing.T) {
	rest := []string{
		"python_", "process_", "_bucket{", "http_request_size", "http_response_size", "cpu_prefix_cache_hit_rate",
		`finished_reason="abort"`, `sleep_state="weights_offloaded"`, `sleep_state="discard_all"`,
	}
	for _, version := range VLLMVersions() {
		t.Run(string(version), func(t *testing.T) {
			v := NewVLLM(VLLMConfig{Version: version, SpeculativeTokens: 2, MFU: true, KVCacheMetrics: true, MaxLoRAs: 1})
			assert.InDelta(t, 240, v.Play(3, time.Hour, 4), 60)
			p := parse(t, v.Page())
		sample:
			for sample, value := range p.values {
				for _, part := range rest {
					if strings.Contains(sample, part) {
						continue sample
					}
				}
				assert.NotEqual(t, "0.0", value, sample)
			}
		})
	}
}

func TestPlayNothing(t *testing.T) {
	v := NewVLLM(VLLMConfig{Now: newClock().now})
	before := v.Page()
	assert.Zero(t, v.Play(1, 0, 60))
	assert.Equal(t, string(before), string(v.Page()))
}
