package simulator

import "slices"

// VLLMVersion names a dialect: a release at which the set of families changed.
type VLLMVersion string

// The dialects. 0.5.4, 0.23.0 and 0.29.0 are pinned by captures; the others follow the source code of their time, the
// project's deprecation notes and issue reports (~).
const (
	// VLLM0_5_4 is the V0 engine of August 2024: no http_*, /metrics redirects.
	VLLM0_5_4 VLLMVersion = "0.5.4"
	// VLLM0_6_6 stands for 0.6.4 to 0.6.6 (V0): queue, prefill and decode times, hit rates, throughput gauges.
	VLLM0_6_6 VLLMVersion = "0.6.6"
	// VLLM0_7_3 is the last V0 by default: as before without the throughput gauges.
	VLLM0_7_3 VLLMVersion = "0.7.3"
	// VLLM0_8_5 is an early V1: prefix cache in blocks, no engine label.
	VLLM0_8_5 VLLMVersion = "0.8.5"
	// VLLM0_9_2 has the engine label, and both kv_ and gpu_ names.
	VLLM0_9_2 VLLMVersion = "0.9.2"
	// VLLM0_10_2 has both inter_token_latency and time_per_output_token.
	VLLM0_10_2 VLLMVersion = "0.10.2"
	// VLLM0_11_0 hides the gpu_ names and adds request_time_per_output_token.
	VLLM0_11_0 VLLMVersion = "0.11.0"
	// VLLM0_12_0 hides time_per_output_token; the gpu_ names are gone.
	VLLM0_12_0 VLLMVersion = "0.12.0"
	// VLLM0_16_0 adds the MFU estimates.
	VLLM0_16_0 VLLMVersion = "0.16.0"
	// VLLM0_23_0 adds waiting by reason, prompt tokens by source and two finish reasons.
	VLLM0_23_0 VLLMVersion = "0.23.0"
	// VLLM0_29_0 is as captured in September 2026.
	VLLM0_29_0 VLLMVersion = "0.29.0"
)

// VLLMVersions lists the dialects from the oldest to the newest.
func VLLMVersions() []VLLMVersion {
	return []VLLMVersion{
		VLLM0_5_4, VLLM0_6_6, VLLM0_7_3, VLLM0_8_5, VLLM0_9_2, VLLM0_10_2,
		VLLM0_11_0, VLLM0_12_0, VLLM0_16_0, VLLM0_23_0, VLLM0_29_0,
	}
}

// orderOf is a version's place in VLLMVersions, or -1.
func orderOf(v VLLMVersion) int { return slices.Index(VLLMVersions(), v) }

// dialect is what differs between versions besides the table of families.
type dialect struct {
	order int
	// v0 engines create series on first use and export no _created: their source disabled it.
	v0 bool
	// engineLabel is there on V1 from about 0.9 (~; sources of early 2025 already have it).
	engineLabel bool
	// prefixBlocks: prefix cache counters count blocks, later tokens.
	prefixBlocks bool
	// redirects /metrics to /metrics/ (~: mounted ASGI application of the time).
	redirects bool
	// instrumented: the http_* families of the FastAPI instrumentator.
	instrumented bool
	// python is what python_info says.
	python [3]string
}

func dialectOf(v VLLMVersion) (dialect, bool) {
	order := orderOf(v)
	from := func(first VLLMVersion) bool { return order >= orderOf(first) }
	d := dialect{
		order:        order,
		v0:           !from(VLLM0_8_5),
		engineLabel:  from(VLLM0_9_2),
		prefixBlocks: !from(VLLM0_9_2),
		redirects:    !from(VLLM0_6_6),
		instrumented: from(VLLM0_6_6),
		python:       [3]string{"3", "12", "13"},
	}
	if !from(VLLM0_6_6) {
		d.python = [3]string{"3", "10", "14"}
	}
	return d, order >= 0
}

type kind int

const (
	kindGauge kind = iota
	kindCounter
	kindHistogram
	kindSummary
)

