package simulator

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func finishOne(t *testing.T, cfg VLLMConfig, r VLLMRequest) parsed {
	t.Helper()
	v := NewVLLM(cfg)
	v.Finish(r)
	return parse(t, v.Page())
}

var oneRequest = VLLMRequest{
	PromptTokens: 1000, CachedTokens: 640, ExternalTokens: 100, OutputTokens: 11, MaxTokens: 64, MMItems: 3, MMCached: 2,
	Queue: 250 * time.Millisecond, Prefill: 500 * time.Millisecond, Decode: 2 * time.Second, Reason: ReasonLength,
}

func TestFinishByHand(t *testing.T) {
	p := finishOne(t, VLLMConfig{}, oneRequest)
	for name, want := range map[string]float64{
		"prompt_tokens_total": 1000, "prompt_tokens_by_source_total": 1000, "prompt_tokens_cached_total": 740,
		"generation_tokens_total": 11, "request_success_total": 1,
		"prefix_cache_queries_total": 1000, "prefix_cache_hits_total": 640,
		"external_prefix_cache_queries_total": 360, "external_prefix_cache_hits_total": 100,
		"mm_cache_queries_total": 3, "mm_cache_hits_total": 2,
		"time_to_first_token_seconds_sum": 0.75, "e2e_request_latency_seconds_sum": 2.75,
		"request_queue_time_seconds_sum": 0.25, "request_inference_time_seconds_sum": 2.5,
		"inter_token_latency_seconds_count": 10, "inter_token_latency_seconds_sum": 2,
		"request_time_per_output_token_seconds_sum": 0.2, "request_params_max_tokens_sum": 64,
		"iteration_tokens_total_count": 11, "iteration_tokens_total_sum": 271,
		"request_prefill_kv_computed_tokens_sum": 260, "estimated_flops_per_gpu_total": 0,
	} {
		assert.InDelta(t, want, p.sum(t, "vllm:"+name), 1e-9, name)
	}
	assert.InDelta(t, 260, p.value(t, `vllm:prompt_tokens_by_source_total{engine="0",model_name="sim-8b",source="local_compute"}`), 0)
}

func TestFinishClampsParts(t *testing.T) {
	p := finishOne(t, VLLMConfig{}, VLLMRequest{PromptTokens: 10, CachedTokens: 16, ExternalTokens: 5, OutputTokens: 1, MMCached: 2})
	assert.InDelta(t, 10, p.sum(t, "vllm:prompt_tokens_by_source_total"), 0)
	assert.InDelta(t, 10, p.sum(t, "vllm:prefix_cache_hits_total"), 0)
	assert.InDelta(t, 0, p.sum(t, "vllm:mm_cache_hits_total"), 0)
	assert.InDelta(t, 0, p.sum(t, "vllm:inter_token_latency_seconds_count"), 0)
}

func TestFinishUnits(t *testing.T) {
	blocks := finishOne(t, VLLMConfig{Version: VLLM0_8_5}, oneRequest)
	assert.InDelta(t, 62, blocks.sum(t, "vllm:gpu_prefix_cache_queries_total"), 0)
	assert.InDelta(t, 40, blocks.sum(t, "vllm:gpu_prefix_cache_hits_total"), 0)
	both := finishOne(t, VLLMConfig{Version: VLLM0_9_2}, oneRequest)
	assert.InDelta(t, 1000, both.sum(t, "vllm:gpu_prefix_cache_queries_total"), 0)
	assert.InDelta(t, 1000, both.sum(t, "vllm:prefix_cache_queries_total"), 0)
	assert.InDelta(t, 1011, both.sum(t, "vllm:iteration_tokens_total_sum"), 0)
	off := finishOne(t, VLLMConfig{DisablePrefixCaching: true}, oneRequest)
	assert.InDelta(t, 0, off.sum(t, "vllm:prefix_cache_queries_total"), 0)
	assert.InDelta(t, 100, off.sum(t, "vllm:prompt_tokens_cached_total"), 0)
	mfu := finishOne(t, VLLMConfig{MFU: true, TensorParallel: 2}, oneRequest)
	assert.InDelta(t, 8e9*371, mfu.sum(t, "vllm:estimated_flops_per_gpu_total"), 0)
}

