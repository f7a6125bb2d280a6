package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSetLoRAKeepsOldStates(t *testing.T) {
	c := newClock()
	v := NewVLLM(VLLMConfig{Now: c.now, Models: []VLLMModel{{ID: "m", Adapters: []LoRAAdapter{{Name: "a"}, {Name: "b"}}}}})
	v.SetLoRA("a", "")
	v.SetLoRA("a,b", "c")
	c.t = c.t.Add(time.Minute)
	v.SetLoRA("a", "")
	p := parse(t, v.Page())
	older := p.value(t, `vllm:lora_requests_info{max_lora="2",running_lora_adapters="a,b",waiting_lora_adapters="c"}`)
	newer := p.value(t, `vllm:lora_requests_info{max_lora="2",running_lora_adapters="a",waiting_lora_adapters=""}`)
	assert.InDelta(t, 60, newer-older, 0)
}

func TestCacheConfig(t *testing.T) {
	page := string(NewVLLM(VLLMConfig{
		Engines: 2, Blocks: 20184, CacheDType: "fp8", DisablePrefixCaching: true, Models: []VLLMModel{{ID: "m", MaxModelLen: 4096}},
	}).Page())
	for _, part := range []string{
		`kv_cache_max_concurrency="78.84375"`, `kv_cache_size_tokens="322944"`, `num_gpu_blocks="20184"`, `cache_dtype="fp8"`,
		`enable_prefix_caching="False"`, `gpu_memory_utilization="0.9"`,
	} {
		assert.Equal(t, 2, strings.Count(page, part), part)
	}
	old := string(NewVLLM(VLLMConfig{Version: VLLM0_5_4}).Page())
	assert.Contains(t, old, "vllm:cache_config_info{block_size=\"16\"")
	assert.NotContains(t, old, "kv_cache_size_tokens")
}
