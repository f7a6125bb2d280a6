package simulator

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// offer is the set of families a dialect offers, with the marks below for what is optional.
func offer(t *testing.T, cfg VLLMConfig) map[string]string {
	t.Helper()
	v := NewVLLM(cfg)
	v.Play(1, time.Hour, 2)
	return parse(t, v.Page()).types
}

func TestVersionsDifferAsDocumented(t *testing.T) {
	first := func(v VLLMVersion) func(VLLMVersion) bool {
		return func(x VLLMVersion) bool { return orderOf(x) >= orderOf(v) }
	}
	span := func(from, until VLLMVersion) func(VLLMVersion) bool {
		return func(x VLLMVersion) bool { return orderOf(x) >= orderOf(from) && orderOf(x) < orderOf(until) }
	}
	families := map[string]func(VLLMVersion) bool{
		"vllm:num_requests_running":                          first(VLLM0_5_4),
		"vllm:num_requests_swapped":                          span(VLLM0_5_4, VLLM0_8_5),
		"vllm:avg_prompt_throughput_toks_per_s":              span(VLLM0_5_4, VLLM0_7_3),
		"vllm:gpu_cache_usage_perc":                          span(VLLM0_5_4, VLLM0_11_0),
		"vllm:kv_cache_usage_perc":                           first(VLLM0_9_2),
		"vllm:gpu_prefix_cache_hit_rate":                     span(VLLM0_6_6, VLLM0_8_5),
		"vllm:gpu_prefix_cache_queries_total":                span(VLLM0_8_5, VLLM0_11_0),
		"vllm:prefix_cache_queries_total":                    first(VLLM0_9_2),
		"vllm:request_queue_time_seconds":                    first(VLLM0_6_6),
		"vllm:time_in_queue_requests":                        span(VLLM0_6_6, VLLM0_8_5),
		"vllm:time_per_output_token_seconds":                 span(VLLM0_5_4, VLLM0_12_0),
		"vllm:inter_token_latency_seconds":                   first(VLLM0_10_2),
		"vllm:request_time_per_output_token_seconds":         first(VLLM0_11_0),
		"vllm:estimated_flops_per_gpu_total":                 first(VLLM0_16_0),
		"vllm:num_requests_waiting_by_reason":                first(VLLM0_23_0),
		"vllm:prompt_tokens_by_source_total":                 first(VLLM0_23_0),
		"vllm:spec_decode_efficiency":                        span(VLLM0_5_4, VLLM0_8_5),
		"vllm:spec_decode_num_draft_tokens_total":            span(VLLM0_5_4, VLLM0_9_2),
		"vllm:lora_requests_info":                            span(VLLM0_6_6, VLLM0_8_5),
		"vllm:iteration_tokens_total":                        first(VLLM0_6_6),
		"vllm:iteration_tokens_total_created":                first(VLLM0_8_5),
		"http_requests_total":                                first(VLLM0_6_6),
		"python_info":                                        first(VLLM0_5_4),
		"vllm:kv_block_lifetime_seconds":                     func(VLLMVersion) bool { return false },
		"vllm:engine_healthy":                                func(VLLMVersion) bool { return false },
		"vllm:spec_decode_num_accepted_tokens_per_pos_total": func(VLLMVersion) bool { return false },
	}
	for _, version := range VLLMVersions() {
		t.Run(string(version), func(t *testing.T) {
			types := offer(t, VLLMConfig{Version: version})
			for name, offered := range families {
				_, got := types[name]
				assert.Equal(t, offered(version), got, name)
			}
		})
	}
}

func TestOptionsAddFamilies(t *testing.T) {
	with := offer(t, VLLMConfig{SpeculativeTokens: 2, KVCacheMetrics: true, FaultTolerance: true, MaxLoRAs: 4})
	for _, name := range []string{
		"vllm:spec_decode_num_accepted_tokens_per_pos_total", "vllm:kv_block_lifetime_seconds", "vllm:engine_healthy", "vllm:lora_requests_info",
	} {
		assert.Contains(t, with, name)
	}
	shown := offer(t, VLLMConfig{Version: VLLM0_11_0, ShowHidden: true})
	assert.Contains(t, shown, "vllm:gpu_cache_usage_perc")
	assert.Contains(t, shown, "vllm:gpu_prefix_cache_hits_total")
	assert.Contains(t, offer(t, VLLMConfig{Version: VLLM0_12_0, ShowHidden: true}), "vllm:time_per_output_token_seconds")
	assert.NotContains(t, offer(t, VLLMConfig{Version: VLLM0_16_0, ShowHidden: true}), "vllm:time_per_output_token_seconds")
}

func TestEngineLabel(t *testing.T) {
	for _, version := range VLLMVersions() {
		page := string(NewVLLM(VLLMConfig{Version: version, Engines: 2}).Page())
		assert.Equal(t, orderOf(version) >= orderOf(VLLM0_9_2), strings.Contains(page, `engine="1"`), version)
	}
	assert.NotContains(t, string(NewVLLM(VLLMConfig{Engines: 2, NoEngineLabel: true}).Page()), `engine="`)
}

