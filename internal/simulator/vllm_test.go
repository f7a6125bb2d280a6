package simulator

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSetLoadIsPerEngine(t *testing.T) {
	v := NewVLLM(VLLMConfig{Engines: 2})
	v.SetLoad(1, VLLMLoad{Running: 3, WaitingCapacity: 2, WaitingDeferred: 1, KVUsage: 0.25})
	p := parse(t, v.Page())
	assert.InDelta(t, 0, p.value(t, `vllm:num_requests_running{engine="0",model_name="sim-8b"}`), 0)
	assert.InDelta(t, 3, p.value(t, `vllm:num_requests_running{engine="1",model_name="sim-8b"}`), 0)
	assert.InDelta(t, 3, p.value(t, `vllm:num_requests_waiting{engine="1",model_name="sim-8b"}`), 0)
	assert.InDelta(t, 0.25, p.value(t, `vllm:kv_cache_usage_perc{engine="1",model_name="sim-8b"}`), 0)
	v.Finish(VLLMRequest{Engine: 5, PromptTokens: 7, OutputTokens: 1}) // wraps to rank 1
	v.Finish(VLLMRequest{Engine: -2, PromptTokens: 9, OutputTokens: 1})
	p = parse(t, v.Page())
	assert.InDelta(t, 7, p.value(t, `vllm:prompt_tokens_total{engine="1",model_name="sim-8b"}`), 0)
	assert.InDelta(t, 9, p.value(t, `vllm:prompt_tokens_total{engine="0",model_name="sim-8b"}`), 0)
}

func TestSetSleep(t *testing.T) {
	v := NewVLLM(VLLMConfig{})
	v.SetSleep(1)
	p := parse(t, v.Page())
	assert.InDelta(t, 1, p.sum(t, "vllm:engine_sleep_state"), 0)
	assert.InDelta(t, 1, p.value(t, `vllm:engine_sleep_state{engine="0",model_name="sim-8b",sleep_state="weights_offloaded"}`), 0)
}

func TestRestartStartsFromZero(t *testing.T) {
	c := newClock()
	v := NewVLLM(VLLMConfig{Now: c.now})
	idle := string(v.Page())
	v.Play(1, time.Hour, 3)
	v.Preempt(0, 2)
	v.SetPhase(PhaseEngineDead)
	before := parse(t, v.Page())
	c.t = c.t.Add(time.Hour)
	v.Restart()
	after := parse(t, v.Page())
	assert.Len(t, after.values, strings.Count(idle, "\n")-strings.Count(idle, "# "))
	assert.InDelta(t, 0, after.sum(t, "vllm:prompt_tokens_total"), 0)
	for _, name := range []string{"vllm:prompt_tokens_created", "process_start_time_seconds"} {
		assert.InDelta(t, 3600, after.sum(t, name)-before.sum(t, name), 0, name)
	}
}

func TestEngineHealthy(t *testing.T) {
	v := NewVLLM(VLLMConfig{FaultTolerance: true})
	assert.InDelta(t, 1, parse(t, v.Page()).sum(t, "vllm:engine_healthy"), 0)
	v.SetPhase(PhaseEngineDead)
	v.SetLoad(0, VLLMLoad{})
	assert.InDelta(t, 0, parse(t, v.Page()).sum(t, "vllm:engine_healthy"), 0)
}

func TestConcurrentUse(t *testing.T) {
	v := NewVLLM(VLLMConfig{Engines: 2})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			v.Finish(VLLMRequest{Engine: i, PromptTokens: 10, OutputTokens: 2})
			v.SetLoad(i, VLLMLoad{Running: i})
			v.ObserveHTTP("/v1/completions", "POST", "4xx", 1, time.Millisecond)
			v.Page()
		})
	}
	wg.Wait()
	assert.InDelta(t, 80, parse(t, v.Page()).sum(t, "vllm:prompt_tokens_total"), 0)
}