// family is one row of the table: a name and when, how and why it is offered.
type family struct {
	// name as registered: no prefix, and no _total on counters.
	name string
	kind kind
	help string
	// from is the first version, until the first one without it, hidden the first one that wants ShowHidden. Empty means
	// oldest, never and never.
	from, until, hidden VLLMVersion
	// label is the family's own label besides model_name and engine, with its values in the order of the page.
	label  string
	values func(*VLLM) []string
	// bounds of a histogram for the dialect's order and max_model_len.
	bounds func(order, maxModelLen int) []float64
	// when is the option that must be set.
	when func(*VLLMConfig) bool
	// specDecode families are only declared by a V0 engine without speculative decoding.
	specDecode bool
	// samples replaces the usual series, for the two families whose labels are the information.
	samples func(*VLLM) []series
}

// families is the part of the table that a server with this configuration offers, in page order.
func (d dialect) families(cfg *VLLMConfig) []family {
	var offered []family
	for _, f := range vllmFamilies() {
		switch {
		case d.order < orderOf(f.from),
			f.until != "" && d.order >= orderOf(f.until),
			f.hidden != "" && d.order >= orderOf(f.hidden) && !cfg.ShowHidden,
			f.when != nil && !f.when(cfg):
		default:
			offered = append(offered, f)
		}
	}
	return offered
}

func (f family) labelValues(v *VLLM) []string {
	if f.values == nil {
		return []string{""}
	}
	return f.values(v)
}

func vllmFamilies() []family {
	return slices.Concat(configFamilies(), specDecodeFamilies(), stateFamilies(), tokenFamilies(), requestFamilies(), latencyFamilies(), blockFamilies())
}

func configFamilies() []family {
	return []family{
		{name: "cache_config_info", help: "Facts about the KV cache.", samples: (*VLLM).cacheConfig},
		{
			name: "lora_requests_info", help: "Adapters running and waiting.", from: VLLM0_6_6,
			when:    func(c *VLLMConfig) bool { return c.MaxLoRAs > 0 || orderOf(c.Version) < orderOf(VLLM0_8_5) },
			samples: (*VLLM).loraInfo,
		},
	}
}

func specDecodeFamilies() []family {
	// 0.8 declares and presets two of them always, V0 declares all of them, later versions none without the option.
	optional := func(c *VLLMConfig) bool {
		return c.SpeculativeTokens > 0 || orderOf(c.Version) < orderOf(VLLM0_9_2)
	}
	return []family{
		{name: "spec_decode_draft_acceptance_rate", help: "Part of drafted tokens accepted.", until: VLLM0_8_5, specDecode: true},
		{name: "spec_decode_efficiency", help: "Emitted over possible tokens.", until: VLLM0_8_5, specDecode: true},
		{name: "spec_decode_num_emitted_tokens", kind: kindCounter, help: "Tokens emitted.", until: VLLM0_8_5, specDecode: true},
		{name: "spec_decode_num_drafts", kind: kindCounter, help: "Drafts made.", from: VLLM0_9_2, when: optional},
		{name: "spec_decode_num_draft_tokens", kind: kindCounter, help: "Tokens drafted.", when: optional, specDecode: true},
		{name: "spec_decode_num_accepted_tokens", kind: kindCounter, help: "Drafted tokens accepted.", when: optional, specDecode: true},
		{
			name: "spec_decode_num_accepted_tokens_per_pos", kind: kindCounter, help: "Accepted tokens by place in the draft.",
			from: VLLM0_9_2, when: optional, label: "position",
			values: func(v *VLLM) []string {
				positions := make([]string, v.cfg.SpeculativeTokens)
				for i := range positions {
					positions[i] = itoa(i)
				}
				return positions
			},
		},
	}
}

