package vllmreceiver

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// readPage scrapes a server that has this page and nothing else.
func readPage(t testing.TB, page string) readings {
	t.Helper()
	return newProbe(t, newClock(), serve(t, replay([]byte(page)))).read(t)
}

func TestCacheConfig(t *testing.T) {
	t.Run("newest", func(t *testing.T) {
		c := newClock()
		_, url := newSimulated(t, c, simulator.VLLMConfig{Engines: 2, Blocks: 100, BlockSize: 16, CacheDType: "fp8", MemoryUtilization: 0.85})
		got := newProbe(t, c, url).read(t)
		require.Len(t, got.of("vllm.kv_cache.info"), 2)
		assert.Equal(t, map[string]any{
			"vllm.engine": "0", "vllm.kv_cache.block_size": "16", "vllm.kv_cache.dtype": "fp8",
			"vllm.kv_cache.memory_utilization": "0.85", "vllm.kv_cache.prefix_caching": "True",
		}, got.of("vllm.kv_cache.info")[0].attributes)
		assert.InDelta(t, 100, got.value(t, "vllm.kv_cache.blocks{vllm.cache.device=gpu,vllm.engine=1}"), 0)
		assert.InDelta(t, 1600, got.value(t, "vllm.kv_cache.capacity{vllm.engine=1}"), 0)
		assert.Positive(t, got.value(t, "vllm.kv_cache.max_concurrency{vllm.engine=0}"))
	})
	t.Run("oldest", func(t *testing.T) {
		c := newClock()
		_, url := newSimulated(t, c, simulator.VLLMConfig{Version: simulator.VLLM0_5_4, Blocks: 100})
		got := newProbe(t, c, url).read(t)
		assert.InDelta(t, 1600, got.value(t, "vllm.kv_cache.capacity"), 0)
		assert.InDelta(t, 2048, got.value(t, "vllm.kv_cache.blocks{vllm.cache.device=cpu}"), 0)
		assert.Empty(t, got.of("vllm.kv_cache.max_concurrency"))
	})
	t.Run("nothing told", func(t *testing.T) {
		got := readPage(t, `vllm:cache_config_info{block_size="None",num_gpu_blocks="None",kv_cache_max_concurrency="NaN"} 1`+"\n")
		assert.Len(t, got.of("vllm.kv_cache.info"), 1)
		assert.Empty(t, got.of("vllm.kv_cache.info")[0].attributes)
		for _, metric := range []string{"vllm.kv_cache.blocks", "vllm.kv_cache.capacity", "vllm.kv_cache.max_concurrency"} {
			assert.Empty(t, got.of(metric), metric)
		}
	})
}

func TestLoRA(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{MaxLoRAs: 4, Now: c.now})
	p := newProbe(t, c, serve(t, v.Handler()))
	assert.Empty(t, p.read(t).of("vllm.lora.adapters"), "nothing known before the first request")

	v.SetLoRA("sql, chat", "legal")
	got := p.read(t)
	assert.InDelta(t, 2, got.value(t, "vllm.lora.adapters{vllm.lora.state=running}"), 0)
	assert.InDelta(t, 1, got.value(t, "vllm.lora.adapters{vllm.lora.state=waiting}"), 0)
	assert.InDelta(t, 4, got.value(t, "vllm.lora.limit"), 0)

	c.advance(time.Minute)
	v.SetLoRA("", "") // the old label set stays on the page
	got = p.read(t)
	assert.Zero(t, got.value(t, "vllm.lora.adapters{vllm.lora.state=running}"))
	assert.Zero(t, got.value(t, "vllm.lora.adapters{vllm.lora.state=waiting}"))

	odd := readPage(t, "vllm:lora_requests_info{max_lora=\"x\",running_lora_adapters=\"a\"} NaN\n")
	assert.Empty(t, odd.of("vllm.lora.adapters"))
	assert.Empty(t, odd.of("vllm.lora.limit"))
}

func TestNotVLLM(t *testing.T) {
	got := newProbe(t, newClock(), serve(t, http.NotFoundHandler())).read(t)
	assert.Equal(t, "404", got.problem(t))
	assert.Equal(t, "unknown", got.state(t))
	got = readPage(t, "node_load1 0.5\n")
	assert.Equal(t, "no_engine_metrics", got.problem(t))
	assert.Equal(t, "unknown", got.state(t))
	assert.InDelta(t, 1, got.value(t, "vllm.up"), 0)
}

// TestLogStatsDisabled: the HTTP metrics go on without the engine's.
func TestLogStatsDisabled(t *testing.T) {
	c := newClock()
	v, url := newSimulated(t, c, simulator.VLLMConfig{DisableLogStats: true})
	p := newProbe(t, c, url)
	got := p.read(t)
	assert.Equal(t, "no_engine_metrics", got.problem(t))
	assert.Equal(t, "ready", got.state(t))
	require.NotEmpty(t, got.of("vllm.http.requests"))
	v.Play(2, time.Hour, 2)
	again := p.read(t)
	for key, r := range got {
		if r.monotonic {
			assert.Equal(t, r.start, again[key].start, key)
			assert.WithinDuration(t, c.now(), r.start.AsTime(), 2*time.Hour, key)
		}
	}
}
