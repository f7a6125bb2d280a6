package vllmreceiver

import (
	"math"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
	"github.com/otelcol-llm/otelcol-llm/receiver/vllmreceiver/internal/metadata"
)

type (
	builder = metadata.MetricsBuilder
	option  = metadata.MetricAttributeOption

	// point is one value on its way from the page to the builder.
	point struct {
		now     pcommon.Timestamp
		value   float64
		labels  labels.Labels
		model   string
		options []option
	}

	// recorder hands a point to the builder; it returns false if the metric
	// cannot hold the value.
	recorder func(*builder, point) bool
)

// number says which metric is made of which gauge or counter on the page.
type number struct {
	metric string
	// sources are names of one quantity through the versions; the first one that
	// the page has is taken, since some versions give two at once.
	sources []string
	record  recorder
}

// numbers lists every metric that is a plain gauge or counter on the page. What
// was renamed when stands in the table of the README, which a test writes.
var numbers = []number{
	{"vllm.requests.running", from("num_requests_running"), count((*builder).RecordVllmRequestsRunningDataPoint)},
	{"vllm.requests.waiting", from("num_requests_waiting"), count((*builder).RecordVllmRequestsWaitingDataPoint)},
	{"vllm.requests.waiting_by_reason", from("num_requests_waiting_by_reason"), countBy("reason", (*builder).RecordVllmRequestsWaitingByReasonDataPoint)},
	{"vllm.requests.swapped", from("num_requests_swapped"), count((*builder).RecordVllmRequestsSwappedDataPoint)},
	{"vllm.requests.finished", from("request_success"), countBy("finished_reason", (*builder).RecordVllmRequestsFinishedDataPoint)},
	{"vllm.requests.corrupted", from("corrupted_requests"), count((*builder).RecordVllmRequestsCorruptedDataPoint)},
	{"vllm.requests.rejected", from("admission_rejections"), count((*builder).RecordVllmRequestsRejectedDataPoint)},

	{"vllm.tokens.input", from("prompt_tokens"), count((*builder).RecordVllmTokensInputDataPoint)},
	{"vllm.tokens.input_by_source", from("prompt_tokens_by_source"), countBy("source", (*builder).RecordVllmTokensInputBySourceDataPoint)},
	{"vllm.tokens.cached", from("prompt_tokens_cached"), count((*builder).RecordVllmTokensCachedDataPoint)},
	{"vllm.tokens.output", from("generation_tokens"), count((*builder).RecordVllmTokensOutputDataPoint)},
	{"vllm.throughput.input", from("avg_prompt_throughput_toks_per_s"), measure((*builder).RecordVllmThroughputInputDataPoint)},
	{"vllm.throughput.output", from("avg_generation_throughput_toks_per_s"), measure((*builder).RecordVllmThroughputOutputDataPoint)},

	{"vllm.kv_cache.utilization", from("kv_cache_usage_perc", "gpu_cache_usage_perc"), measure((*builder).RecordVllmKvCacheUtilizationDataPoint)},
	{"vllm.cpu_cache.utilization", from("cpu_cache_usage_perc"), measure((*builder).RecordVllmCPUCacheUtilizationDataPoint)},
	{"vllm.preemptions", from("num_preemptions"), count((*builder).RecordVllmPreemptionsDataPoint)},
	{"vllm.prefix_cache.queries", from("prefix_cache_queries", "gpu_prefix_cache_queries"), count((*builder).RecordVllmPrefixCacheQueriesDataPoint)},
	{"vllm.prefix_cache.hits", from("prefix_cache_hits", "gpu_prefix_cache_hits"), count((*builder).RecordVllmPrefixCacheHitsDataPoint)},
	{"vllm.prefix_cache.hit_ratio", from("gpu_prefix_cache_hit_rate"), hitRatio(metadata.AttributeVllmCacheDeviceGpu)},
	{"vllm.prefix_cache.hit_ratio", from("cpu_prefix_cache_hit_rate"), hitRatio(metadata.AttributeVllmCacheDeviceCpu)},
	{"vllm.external_prefix_cache.queries", from("external_prefix_cache_queries"), count((*builder).RecordVllmExternalPrefixCacheQueriesDataPoint)},
	{"vllm.external_prefix_cache.hits", from("external_prefix_cache_hits"), count((*builder).RecordVllmExternalPrefixCacheHitsDataPoint)},
	{"vllm.multimodal_cache.queries", from("mm_cache_queries"), count((*builder).RecordVllmMultimodalCacheQueriesDataPoint)},
	{"vllm.multimodal_cache.hits", from("mm_cache_hits"), count((*builder).RecordVllmMultimodalCacheHitsDataPoint)},

	{"vllm.spec_decode.drafts", from("spec_decode_num_drafts"), count((*builder).RecordVllmSpecDecodeDraftsDataPoint)},
	{"vllm.spec_decode.draft_tokens", from("spec_decode_num_draft_tokens"), count((*builder).RecordVllmSpecDecodeDraftTokensDataPoint)},
	{"vllm.spec_decode.accepted_tokens", from("spec_decode_num_accepted_tokens"), count((*builder).RecordVllmSpecDecodeAcceptedTokensDataPoint)},
	{"vllm.spec_decode.accepted_tokens_by_position", from("spec_decode_num_accepted_tokens_per_pos"), acceptedByPosition},
	{"vllm.spec_decode.emitted_tokens", from("spec_decode_num_emitted_tokens"), count((*builder).RecordVllmSpecDecodeEmittedTokensDataPoint)},
	{"vllm.spec_decode.acceptance_ratio", from("spec_decode_draft_acceptance_rate"), measure((*builder).RecordVllmSpecDecodeAcceptanceRatioDataPoint)},
	{"vllm.spec_decode.efficiency", from("spec_decode_efficiency"), measure((*builder).RecordVllmSpecDecodeEfficiencyDataPoint)},

	{"vllm.engine.sleep_state", from("engine_sleep_state"), countBy("sleep_state", (*builder).RecordVllmEngineSleepStateDataPoint)},
	{"vllm.engine.healthy", from("engine_healthy"), count((*builder).RecordVllmEngineHealthyDataPoint)},
	{"vllm.gpu.estimated_flops", from("estimated_flops_per_gpu"), measure((*builder).RecordVllmGpuEstimatedFlopsDataPoint)},
	{"vllm.gpu.estimated_read", from("estimated_read_bytes_per_gpu"), measure((*builder).RecordVllmGpuEstimatedReadDataPoint)},
	{"vllm.gpu.estimated_write", from("estimated_write_bytes_per_gpu"), measure((*builder).RecordVllmGpuEstimatedWriteDataPoint)},
}