func TestPreemptionAsksTheCacheAgain(t *testing.T) {
	r := oneRequest
	r.Preemptions = 1
	p := finishOne(t, VLLMConfig{}, r)
	assert.InDelta(t, 1, p.sum(t, "vllm:num_preemptions_total"), 0)
	assert.Greater(t, p.sum(t, "vllm:prefix_cache_queries_total"), p.sum(t, "vllm:prompt_tokens_total"))
}

func TestAborts(t *testing.T) {
	r := oneRequest
	r.Reason = ReasonAbort
	p := finishOne(t, VLLMConfig{}, r)
	assert.InDelta(t, 1000, p.sum(t, "vllm:prompt_tokens_total"), 0)
	assert.InDelta(t, 1, p.sum(t, "vllm:time_to_first_token_seconds_count"), 0)
	assert.InDelta(t, 0, p.sum(t, "vllm:request_success_total"), 0)
	assert.InDelta(t, 0, p.sum(t, "vllm:e2e_request_latency_seconds_count"), 0)

	counted := finishOne(t, VLLMConfig{CountAborts: true}, r)
	assert.InDelta(t, 1, counted.value(t, `vllm:request_success_total{engine="0",finished_reason="abort",model_name="sim-8b"}`), 0)

	queued := finishOne(t, VLLMConfig{}, VLLMRequest{PromptTokens: 5, Queue: time.Second, Reason: ReasonAbort})
	assert.InDelta(t, 0, queued.sum(t, "vllm:prompt_tokens_total"), 0)
}

func TestErrors(t *testing.T) {
	r := oneRequest
	r.Reason = ReasonError
	p := finishOne(t, VLLMConfig{}, r)
	assert.InDelta(t, 1, p.value(t, `vllm:request_success_total{engine="0",finished_reason="error",model_name="sim-8b"}`), 0)
	assert.InDelta(t, 1, p.value(t, `http_requests_total{handler="/v1/chat/completions",method="POST",status="5xx"}`), 0)
	old := finishOne(t, VLLMConfig{Version: VLLM0_16_0}, r)
	assert.InDelta(t, 0, old.sum(t, "vllm:request_success_total"), 0)
}

func TestSpeculativeDecoding(t *testing.T) {
	p := finishOne(t, VLLMConfig{SpeculativeTokens: 3}, oneRequest)
	// 10 decoded tokens in steps that accept 0, 1, 2, 3 drafted ones.
	assert.InDelta(t, 4, p.sum(t, "vllm:spec_decode_num_drafts_total"), 0)
	assert.InDelta(t, 12, p.sum(t, "vllm:spec_decode_num_draft_tokens_total"), 0)
	assert.InDelta(t, 6, p.sum(t, "vllm:spec_decode_num_accepted_tokens_total"), 0)
	assert.InDelta(t, 6, p.sum(t, "vllm:spec_decode_num_accepted_tokens_per_pos_total"), 0)
	assert.InDelta(t, 4, p.sum(t, "vllm:inter_token_latency_seconds_count"), 0)
	assert.InDelta(t, 2, p.sum(t, "vllm:inter_token_latency_seconds_sum"), 1e-9)

	old := finishOne(t, VLLMConfig{Version: VLLM0_5_4, SpeculativeTokens: 3}, oneRequest)
	assert.InDelta(t, 0.5, old.sum(t, "vllm:spec_decode_draft_acceptance_rate"), 0)
	assert.InDelta(t, 10, old.sum(t, "vllm:spec_decode_num_emitted_tokens_total"), 0)
}

