package litellmreceiver

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prom "github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// notRecorded are the families whose values are deliberately not recorded, or only
// with a setting that the law does not use. Whoever adds one gives a reason.
var notRecorded = map[string]string{
	"deployment_failure_by_tag_responses":  "the failures once more, for each tag",
	"overhead_with_guardrails_latency":     "overhead and guardrails tell",
	"team_members":                         "an inventory",
	"remaining_api_key_requests_for_model": "only with labels::key_alias or key_hash",
	"remaining_api_key_tokens_for_model":   "only with labels::key_alias or key_hash",
	"team_max_budget":                      "only with labels::team or team_alias",
	"api_key_max_budget":                   "only with labels::key_alias or key_hash",
	"user_max_budget":                      "only with labels::user",
	"org_max_budget":                       "only with labels::organization or organization_alias",
}

// bookkeeping is what the proxy does for itself.
var bookkeeping = []string{"managed_", "check_batch_cost_", "scheduled_job_", "cronjob_lock_"}

// attributeOf says what labels become; all others are dropped.
var attributeOf = map[string]string{
	"requested_model": "gen_ai.request.model", "model_group": "gen_ai.request.model",
	"model": "gen_ai.response.model", "litellm_model_name": "gen_ai.response.model",
	"status_code": "http.response.status_code", "exception_status": "error.type", "exception_class": "litellm.exception.class",
	"error_type": "error.type", "error_class": "error.type", "model_id": "litellm.deployment.id",
	"fallback_model": "litellm.fallback.model", "callback_name": "litellm.callback", "guardrail_name": "litellm.guardrail.name",
	"status": "litellm.guardrail.status", "hook_type": "litellm.guardrail.hook", "mcp_server_name": "litellm.mcp.server",
	"mcp_tool_name": "litellm.mcp.tool",
}

// byProvider are names of providers in the test's pages.
var byProvider = map[string]string{"hosted_vllm": "vllm", "azure": "azure.ai.openai", "bedrock": "aws.bedrock", "ollama": "ollama", "openai": "openai", "anthropic": "anthropic"}

// onDeployments are the families whose series tell the deployment.
func onDeployments(name string) bool {
	return strings.HasPrefix(name, "deployment_") && !strings.Contains(name, "fallback") || strings.HasPrefix(name, "remaining_requests") || strings.HasPrefix(name, "remaining_tokens")
}

// expected is what must be recorded of the series that become one point.
type expected struct {
	value   float64
	series  int
	buckets map[float64]uint64
	count   uint64
	sum     float64
}

