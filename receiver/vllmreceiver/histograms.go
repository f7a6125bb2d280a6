package vllmreceiver

import (
	prom "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// providerName is gen_ai.provider.name of everything that vLLM serves; the
// conventions have no well-known value for it and allow a custom one.
const providerName = "vllm"

// histogram says which metric is made of which histogram on the page. It stands
// in for what metadata.yaml cannot declare.
type histogram struct {
	metric      string
	enabled     bool
	description string
	unit        string
	// sources are names of one quantity through the versions, best first.
	sources []string
	// needsPlainDecoding says that the last source is per engine step, and so
	// means the same only without speculative decoding.
	needsPlainDecoding bool
	attributes         func(to pcommon.Map, from labels.Labels)
}

var histograms = []histogram{
	{
		metric: "gen_ai.server.request.duration", enabled: true, unit: "s",
		description: "Time from arrival of a request to its last token; finished requests only.",
		sources:     from("e2e_request_latency_seconds"), attributes: genAIAttributes,
	},
	{
		metric: "gen_ai.server.time_to_first_token", enabled: true, unit: "s",
		description: "Time from arrival of a request to its first token, waiting included.",
		sources:     from("time_to_first_token_seconds"), attributes: genAIAttributes,
	},
	{
		metric: "gen_ai.server.time_per_output_token", enabled: true, unit: "s",
		description: "Time per token after the first: the mean of each request, or each interval on servers that do not give the mean.",
		sources:     from("request_time_per_output_token_seconds", "time_per_output_token_seconds", "inter_token_latency_seconds"), needsPlainDecoding: true,
		attributes: genAIAttributes,
	},
	{
		metric: "vllm.inter_token_latency", enabled: true, unit: "s",
		description: "Time between two outputs of a request: between tokens, or between engine steps with speculative decoding.",
		sources:     from("inter_token_latency_seconds", "time_per_output_token_seconds"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.queue.duration", enabled: true, unit: "s",
		description: "Time a request waited before it ran.",
		sources:     from("request_queue_time_seconds", "time_in_queue_requests"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.inference.duration", enabled: true, unit: "s",
		description: "Time a request ran, prefill and decode together.",
		sources:     from("request_inference_time_seconds"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.prefill.duration", enabled: true, unit: "s",
		description: "Time from a request's start to its first token.",
		sources:     from("request_prefill_time_seconds"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.decode.duration", enabled: true, unit: "s",
		description: "Time from a request's first token to its last.",
		sources:     from("request_decode_time_seconds"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.input_tokens", enabled: true, unit: "{token}",
		description: "Prompt tokens of a request.",
		sources:     from("request_prompt_tokens"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.output_tokens", enabled: true, unit: "{token}",
		description: "Tokens generated for a request.",
		sources:     from("request_generation_tokens"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.max_output_tokens", unit: "{token}",
		description: "Longest of the answers generated for a request.",
		sources:     from("request_max_num_generation_tokens"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.prefill_computed_tokens", unit: "{token}",
		description: "Prompt tokens of a request that were computed, not taken from a cache.",
		sources:     from("request_prefill_kv_computed_tokens"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.preemptions", enabled: true, unit: "{preemption}",
		description: "Times a request was pushed out of the running batch.",
		sources:     from("request_num_preemptions"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.params.n", unit: "{answer}",
		description: "Answers asked for in a request (parameter n).",
		sources:     from("request_params_n"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.params.best_of", unit: "{answer}",
		description: "Answers to choose from in a request (parameter best_of, V0 engine).",
		sources:     from("request_params_best_of"), attributes: modelAttributes,
	},
	{
		metric: "vllm.request.params.max_tokens", unit: "{token}",
		description: "Tokens that a request allows for the answer (parameter max_tokens).",
		sources:     from("request_params_max_tokens"), attributes: modelAttributes,
	},
	{
		metric: "vllm.model.forward.duration", unit: "ms",
		description: "Time in the forward pass of the model for a request (V0 engine with --collect-detailed-traces).",
		sources:     from("model_forward_time_milliseconds"), attributes: modelAttributes,
	},
	{
		metric: "vllm.model.execute.duration", unit: "ms",
		description: "Time in the model executor for a request: forward pass, block sync and sampling (V0 engine with --collect-detailed-traces).",
		sources:     from("model_execute_time_milliseconds"), attributes: modelAttributes,
	},
	{
		metric: "vllm.iteration.tokens", enabled: true, unit: "{token}",
		description: "Tokens processed in an engine step: the real batch size.",
		sources:     from("iteration_tokens_total"), attributes: modelAttributes,
	},
	{
		metric: "vllm.kv_block.lifetime", enabled: true, unit: "s",
		description: "Time a KV-cache block lived; needs --kv-cache-metrics.",
		sources:     from("kv_block_lifetime_seconds"), attributes: modelAttributes,
	},
	{
		metric: "vllm.kv_block.idle_before_evict", enabled: true, unit: "s",
		description: "Time a KV-cache block lay idle before it was evicted; needs --kv-cache-metrics.",
		sources:     from("kv_block_idle_before_evict_seconds"), attributes: modelAttributes,
	},
	{
		metric: "vllm.kv_block.reuse_gap", enabled: true, unit: "s",
		description: "Time between two uses of a KV-cache block; needs --kv-cache-metrics.",
		sources:     from("kv_block_reuse_gap_seconds"), attributes: modelAttributes,
	},
}

// httpHistograms come from the API server around the engine. Its size metrics
// have no buckets: only count and sum say something there.
var httpHistograms = []histogram{
	{
		metric: "http.server.request.duration", enabled: true, unit: "s",
		description: "Time to answer HTTP requests, by route.",
		sources:     from("http_request_duration_seconds"), attributes: httpAttributes,
	},
	{
		metric: "vllm.http.request.duration", unit: "s",
		description: "Time to answer HTTP requests, all routes together, in fine buckets.",
		sources:     from("http_request_duration_highr_seconds"), attributes: httpAttributes,
	},
	{
		metric: "http.server.request.body.size", unit: "By",
		description: "Size of HTTP request bodies, by route.",
		sources:     from("http_request_size_bytes"), attributes: httpAttributes,
	},
	{
		metric: "http.server.response.body.size", unit: "By",
		description: "Size of HTTP response bodies, by route.",
		sources:     from("http_response_size_bytes"), attributes: httpAttributes,
	},
}

func modelAttributes(to pcommon.Map, from labels.Labels) {
	to.PutStr("gen_ai.request.model", from.Get(labelModel))
}

func genAIAttributes(to pcommon.Map, from labels.Labels) {
	modelAttributes(to, from)
	to.PutStr("gen_ai.provider.name", providerName)
}

func httpAttributes(to pcommon.Map, from labels.Labels) {
	if method := from.Get("method"); method != "" {
		to.PutStr("http.request.method", method)
	}
	if route := from.Get("handler"); route != "" {
		to.PutStr("http.route", route)
	}
}

func histogramNames() []string {
	var names []string
	for _, list := range [][]histogram{histograms, httpHistograms} {
		for _, h := range list {
			names = append(names, h.metric)
		}
	}
	return names
}

// enabled says whether the histogram is wanted, by default or by configuration.
func (c HistogramsConfig) enabled(h *histogram) bool {
	if set := c[h.metric].Enabled; set != nil {
		return *set
	}
	return h.enabled
}

// source returns the family to make the histogram of, or nil.
func (h *histogram) source(page *enginePage) *promtext.Family {
	sources := h.sources
	if h.needsPlainDecoding && page.families["spec_decode_num_drafts"] != nil {
		sources = sources[:len(sources)-1]
	}
	return page.first(sources)
}

// recordHistograms appends the histograms of the page to ms.
func recordHistograms(ms pmetric.MetricSlice, cfg HistogramsConfig, page *enginePage, start, now pcommon.Timestamp, t *tally) {
	for i := range histograms {
		h := &histograms[i]
		if f := h.source(page); f != nil && cfg.enabled(h) {
			h.record(ms, f, page.severalEngines, start, now, t)
		}
	}
	for i := range httpHistograms {
		h := &httpHistograms[i]
		if f := page.http[h.sources[0]]; f != nil && cfg.enabled(h) {
			h.record(ms, f, false, start, now, t)
		}
	}
}

func (h *histogram) record(ms pmetric.MetricSlice, f *promtext.Family, engines bool, start, now pcommon.Timestamp, t *tally) {
	m := pmetric.NewMetric()
	m.SetName(h.metric)
	m.SetDescription(h.description)
	m.SetUnit(h.unit)
	data := m.SetEmptyHistogram()
	data.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	data.DataPoints().EnsureCapacity(len(f.Series))
	for i := range f.Series {
		s := &f.Series[i]
		if s.Histogram == nil || !s.Histogram.Valid() || f.Type == prom.MetricTypeSummary && len(s.Histogram.Bounds) > 0 {
			t.addInvalid(f.Name)
			continue
		}
		dp := data.DataPoints().AppendEmpty()
		dp.SetStartTimestamp(start)
		dp.SetTimestamp(now)
		s.Histogram.CopyTo(dp)
		h.attributes(dp.Attributes(), s.Labels)
		if engines {
			dp.Attributes().PutStr("vllm.engine", s.Labels.Get(labelEngine))
		}
	}
	if data.DataPoints().Len() > 0 {
		m.MoveTo(ms.AppendEmpty())
	}
}