// TestLaws holds every dialect, with and without options, to what is true of any real page.
func TestLaws(t *testing.T) {
	for _, version := range VLLMVersions() {
		for _, spec := range []int{0, 3} {
			t.Run(string(version), func(t *testing.T) {
				v := NewVLLM(VLLMConfig{Version: version, SpeculativeTokens: spec, Engines: 2, MFU: true, KVCacheMetrics: true})
				v.Play(7, time.Hour, 3)
				checkLaws(t, v, spec)
			})
		}
	}
}

func checkLaws(t *testing.T, v *VLLM, spec int) {
	t.Helper()
	p := parse(t, v.Page())
	checkBuckets(t, p)
	sum := func(name string) float64 { return p.sum(t, "vllm:"+name) }
	finished := sum("e2e_request_latency_seconds_count")
	require.Positive(t, finished)
	assert.InDelta(t, finished, sum("request_success_total"), 0)
	assert.InDelta(t, finished, sum("request_prompt_tokens_count"), 0)
	assert.InDelta(t, finished, sum("request_params_n_count"), 0)
	assert.GreaterOrEqual(t, sum("prompt_tokens_total"), sum("request_prompt_tokens_sum"))
	assert.GreaterOrEqual(t, sum("generation_tokens_total"), sum("request_generation_tokens_sum"))
	started := sum("time_to_first_token_seconds_count")
	if v.dialect.order >= orderOf(VLLM0_6_6) {
		assert.InDelta(t, sum("e2e_request_latency_seconds_sum"), sum("request_queue_time_seconds_sum")+sum("request_inference_time_seconds_sum"), 1e-6)
		assert.InDelta(t, sum("request_inference_time_seconds_sum"), sum("request_prefill_time_seconds_sum")+sum("request_decode_time_seconds_sum"), 1e-6)
	}
	if v.dialect.order >= orderOf(VLLM0_23_0) {
		assert.InDelta(t, sum("prompt_tokens_total"), sum("prompt_tokens_by_source_total"), 0)
		assert.InDelta(t, sum("num_requests_waiting"), sum("num_requests_waiting_by_reason"), 0)
		computed := sum("prompt_tokens_total") - sum("prompt_tokens_cached_total")
		assert.InDelta(t, computed+sum("generation_tokens_total"), sum("iteration_tokens_total_sum"), 0)
	}
	if spec > 0 && v.dialect.order >= orderOf(VLLM0_9_2) {
		assert.InDelta(t, sum("generation_tokens_total"), started+sum("spec_decode_num_drafts_total")+sum("spec_decode_num_accepted_tokens_total"), 0)
		assert.InDelta(t, sum("spec_decode_num_accepted_tokens_total"), sum("spec_decode_num_accepted_tokens_per_pos_total"), 0)
	}
	if v.dialect.order >= orderOf(VLLM0_10_2) {
		assert.Positive(t, sum("inter_token_latency_seconds_count"))
	}
}

var lePattern = regexp.MustCompile(`,?le="([^"]*)"`)

// checkBuckets: buckets never fall, bounds rise, and the last bucket is the count.
func checkBuckets(t *testing.T, p parsed) {
	t.Helper()
	last, bound := map[string]float64{}, map[string]float64{}
	for _, sample := range p.order {
		name, _, _ := strings.Cut(sample, "{")
		m := lePattern.FindStringSubmatch(sample)
		if m == nil || !strings.HasSuffix(name, "_bucket") {
			continue
		}
		key := strings.Replace(lePattern.ReplaceAllString(sample, ""), "_bucket", "_count", 1)
		key = strings.NewReplacer("{,", "{", "{}", "").Replace(key)
		value, le := p.value(t, sample), number(t, m[1])
		if _, started := last[key]; started {
			assert.GreaterOrEqual(t, value, last[key], sample)
			assert.Greater(t, le, bound[key], sample)
		}
		last[key], bound[key] = value, le
	}
	require.NotEmpty(t, last)
	for key, value := range last {
		assert.InDelta(t, p.value(t, key), value, 0, key)
	}
}