// assertNothingLost is the law of this receiver: every series of the page is in what
// was recorded, added up with those that differ only in labels that are dropped.
// The page is read by another parser than the receiver's own, and added up by other
// code.
func assertNothingLost(t *testing.T, page []byte, got readings) {
	t.Helper()
	assert.Zero(t, got.value(t, "litellm.scrape.unknown_series"))
	assert.Zero(t, got.value(t, "litellm.scrape.invalid_series"))
	parser := expfmt.NewTextParser(prom.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	require.NoError(t, err)
	checked := 0
	for name, family := range families {
		name, ok := strings.CutPrefix(name, "litellm_")
		if !ok || strings.HasSuffix(name, "_created") {
			continue
		}
		name = strings.TrimSuffix(strings.TrimSuffix(name, "_total"), "_metric")
		if notRecorded[name] != "" || slices.ContainsFunc(bookkeeping, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			continue
		}
		metric := metricOf(t, name)
		want, states := map[string]*expected{}, map[string]int{}
		for _, series := range family.Metric {
			v := valueOf(series)
			if strings.Contains(name, "budget") || strings.HasPrefix(name, "remaining_") {
				if v >= 9.22e18 {
					continue // no limit
				}
			}
			attributes := attributesOf(name, series)
			if name == "deployment_state" {
				states[attributes] = max(states[attributes], int(v)) // the worst that a worker says
				continue
			}
			if want[attributes] == nil {
				want[attributes] = &expected{buckets: map[float64]uint64{}}
			}
			want[attributes].add(name, v, series)
		}
		for attributes, state := range states {
			for i, of := range []string{"healthy", "partial", "outage"} {
				w := &expected{series: 1}
				if i == state {
					w.value = 1
				}
				want[attributes+"litellm.deployment.state="+of+"\n"] = w
			}
		}
		for attributes, w := range want {
			assertRecorded(t, name, metric, attributes, w, got)
			checked++
		}
	}
	assert.Greater(t, checked, 10)
}

func valueOf(series *dto.Metric) float64 {
	return series.GetGauge().GetValue() + series.GetCounter().GetValue() + series.GetUntyped().GetValue()
}

// add is how series become one: the least of what is left, the most of what is
// told by several, else the sum.
func (e *expected) add(name string, v float64, series *dto.Metric) {
	e.series++
	switch {
	case series.Histogram != nil:
		e.count += series.Histogram.GetSampleCount()
		e.sum += series.Histogram.GetSampleSum()
		for _, b := range series.Histogram.GetBucket() {
			e.buckets[b.GetUpperBound()] += b.GetCumulativeCount()
		}
	case series.Counter != nil, name == "in_flight_requests", strings.HasSuffix(name, "_size"):
		e.value += v
	case e.series == 1:
		e.value = v
	case strings.Contains(name, "remaining"):
		e.value = min(e.value, v)
	default:
		e.value = max(e.value, v)
	}
}

// metricOf finds the metric in the receiver's tables.
func metricOf(t *testing.T, name string) string {
	t.Helper()
	for _, source := range []string{name, name + "_metric"} {
		if n := numberOf[source]; n != nil {
			return n.metric
		}
		if h := histogramOf[source]; h != nil {
			return h.metric
		}
	}
	for suffix, metric := range map[string]string{
		"_latency": "litellm.service.duration", "_failed_requests": "litellm.service.failures", "_total_requests": "litellm.service.requests",
		"_queue_size": "litellm.service.queue.size", "_lock_manager_size": "litellm.service.lock.held",
	} {
		if strings.HasSuffix(name, suffix) {
			return metric
		}
	}
	require.Fail(t, "no metric is made of it", name)
	return ""
}

// attributesOf are those that a series must have, one a line, sorted.
func attributesOf(name string, series *dto.Metric) string {
	attributes := map[string]string{}
	provider := ""
	for _, l := range series.GetLabel() {
		value := l.GetValue()
		as := attributeOf[l.GetName()]
		switch {
		case value == "" || value == "None":
		case l.GetName() == "api_provider":
			provider = value
		case as == "" || as == "litellm.deployment.id" && !onDeployments(name):
		case name == "requests_shed" && as == "litellm.guardrail.status":
		default:
			attributes[as] = value
		}
	}
	if of, class, ok := strings.Cut(attributes["litellm.exception.class"], "."); ok {
		attributes["litellm.exception.class"] = class
		if provider == "" {
			provider = strings.ToLower(of)
		}
	}
	if class := attributes["litellm.exception.class"]; class != "" && attributes["error.type"] == "" {
		attributes["error.type"] = class
	}
	if provider != "" {
		attributes["gen_ai.provider.name"] = byProvider[provider]
		if byProvider[provider] != provider {
			attributes["litellm.provider"] = provider
		}
	}
	switch {
	case strings.HasSuffix(name, "successful_fallbacks"):
		attributes["litellm.outcome"] = "successful"
	case strings.HasSuffix(name, "failed_fallbacks"):
		attributes["litellm.outcome"] = "failed"
	case strings.Contains(name, "_budget"):
		for _, entity := range []string{"team", "api_key", "user", "org", "provider"} {
			if strings.Contains(name, entity+"_") && !strings.HasPrefix(name, "reset_budget_job") {
				attributes["litellm.budget.entity.type"] = entity
			}
		}
	}
	if numberOf[name] == nil && numberOf[name+"_metric"] == nil && histogramOf[name] == nil && histogramOf[name+"_metric"] == nil {
		of := name
		for _, suffix := range []string{"_latency", "_failed_requests", "_total_requests", "_size"} {
			of = strings.TrimSuffix(of, suffix)
		}
		attributes["litellm.service"] = of
	}
	var lines []string
	for k, v := range attributes {
		lines = append(lines, k+"="+v+"\n")
	}
	return sortedLines(strings.Join(lines, ""))
}

func sortedLines(text string) string {
	lines := slices.Collect(strings.Lines(text))
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// assertRecorded looks for the point with these attributes and no others. What the
// list of deployments adds does not count.
func assertRecorded(t *testing.T, name, metric, attributes string, want *expected, got readings) {
	t.Helper()
	attributes = sortedLines(attributes)
	var others []string
	for _, r := range got.of(metric) {
		var lines []string
		for k, v := range r.attributes {
			lines = append(lines, fmt.Sprintf("%s=%v\n", k, v))
		}
		if has := sortedLines(strings.Join(lines, "")); has != attributes {
			others = append(others, has)
			continue
		}
		if len(want.buckets) == 0 {
			if metric == "litellm.budget.reset" {
				want.value *= 3600
			}
			assert.InDelta(t, want.value, r.value, math.Abs(want.value)*1e-12, "%s %s", name, attributes)
			return
		}
		assertHistogram(t, name, want, r)
		return
	}
	assert.Fail(t, "series lost", "%s\n%s is not in %s, which has\n%s", name, attributes, metric, strings.Join(others, "\n"))
}

func assertHistogram(t *testing.T, name string, want *expected, r reading) {
	t.Helper()
	require.True(t, r.isHistogram(), name)
	assert.Equal(t, want.count, r.histogram.Count(), name)
	assert.InDelta(t, want.sum, r.histogram.Sum(), want.sum*1e-12, name)
	if _, ok := want.buckets[math.Inf(1)]; !ok {
		want.buckets[math.Inf(1)] = want.count // a trimmed page
	}
	bounds, counts := r.histogram.ExplicitBounds(), r.histogram.BucketCounts()
	require.Equal(t, len(want.buckets), counts.Len(), name)
	cumulative := uint64(0)
	for i := range counts.Len() {
		cumulative += counts.At(i)
		bound := math.Inf(1)
		if i < bounds.Len() {
			bound = bounds.At(i)
		}
		assert.Equal(t, want.buckets[bound], cumulative, "%s: bucket %v", name, bound)
	}
}