func stateFamilies() []family {
	return []family{
		{name: "estimated_flops_per_gpu", kind: kindCounter, help: "Estimated operations per GPU.", from: VLLM0_16_0},
		{name: "estimated_read_bytes_per_gpu", kind: kindCounter, help: "Estimated bytes read per GPU.", from: VLLM0_16_0},
		{name: "estimated_write_bytes_per_gpu", kind: kindCounter, help: "Estimated bytes written per GPU.", from: VLLM0_16_0},
		{name: "num_requests_running", help: "Requests in the batch."},
		{name: "num_requests_waiting", help: "Requests in the queue."},
		{name: "num_requests_waiting_by_reason", help: "Requests in the queue by cause.", from: VLLM0_23_0, label: "reason", values: fixed("capacity", "deferred")},
		{name: "num_requests_swapped", help: "Requests moved to CPU memory.", until: VLLM0_8_5},
		{name: "engine_sleep_state", help: "Whether the engine sleeps, and how deep.", from: VLLM0_12_0, label: "sleep_state", values: fixed("awake", "weights_offloaded", "discard_all")},
		{name: "engine_healthy", help: "Whether the engine works.", from: VLLM0_29_0, when: func(c *VLLMConfig) bool { return c.FaultTolerance }},
		{name: "gpu_cache_usage_perc", help: "Used part of the KV cache.", hidden: VLLM0_11_0, until: VLLM0_12_0},
		{name: "cpu_cache_usage_perc", help: "Used part of the KV cache in CPU memory.", until: VLLM0_8_5},
		{name: "kv_cache_usage_perc", help: "Used part of the KV cache.", from: VLLM0_9_2},
		{name: "gpu_prefix_cache_hit_rate", help: "Part of blocks found.", from: VLLM0_6_6, until: VLLM0_8_5},
		{name: "cpu_prefix_cache_hit_rate", help: "Part of blocks found in CPU memory.", from: VLLM0_6_6, until: VLLM0_8_5},
		{name: "gpu_prefix_cache_queries", kind: kindCounter, help: "Prefix cache look-ups.", from: VLLM0_8_5, hidden: VLLM0_11_0, until: VLLM0_12_0},
		{name: "gpu_prefix_cache_hits", kind: kindCounter, help: "Prefix cache hits.", from: VLLM0_8_5, hidden: VLLM0_11_0, until: VLLM0_12_0},
		{name: "prefix_cache_queries", kind: kindCounter, help: "Prefix cache look-ups in tokens.", from: VLLM0_9_2},
		{name: "prefix_cache_hits", kind: kindCounter, help: "Prefix cache hits in tokens.", from: VLLM0_9_2},
		{name: "external_prefix_cache_queries", kind: kindCounter, help: "Look-ups in other instances in tokens.", from: VLLM0_11_0},
		{name: "external_prefix_cache_hits", kind: kindCounter, help: "Hits in other instances in tokens.", from: VLLM0_11_0},
		{name: "mm_cache_queries", kind: kindCounter, help: "Media cache look-ups in items.", from: VLLM0_11_0},
		{name: "mm_cache_hits", kind: kindCounter, help: "Media cache hits in items.", from: VLLM0_11_0},
		{name: "num_preemptions", kind: kindCounter, help: "Requests thrown out of the batch."},
	}
}

func tokenFamilies() []family {
	return []family{
		{name: "prompt_tokens", kind: kindCounter, help: "Prompt tokens processed."},
		{
			name: "prompt_tokens_by_source", kind: kindCounter, help: "Prompt tokens by where they came from.",
			from: VLLM0_23_0, label: "source", values: fixed("local_compute", "local_cache_hit", "external_kv_transfer"),
		},
		{name: "prompt_tokens_cached", kind: kindCounter, help: "Prompt tokens that were not computed.", from: VLLM0_23_0},
		{name: "generation_tokens", kind: kindCounter, help: "Tokens generated."},
		{name: "tokens", kind: kindCounter, help: "Prompt and generated tokens.", from: VLLM0_6_6, until: VLLM0_8_5},
		{name: "avg_prompt_throughput_toks_per_s", help: "Prompt tokens per second.", until: VLLM0_7_3},
		{name: "avg_generation_throughput_toks_per_s", help: "Generated tokens per second.", until: VLLM0_7_3},
	}
}

