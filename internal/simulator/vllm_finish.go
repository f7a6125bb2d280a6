package simulator

import (
	"math"
	"time"
)

// Finish accounts for one whole request in every counter and histogram that the dialect offers, as the engine would have
// done step by step. These laws hold on every page:
//
//   - prompt_tokens = the sum over prompt_tokens_by_source;
//   - time to first token = queue + prefill, end to end = queue + prefill + decode, inference = prefill + decode;
//   - the sum of inter-token latencies = the sum of decode times of requests that were counted (and of aborted ones);
//   - with speculative decoding generation_tokens = started requests + drafts + accepted tokens.
//
// An aborted request adds tokens and first-token times but appears in no per-request family (unless CountAborts), and
// nothing at all if it never left the queue (no Prefill).
func (v *VLLM) Finish(r VLLMRequest) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.finish(r)
}

func (v *VLLM) finish(r VLLMRequest) {
	e := v.engine(r.Engine)
	r = v.normalise(r)
	aborted := r.Reason == ReasonAbort
	status := "2xx"
	if r.Reason == ReasonError {
		status = "5xx"
	}
	if !aborted {
		call := httpCall{r.Route, "POST", status}
		v.http.observe(call, 1, seconds(r.Queue+r.Prefill+r.Decode), 4*r.PromptTokens, 0, v.cfg.Now())
	}
	if !aborted || r.Prefill > 0 {
		v.countPrompt(e, r)
		v.countSteps(e, r)
	}
	if !aborted || v.cfg.CountAborts {
		v.countFinished(e, r)
	}
	v.updateRatios(e)
}

// normalise fills the defaults and keeps the parts of the prompt within the whole.
func (v *VLLM) normalise(r VLLMRequest) VLLMRequest {
	setDefault(&r.Reason, ReasonStop)
	setDefault(&r.Route, "/v1/chat/completions")
	setDefault(&r.N, 1)
	setDefault(&r.MaxTokens, r.OutputTokens)
	switch {
	case v.dialect.order >= orderOf(VLLM0_23_0):
	case r.Reason == ReasonError:
		r.Reason = ReasonAbort
	case r.Reason == ReasonRepetition:
		r.Reason = ReasonStop
	}
	if v.cfg.DisablePrefixCaching {
		r.CachedTokens = 0
	}
	r.CachedTokens = min(r.CachedTokens, r.PromptTokens)
	r.ExternalTokens = min(r.ExternalTokens, r.PromptTokens-r.CachedTokens)
	r.MMCached = min(r.MMCached, r.MMItems)
	return r
}

// countPrompt is what happens when the prompt is scheduled.
func (v *VLLM) countPrompt(e *engine, r VLLMRequest) {
	prompt, cached, external := float64(r.PromptTokens), float64(r.CachedTokens), float64(r.ExternalTokens)
	e.add("prompt_tokens", "", prompt)
	e.add("prompt_tokens_by_source", "local_compute", prompt-cached-external)
	e.add("prompt_tokens_by_source", "local_cache_hit", cached)
	e.add("prompt_tokens_by_source", "external_kv_transfer", external)
	e.add("prompt_tokens_cached", "", cached+external)
	e.add("mm_cache_queries", "", float64(r.MMItems))
	e.add("mm_cache_hits", "", float64(r.MMCached))
	e.add("num_preemptions", "", float64(r.Preemptions))
	if external > 0 {
		e.add("external_prefix_cache_queries", "", prompt-cached)
		e.add("external_prefix_cache_hits", "", external)
	}
	if v.cfg.DisablePrefixCaching {
		return
	}
	lookups := float64(1 + r.Preemptions)
	e.add("prefix_cache_queries", "", prompt*lookups)
	e.add("prefix_cache_hits", "", cached*lookups)
	unit := 1.0
	if v.dialect.prefixBlocks {
		unit = float64(v.cfg.BlockSize)
	}
	e.add("gpu_prefix_cache_queries", "", math.Floor(prompt/unit)*lookups)
	e.add("gpu_prefix_cache_hits", "", math.Floor(cached/unit)*lookups)
}

