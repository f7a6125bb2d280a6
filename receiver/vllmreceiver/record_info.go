package vllmreceiver

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
)

// Families of the page whose labels are the information.
const (
	cacheConfig = "cache_config_info"
	loraInfo    = "lora_requests_info"
)

// recordIdentity records what the server is, known now or from before it died. What
// it does not tell itself is as its container was told.
func recordIdentity(mb *builder, id *identity, told *facts, now pcommon.Timestamp) {
	version := cmp.Or(id.version, told.version)
	if version != "" {
		mb.RecordVllmServerInfoDataPoint(now, 1, metadata.WithServiceVersionMetricAttribute(version))
	}
	w := id.weights
	if w == (weights{}) {
		w = told.weights
	}
	for _, m := range id.known(told.models) {
		var options []option
		for _, fact := range []struct {
			value string
			with  func(string) option
		}{
			{m.Root, metadata.WithLlmModelIDMetricAttribute},
			{m.Parent, metadata.WithLlmModelParentMetricAttribute},
			{w.dtype, metadata.WithLlmModelDtypeMetricAttribute},
			{w.quantization, metadata.WithLlmModelQuantizationMetricAttribute},
			{cmp.Or(id.cacheDType, told.cacheDType), metadata.WithLlmModelKvCacheDtypeMetricAttribute},
			{told.gpus, metadata.WithContainerGpusMetricAttribute},
			{version, metadata.WithServiceVersionMetricAttribute},
		} {
			if fact.value != "" {
				options = append(options, fact.with(fact.value))
			}
		}
		for _, fact := range []struct {
			value int64
			with  func(int64) option
		}{
			{told.tensorParallel, metadata.WithLlmModelTensorParallelSizeMetricAttribute},
			{told.pipelineParallel, metadata.WithLlmModelPipelineParallelSizeMetricAttribute},
			{told.dataParallel, metadata.WithLlmModelDataParallelSizeMetricAttribute},
		} {
			if fact.value > 0 {
				options = append(options, fact.with(fact.value))
			}
		}
		mb.RecordVllmModelInfoDataPoint(now, 1, providerName, m.ID, options...)
		if m.MaxModelLen > 0 {
			mb.RecordVllmModelContextLengthDataPoint(now, m.MaxModelLen, m.ID)
		}
	}
}

// recordCacheConfig turns the labels of cache_config_info into numbers and a
// short list of facts: which labels it has changes with every release.
func recordCacheConfig(mb *builder, page *enginePage, now pcommon.Timestamp) {
	f := page.families[cacheConfig]
	if f == nil {
		return
	}
	for i := range f.Series {
		l := f.Series[i].Labels
		var engine []option
		if page.severalEngines {
			engine = []option{metadata.WithVllmEngineMetricAttribute(l.Get(labelEngine))}
		}
		facts := append([]option(nil), engine...)
		for _, fact := range cacheFacts {
			if value := l.Get(fact.label); value != "" && value != "None" {
				facts = append(facts, fact.with(value))
			}
		}
		mb.RecordVllmKvCacheInfoDataPoint(now, 1, facts...)

		gpuBlocks, ok := wholeNumber(l, "num_gpu_blocks")
		if ok {
			mb.RecordVllmKvCacheBlocksDataPoint(now, gpuBlocks, metadata.AttributeVllmCacheDeviceGpu, engine...)
		}
		if blocks, ok := wholeNumber(l, "num_cpu_blocks"); ok {
			mb.RecordVllmKvCacheBlocksDataPoint(now, blocks, metadata.AttributeVllmCacheDeviceCpu, engine...)
		}
		if capacity, ok := wholeNumber(l, "kv_cache_size_tokens"); ok {
			mb.RecordVllmKvCacheCapacityDataPoint(now, capacity, engine...)
		} else if size, ok := wholeNumber(l, "block_size"); ok && gpuBlocks > 0 {
			mb.RecordVllmKvCacheCapacityDataPoint(now, gpuBlocks*size, engine...)
		}
		if v, err := strconv.ParseFloat(l.Get("kv_cache_max_concurrency"), 64); err == nil && isNumber(v) && v >= 0 {
			mb.RecordVllmKvCacheMaxConcurrencyDataPoint(now, v, engine...)
		}
	}
}

// cacheFacts are the labels that every version has, and that are worth keeping.
var cacheFacts = []struct {
	label string
	with  func(string) option
}{
	{"block_size", metadata.WithVllmKvCacheBlockSizeMetricAttribute},
	{"cache_dtype", metadata.WithVllmKvCacheDtypeMetricAttribute},
	{"gpu_memory_utilization", metadata.WithVllmKvCacheMemoryUtilizationMetricAttribute},
	{"enable_prefix_caching", metadata.WithVllmKvCachePrefixCachingMetricAttribute},
}

// wholeNumber returns the number that a label holds, if any. None that vLLM gives
// comes near 31 bits, and two of these can be multiplied.
func wholeNumber(l labels.Labels, label string) (int64, bool) {
	v, err := strconv.ParseUint(l.Get(label), 10, 31)
	return int64(v), err == nil
}

// recordLoRA counts the adapters at work. The value of lora_requests_info is the
// time it was written and its labels are the state, so that only the newest
// series tells the present; the older ones are history.
func recordLoRA(mb *builder, page *enginePage, now pcommon.Timestamp) {
	f := page.families[loraInfo]
	if f == nil {
		return
	}
	var newest *promtext.Series
	latest := math.Inf(-1)
	for i := range f.Series {
		if f.Series[i].Value > latest {
			latest, newest = f.Series[i].Value, &f.Series[i]
		}
	}
	if newest == nil {
		return
	}
	if limit, ok := wholeNumber(newest.Labels, "max_lora"); ok {
		mb.RecordVllmLoraLimitDataPoint(now, limit)
	}
	mb.RecordVllmLoraAdaptersDataPoint(now, adapters(newest.Labels.Get("running_lora_adapters")), metadata.AttributeVllmLoraStateRunning)
	mb.RecordVllmLoraAdaptersDataPoint(now, adapters(newest.Labels.Get("waiting_lora_adapters")), metadata.AttributeVllmLoraStateWaiting)
}

// adapters counts the names in a comma-separated list.
func adapters(list string) int64 {
	n := int64(0)
	for name := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(name) != "" {
			n++
		}
	}
	return n
}