func requestFamilies() []family {
	return []family{
		{
			name: "request_success", kind: kindCounter, help: "Finished requests by reason.", label: "finished_reason",
			values: func(v *VLLM) []string {
				reasons := []string{string(ReasonStop), string(ReasonLength), string(ReasonAbort)}
				if v.dialect.order >= orderOf(VLLM0_23_0) {
					reasons = append(reasons, string(ReasonError), string(ReasonRepetition))
				}
				return reasons
			},
		},
		{name: "request_prompt_tokens", kind: kindHistogram, help: "Prompt tokens per request.", bounds: tokenBounds},
		{name: "request_generation_tokens", kind: kindHistogram, help: "Generated tokens per request.", bounds: tokenBounds},
		{name: "iteration_tokens_total", kind: kindHistogram, help: "Tokens per engine step.", from: VLLM0_6_6, bounds: stepBounds},
		{name: "request_max_num_generation_tokens", kind: kindHistogram, help: "Most tokens of one choice.", from: VLLM0_6_6, bounds: tokenBounds},
		{name: "request_params_best_of", kind: kindHistogram, help: "Parameter best_of.", until: VLLM0_6_6, bounds: choiceBounds},
		{name: "request_params_n", kind: kindHistogram, help: "Parameter n.", bounds: choiceBounds},
		{name: "request_params_max_tokens", kind: kindHistogram, help: "Parameter max_tokens.", from: VLLM0_6_6, bounds: tokenBounds},
	}
}

func latencyFamilies() []family {
	return []family{
		{name: "time_to_first_token_seconds", kind: kindHistogram, help: "Arrival to first token.", bounds: firstTokenBounds},
		{name: "time_per_output_token_seconds", kind: kindHistogram, help: "Time between tokens.", hidden: VLLM0_12_0, until: VLLM0_16_0, bounds: interTokenBounds},
		{name: "inter_token_latency_seconds", kind: kindHistogram, help: "Time between tokens.", from: VLLM0_10_2, bounds: interTokenBounds},
		{name: "request_time_per_output_token_seconds", kind: kindHistogram, help: "Mean time between tokens per request.", from: VLLM0_11_0, bounds: interTokenBounds},
		{name: "e2e_request_latency_seconds", kind: kindHistogram, help: "Arrival to last token.", bounds: requestBounds},
		{name: "request_queue_time_seconds", kind: kindHistogram, help: "Time waiting.", from: VLLM0_6_6, bounds: requestBounds},
		{name: "request_inference_time_seconds", kind: kindHistogram, help: "Time running.", from: VLLM0_6_6, bounds: requestBounds},
		{name: "request_prefill_time_seconds", kind: kindHistogram, help: "Time running until the first token.", from: VLLM0_6_6, bounds: requestBounds},
		{name: "request_decode_time_seconds", kind: kindHistogram, help: "Time running after the first token.", from: VLLM0_6_6, bounds: requestBounds},
		{name: "time_in_queue_requests", kind: kindHistogram, help: "Time waiting, old name.", from: VLLM0_6_6, until: VLLM0_8_5, bounds: requestBounds},
		{name: "model_forward_time_milliseconds", kind: kindHistogram, help: "Time in the model.", from: VLLM0_6_6, until: VLLM0_8_5, bounds: requestBounds},
		{name: "model_execute_time_milliseconds", kind: kindHistogram, help: "Time in the executor.", from: VLLM0_6_6, until: VLLM0_8_5, bounds: requestBounds},
		{name: "request_prefill_kv_computed_tokens", kind: kindHistogram, help: "Prompt tokens computed per request.", from: VLLM0_12_0, bounds: tokenBounds},
	}
}

func blockFamilies() []family {
	enabled := func(c *VLLMConfig) bool { return c.KVCacheMetrics }
	return []family{
		{name: "kv_block_lifetime_seconds", kind: kindHistogram, help: "Life of a sampled block.", from: VLLM0_16_0, when: enabled, bounds: blockBounds},
		{name: "kv_block_idle_before_evict_seconds", kind: kindHistogram, help: "Idle time of a sampled block.", from: VLLM0_16_0, when: enabled, bounds: blockBounds},
		{name: "kv_block_reuse_gap_seconds", kind: kindHistogram, help: "Time between uses of a sampled block.", from: VLLM0_16_0, when: enabled, bounds: blockBounds},
	}
}

func fixed(values ...string) func(*VLLM) []string { return func(*VLLM) []string { return values } }
