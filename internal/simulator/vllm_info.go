package simulator

import "strconv"

// cacheConfig is cache_config_info: one series of value 1 per engine, without a model.
func (v *VLLM) cacheConfig() []series {
	var all []series
	for rank := range v.engines {
		labels := v.cacheLabels()
		if v.dialect.engineLabel {
			labels = append(labels, label{"engine", itoa(rank)})
		}
		all = append(all, series{labels: labels, value: 1})
	}
	return all
}

// cacheLabels are the fields of the cache configuration, which change in every release. Sets other than those of 0.5.4,
// 0.23.0 and 0.29.0 are composed from them (~).
func (v *VLLM) cacheLabels() []label {
	c := v.cfg
	labels := []label{
		{"block_size", itoa(c.BlockSize)},
		{"cache_dtype", c.CacheDType},
		{"enable_prefix_caching", pythonBool(!c.DisablePrefixCaching)},
		{"gpu_memory_utilization", strconv.FormatFloat(c.MemoryUtilization, 'g', -1, 64)},
		{"num_gpu_blocks", itoa(c.Blocks)},
		{"num_gpu_blocks_override", "None"},
		{"sliding_window", "None"},
	}
	span := func(from, until VLLMVersion, more ...label) {
		if v.dialect.order >= orderOf(from) && (until == "" || v.dialect.order < orderOf(until)) {
			labels = append(labels, more...)
		}
	}
	tokens := c.Blocks * c.BlockSize
	span(VLLM0_5_4, VLLM0_12_0, label{"cpu_offload_gb", "0"}, label{"swap_space_bytes", "4294967296"})
	span(VLLM0_5_4, VLLM0_8_5, label{"num_cpu_blocks", "2048"})
	span(VLLM0_8_5, "", label{"num_cpu_blocks", "None"}, label{"prefix_caching_hash_algo", "sha256"})
	span(VLLM0_6_6, "", label{"is_attention_free", "False"})
	span(VLLM0_8_5, VLLM0_29_0, label{"calculate_kv_scales", "False"})
	span(VLLM0_10_2, "", label{"kv_sharing_fast_prefill", "False"},
		label{"mamba_cache_dtype", "auto"}, label{"mamba_page_size_padded", "None"}, label{"mamba_ssm_cache_dtype", "auto"})
	span(VLLM0_11_0, "", label{"kv_cache_memory_bytes", "None"}, label{"mamba_block_size", "None"})
	span(VLLM0_16_0, "", label{"kv_offloading_backend", "native"}, label{"kv_offloading_size", "None"},
		label{"mamba_cache_mode", "none"}, label{"user_specified_block_size", "False"})
	span(VLLM0_23_0, "", label{"_block_size_resolved", "True"}, label{"kv_cache_dtype_skip_layers", "[]"},
		label{"kv_cache_max_concurrency", formatShort(float64(tokens) / float64(c.Models[0].MaxModelLen))},
		label{"kv_cache_size_tokens", itoa(tokens)}, label{"prefix_match_unit", "None"},
		label{"skip_page_size_padded", "None"}, label{"user_specified_mamba_block_size", "False"})
	span(VLLM0_29_0, "", label{"kv_cache_layout", "None"}, label{"prefix_cache_retention_interval", "0"},
		label{"replayssm_buffer_len", "16"}, label{"use_kda_recoverssm", "False"}, label{"use_replayssm", "False"})
	return labels
}

// loraInfo is lora_requests_info: the value is a Unix time, the labels are the state, without model and engine.
func (v *VLLM) loraInfo() []series {
	var all []series
	for _, s := range v.lora {
		all = append(all, series{
			labels: []label{
				{"max_lora", itoa(v.cfg.MaxLoRAs)},
				{"running_lora_adapters", s.running},
				{"waiting_lora_adapters", s.waiting},
			},
			value: unix(s.seen),
		})
	}
	return all
}

func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