// httpNumbers come from the API server around the engine and have no model.
var httpNumbers = []number{
	{"vllm.http.requests", from("http_requests"), httpRequests},
}

func from(sources ...string) []string { return sources }

func count(record func(*builder, pcommon.Timestamp, int64, string, ...option)) recorder {
	return func(mb *builder, p point) bool {
		n, ok := p.whole()
		if ok {
			record(mb, p.now, n, p.model, p.options...)
		}
		return ok
	}
}

func countBy(label string, record func(*builder, pcommon.Timestamp, int64, string, string, ...option)) recorder {
	return func(mb *builder, p point) bool {
		n, ok := p.whole()
		if ok {
			record(mb, p.now, n, p.model, p.labels.Get(label), p.options...)
		}
		return ok
	}
}

func measure(record func(*builder, pcommon.Timestamp, float64, string, ...option)) recorder {
	return func(mb *builder, p point) bool {
		record(mb, p.now, p.value, p.model, p.options...)
		return true
	}
}

func hitRatio(device metadata.AttributeVllmCacheDevice) recorder {
	return func(mb *builder, p point) bool {
		mb.RecordVllmPrefixCacheHitRatioDataPoint(p.now, p.value, p.model, device, p.options...)
		return true
	}
}

func acceptedByPosition(mb *builder, p point) bool {
	n, ok := p.whole()
	position, err := strconv.ParseInt(p.labels.Get("position"), 10, 64)
	if !ok || err != nil {
		return false
	}
	mb.RecordVllmSpecDecodeAcceptedTokensByPositionDataPoint(p.now, n, p.model, position, p.options...)
	return true
}