// TestV0DeclaresBeforeItCounts: missing is not zero.
func TestV0DeclaresBeforeItCounts(t *testing.T) {
	v := NewVLLM(VLLMConfig{Version: VLLM0_6_6})
	p := parse(t, v.Page())
	assert.Contains(t, p.types, "vllm:num_requests_running")
	for sample := range p.values {
		if strings.HasPrefix(sample, "vllm:") {
			assert.True(t, strings.HasPrefix(sample, "vllm:cache_config_info{"), sample)
		}
	}

	v.SetLoad(0, VLLMLoad{Running: 1})
	p = parse(t, v.Page())
	assert.InDelta(t, 1, p.sum(t, "vllm:num_requests_running"), 0)
	assert.InDelta(t, 0, p.sum(t, "vllm:prompt_tokens_total"), 0)
	assert.InDelta(t, -1, p.sum(t, "vllm:gpu_prefix_cache_hit_rate"), 0)
	assert.NotContains(t, string(v.Page()), "vllm:request_success_total{")
	assert.NotContains(t, string(v.Page()), "vllm:e2e_request_latency_seconds_count{")
	assert.NotContains(t, string(v.Page()), "vllm:spec_decode_num_draft_tokens_total{")

	v.Finish(VLLMRequest{PromptTokens: 100, CachedTokens: 48, OutputTokens: 10, Prefill: time.Second, Reason: ReasonRepetition})
	p = parse(t, v.Page())
	assert.InDelta(t, 1, p.value(t, `vllm:request_success_total{finished_reason="stop",model_name="sim-8b"}`), 0)
	assert.InDelta(t, 3.0/6, p.sum(t, "vllm:gpu_prefix_cache_hit_rate"), 0)
	assert.NotContains(t, string(v.Page()), `finished_reason="length"`)
}

func TestV1PresetsToZero(t *testing.T) {
	p := parse(t, NewVLLM(VLLMConfig{}).Page())
	for _, reason := range []string{"stop", "length", "abort", "error", "repetition"} {
		assert.InDelta(t, 0, p.value(t, `vllm:request_success_total{engine="0",finished_reason="`+reason+`",model_name="sim-8b"}`), 0)
	}
	assert.InDelta(t, 0, p.sum(t, "vllm:e2e_request_latency_seconds_count"), 0)
	old := string(NewVLLM(VLLMConfig{Version: VLLM0_16_0}).Page())
	assert.Contains(t, old, `finished_reason="abort"`)
	assert.NotContains(t, old, `finished_reason="error"`)
}

// shape is what a page says about a family, apart from values: its type, label names and bounds.
type shape struct {
	typeName string
	labels   []string
	bounds   []string
}

var labelPattern = regexp.MustCompile(`([a-zA-Z_]\w*)="([^"]*)"`)

func shapes(t *testing.T, page []byte) map[string]shape {
	t.Helper()
	p := parse(t, page)
	found := map[string]shape{}
	for name, typeName := range p.types {
		found[name] = shape{typeName: typeName}
	}
	for _, sample := range p.order {
		name, rest, _ := strings.Cut(sample, "{")
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && p.types[base] != "" {
				name = base
			}
		}
		s, declared := found[name]
		require.True(t, declared, name)
		for _, m := range labelPattern.FindAllStringSubmatch(rest, -1) {
			if m[1] == "le" && !slices.Contains(s.bounds, m[2]) {
				s.bounds = append(s.bounds, m[2])
			}
			if !slices.Contains(s.labels, m[1]) {
				s.labels = append(s.labels, m[1])
			}
		}
		slices.Sort(s.labels)
		found[name] = s
	}
	maps.DeleteFunc(found, func(name string, _ shape) bool {
		return strings.HasPrefix(name, "python_") || strings.HasPrefix(name, "process_")
	})
	return found
}

// TestShapesOfCaptures compares whole dialects with pages of real servers, which are not part of this repository.
func TestShapesOfCaptures(t *testing.T) {
	dir := os.Getenv("OTELCOL_LLM_FIXTURES")
	if dir == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set")
	}
	for file, cfg := range map[string]VLLMConfig{
		"vllm-0.5.4-v0-engine.prom": {Version: VLLM0_5_4, Models: []VLLMModel{{ID: "m", MaxModelLen: 16384}}},
		"vllm-0.23.1rc1-mtp-specdecode-before.prom": {
			Version: VLLM0_23_0, SpeculativeTokens: 3, Models: []VLLMModel{{ID: "m", MaxModelLen: 400000}},
		},
		"vllm-0.23.1rc1-mtp-specdecode-after.prom": {
			Version: VLLM0_23_0, SpeculativeTokens: 3, Models: []VLLMModel{{ID: "m", MaxModelLen: 400000}},
		},
		"vllm-0.23.1rc1-nospec-after.prom": {Version: VLLM0_23_0, Models: []VLLMModel{{ID: "m", MaxModelLen: 400000}}},
		"vllm-2026-09-inferstack.prom":     {Version: VLLM0_29_0, Models: []VLLMModel{{ID: "m", MaxModelLen: 4096}}},
	} {
		t.Run(file, func(t *testing.T) {
			capture, err := os.ReadFile(filepath.Join(dir, "vllm", file)) // #nosec G304 -- chosen by the developer
			require.NoError(t, err)
			v := NewVLLM(cfg)
			v.Play(1, time.Hour, 2)
			want, got := shapes(t, capture), shapes(t, v.Page())
			assert.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)))
			for name, s := range want {
				assert.Equal(t, s, got[name], name)
			}
		})
	}
}