// countSteps is what happens in the engine's steps: one for the prompt, which also gives the first token, and one for every
// further token, or for several of them with speculative decoding. Requests do not share steps here.
func (v *VLLM) countSteps(e *engine, r VLLMRequest) {
	scheduled := r.PromptTokens
	if v.dialect.order >= orderOf(VLLM0_23_0) { // cached tokens no longer count: 98 + 584 = 682 in the 2026-09 capture
		scheduled -= r.CachedTokens + r.ExternalTokens
	}
	output := float64(r.OutputTokens)
	e.add("generation_tokens", "", output)
	e.add("tokens", "", float64(r.PromptTokens)+output)
	e.observe("iteration_tokens_total", float64(scheduled+min(r.OutputTokens, 1)), 1)
	if r.OutputTokens > 0 {
		e.observe("time_to_first_token_seconds", seconds(r.Queue+r.Prefill), 1)
	}
	if decoded := r.OutputTokens - 1; decoded > 0 {
		steps := v.countDecode(e, decoded)
		latency := seconds(r.Decode) / float64(steps)
		e.observe("inter_token_latency_seconds", latency, steps)
		e.observe("time_per_output_token_seconds", latency, steps)
	}
	if v.cfg.MFU {
		gpus := float64(v.cfg.TensorParallel * v.cfg.PipelineParallel)
		parameters := v.cfg.Models[0].Parameters
		tokens := float64(r.PromptTokens-r.CachedTokens) + output
		e.add("estimated_flops_per_gpu", "", 2*parameters*tokens/gpus)
		e.add("estimated_read_bytes_per_gpu", "", 2*parameters*output/gpus)
		e.add("estimated_write_bytes_per_gpu", "", 65536*tokens/gpus)
	}
}

// countDecode spreads the decoded tokens over steps and returns their number. With k drafted tokens per step the accepted
// number goes 0, 1, .. k, 0, 1, .. so that the mean is k/2 and later positions are accepted less often.
func (v *VLLM) countDecode(e *engine, decoded int) int {
	k := v.cfg.SpeculativeTokens
	if k == 0 {
		e.observe("iteration_tokens_total", 1, decoded)
		return decoded
	}
	steps := 0
	for left := decoded; left > 0; steps++ {
		accepted := min(steps%(k+1), left-1)
		left -= accepted + 1
		e.observe("iteration_tokens_total", float64(accepted+1), 1)
		e.add("spec_decode_num_accepted_tokens", "", float64(accepted))
		for position := range accepted {
			e.add("spec_decode_num_accepted_tokens_per_pos", itoa(position), 1)
		}
	}
	e.add("spec_decode_num_drafts", "", float64(steps))
	e.add("spec_decode_num_draft_tokens", "", float64(steps*k))
	e.add("spec_decode_num_emitted_tokens", "", float64(decoded))
	return steps
}

// countFinished is what happens once, when the request ends.
func (v *VLLM) countFinished(e *engine, r VLLMRequest) {
	e.add("request_success", string(r.Reason), 1)
	e2e := seconds(r.Queue + r.Prefill + r.Decode)
	e.observe("e2e_request_latency_seconds", e2e, 1)
	e.observe("request_queue_time_seconds", seconds(r.Queue), 1)
	e.observe("time_in_queue_requests", seconds(r.Queue), 1)
	e.observe("request_inference_time_seconds", seconds(r.Prefill+r.Decode), 1)
	e.observe("request_prefill_time_seconds", seconds(r.Prefill), 1)
	e.observe("request_decode_time_seconds", seconds(r.Decode), 1)
	e.observe("request_time_per_output_token_seconds", seconds(r.Decode)/float64(max(r.OutputTokens-1, 1)), 1)
	e.observe("request_prompt_tokens", float64(r.PromptTokens), 1)
	e.observe("request_generation_tokens", float64(r.OutputTokens), 1)
	e.observe("request_max_num_generation_tokens", float64(r.OutputTokens), 1)
	e.observe("request_params_n", float64(r.N), 1)
	e.observe("request_params_best_of", float64(r.N), 1)
	e.observe("request_params_max_tokens", float64(r.MaxTokens), 1)
	e.observe("request_prefill_kv_computed_tokens", float64(r.PromptTokens-r.CachedTokens-r.ExternalTokens), 1)
	e.observe("kv_block_lifetime_seconds", e2e, 1)
	e.observe("kv_block_idle_before_evict_seconds", seconds(r.Queue), 1)
	if r.CachedTokens > 0 {
		e.observe("kv_block_reuse_gap_seconds", seconds(r.Prefill), 1)
	}
}

// updateRatios computes the gauges of V0 that are ratios of what V1 counts.
func (v *VLLM) updateRatios(e *engine) {
	ratio := func(name, part, whole string, otherwise float64) {
		e.scalars[seriesKey{name, ""}] = otherwise
		if w := e.scalars[seriesKey{whole, ""}]; w > 0 {
			e.scalars[seriesKey{name, ""}] = e.scalars[seriesKey{part, ""}] / w
		}
	}
	if !v.dialect.v0 {
		return
	}
	ratio("gpu_prefix_cache_hit_rate", "gpu_prefix_cache_hits", "gpu_prefix_cache_queries", -1)
	if v.cfg.SpeculativeTokens > 0 {
		ratio("spec_decode_draft_acceptance_rate", "spec_decode_num_accepted_tokens", "spec_decode_num_draft_tokens", 0)
		ratio("spec_decode_efficiency", "spec_decode_num_emitted_tokens", "spec_decode_num_draft_tokens", 0)
	}
}

func seconds(d time.Duration) float64 { return d.Seconds() }