func httpRequests(mb *builder, p point) bool {
	n, ok := p.whole()
	if ok {
		mb.RecordVllmHTTPRequestsDataPoint(p.now, n, p.labels.Get("method"), p.labels.Get("handler"), p.labels.Get("status"))
	}
	return ok
}

// whole returns the value as an integer, false if it does not fit one.
func (p *point) whole() (int64, bool) {
	return int64(p.value), p.value < math.MaxInt64
}

// tally counts what was found on a page.
type tally struct {
	// unknown are series of vLLM that no table here knows, with the name of the
	// first of them.
	unknown      int
	firstUnknown string
	// invalid are series whose value cannot be.
	invalid      int
	firstInvalid string
}

func (t *tally) addUnknown(name string, series int) {
	if t.unknown == 0 {
		t.firstUnknown = name
	}
	t.unknown += series
}

func (t *tally) addInvalid(name string) {
	if t.invalid == 0 {
		t.firstInvalid = name
	}
	t.invalid++
}

// recordNumbers records all gauges and counters of the page.
func recordNumbers(mb *builder, page *enginePage, now pcommon.Timestamp, t *tally) {
	for i := range numbers {
		if f := page.first(numbers[i].sources); f != nil {
			recordFamily(mb, &numbers[i], f, page.severalEngines, now, t)
		}
	}
	for i := range httpNumbers {
		if f := page.http[httpNumbers[i].sources[0]]; f != nil {
			recordFamily(mb, &httpNumbers[i], f, false, now, t)
		}
	}
}

func recordFamily(mb *builder, n *number, f *promtext.Family, engines bool, now pcommon.Timestamp, t *tally) {
	for i := range f.Series {
		s := &f.Series[i]
		if s.Value == -1 && n.metric == "vllm.prefix_cache.hit_ratio" {
			continue // not known yet
		}
		p := point{now: now, value: s.Value, labels: s.Labels, model: s.Labels.Get(labelModel)}
		if engines {
			p.options = []option{metadata.WithVllmEngineMetricAttribute(s.Labels.Get(labelEngine))}
		}
		// Nothing that vLLM counts or measures is negative.
		if s.Histogram != nil || !isNumber(s.Value) || s.Value < 0 || !n.record(mb, p) {
			t.addInvalid(f.Name)
		}
	}
}

// superseded are families that say nothing which others beside them do not.
var superseded = []string{
	"tokens", // prompt_tokens and generation_tokens together, V0 only
}

// known holds the names of all engine families that some part of the receiver
// reads or rightly leaves out, in whatever version.
var known = func() map[string]bool {
	names := map[string]bool{cacheConfig: true, loraInfo: true}
	for _, name := range superseded {
		names[name] = true
	}
	for _, n := range numbers {
		for _, source := range n.sources {
			names[source] = true
		}
	}
	for _, h := range histograms {
		for _, source := range h.sources {
			names[source] = true
		}
	}
	return names
}()

// countUnknown counts the series of vLLM that nothing here reads.
func countUnknown(page *enginePage, t *tally) {
	for i := range page.page.Families {
		f := &page.page.Families[i]
		if name, ok := engineMetric(f); ok && len(f.Series) > 0 && !known[name] {
			t.addUnknown(f.Name, len(f.Series))
		}
	}
}
