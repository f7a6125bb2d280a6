package litellmreceiver

import (
	prom "github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// histogram says which metric is made of which histogram on the page. It stands in
// for what metadata.yaml cannot declare.
type histogram struct {
	metric      string
	enabled     bool
	description string
	unit        string
	sources     []string
	labels      []label
	impersonal  bool
	// fixed is an attribute that the name of the family says.
	fixed attribute
}

var histograms = []histogram{
	{
		metric: "gen_ai.server.request.duration", enabled: true, unit: "s",
		// The words are those of the vLLM receiver: one name has one text at the exporter.
		description: "Time from arrival of a request to its last token; finished requests only.",
		sources:     from("request_total_latency_metric"), labels: ofModels,
	},
	{
		metric: "gen_ai.client.operation.duration", enabled: true, unit: "s",
		description: "Time that the provider took to answer: the proxy as a client.",
		sources:     from("llm_api_latency_metric"), labels: ofModels,
	},
	{
		metric: "gen_ai.client.operation.time_to_first_chunk", enabled: true, unit: "s",
		description: "Time to the first part of a streamed answer of the provider.",
		sources:     from("llm_api_time_to_first_token_metric"), labels: ofModels,
	},
	{
		metric: "litellm.overhead.duration", enabled: true, unit: "s",
		description: "Time that the proxy itself added to a request.",
		sources:     from("overhead_latency_metric"), labels: ofGroups,
	},
	{
		metric: "litellm.request.queue.duration", enabled: true, unit: "s",
		description: "Time that a request waited before the proxy began with it.",
		sources:     from("request_queue_time_seconds"), labels: ofModels,
	},
	{
		metric: "litellm.deployment.latency_per_output_token", enabled: true, unit: "s",
		description: "Time that a deployment took to answer, divided by the tokens of the answer.",
		sources:     from("deployment_latency_per_output_token"), labels: ofDeployments,
	},
	{
		metric: "litellm.guardrail.duration", enabled: true, unit: "s",
		description: "Time that a guardrail took.",
		sources:     from("guardrail_latency_seconds"), impersonal: true,
		labels: with(ofGuardrails, []label{{"status", attrGuardrailStatus}, {"error_type", attrErrorType}}),
	},
}

func histogramNames() []string {
	var names []string
	for i := range histograms {
		names = append(names, histograms[i].metric)
	}
	return append(names, serviceHistogram.metric)
}

// enabled says whether the histogram is wanted, by default or by configuration.
func (c HistogramsConfig) enabled(h *histogram) bool {
	if set := c[h.metric].Enabled; set != nil {
		return *set
	}
	return h.enabled
}

// distribution is one histogram on its way from the page.
type distribution struct {
	attributes
	*promtext.Histogram
}

// add adds up two histograms of one series. It returns false if they have different
// bounds.
func (d *distribution) add(h *promtext.Histogram) bool {
	if len(d.Bounds) != len(h.Bounds) {
		return false
	}
	sum := &promtext.Histogram{Bounds: d.Bounds, Counts: make([]float64, len(d.Counts)), Count: d.Count + h.Count, Sum: d.Sum + h.Sum}
	for i := range d.Counts {
		if d.Bounds[i] != h.Bounds[i] {
			return false
		}
		sum.Counts[i] = d.Counts[i] + h.Counts[i]
	}
	d.Histogram = sum
	return true
}

// sound says whether a series can be a histogram that is true.
func sound(typ prom.MetricType, h *promtext.Histogram) bool {
	return h != nil && h.Valid() && (typ != prom.MetricTypeSummary || len(h.Bounds) == 0)
}

// write appends the histogram to ms.
func (h *histogram) write(ms pmetric.MetricSlice, points []distribution, start, now pcommon.Timestamp) {
	if len(points) == 0 {
		return
	}
	m := ms.AppendEmpty()
	m.SetName(h.metric)
	m.SetDescription(h.description)
	m.SetUnit(h.unit)
	data := m.SetEmptyHistogram()
	data.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	data.DataPoints().EnsureCapacity(len(points))
	for i := range points {
		dp := data.DataPoints().AppendEmpty()
		dp.SetStartTimestamp(start)
		dp.SetTimestamp(now)
		points[i].CopyTo(dp)
		points[i].copyTo(dp.Attributes())
	}
}
