package simulator

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLiteLLMDialects(t *testing.T) {
	first := map[string]LiteLLMVersion{
		"litellm_proxy_total_requests_metric_total":             LiteLLM1_65_0,
		"litellm_deployment_state":                              LiteLLM1_65_0,
		"litellm_remaining_team_budget_metric":                  LiteLLM1_65_0,
		"litellm_remaining_user_budget_metric":                  LiteLLM1_80_0,
		"litellm_callback_logging_failures_metric_total":        LiteLLM1_80_0,
		"litellm_input_tokens_metric_total":                     LiteLLM1_80_15,
		"litellm_remaining_requests_metric":                     LiteLLM1_80_15,
		"litellm_request_queue_time_seconds":                    LiteLLM1_80_15,
		"litellm_guardrail_errors_total":                        LiteLLM1_80_15,
		"litellm_cache_hits_metric_total":                       LiteLLM1_80_15,
		"litellm_in_flight_requests":                            LiteLLM1_82_0,
		"litellm_total_users":                                   LiteLLM1_82_0,
		"litellm_deployment_tpm_limit":                          LiteLLM1_82_0,
		"litellm_remaining_org_budget_metric":                   LiteLLM1_83_7,
		"litellm_provider_cache_read_input_tokens_metric_total": LiteLLM1_95_0,
		"litellm_active_users":                                  LiteLLM1_95_0,
		"litellm_managed_batch_created_total":                   LiteLLM1_95_0,
		"litellm_mcp_tool_calls_total":                          LiteLLM1_95_0,
	}
	until := map[string]LiteLLMVersion{
		"litellm_input_tokens_total":                        LiteLLM1_80_15,
		"litellm_remaining_requests":                        LiteLLM1_80_15,
		"litellm_deployment_failure_by_tag_responses_total": LiteLLM1_80_0,
	}
	for _, version := range LiteLLMVersions() {
		page := playedProxy(LiteLLMConfig{Version: version}).Page()
		types := parse(t, page).types
		for name, from := range first {
			_, ok := types[name]
			assert.Equal(t, version.has(from), ok, "%s in %s", name, version)
		}
		for name, before := range until {
			_, ok := types[name]
			assert.Equal(t, !version.has(before), ok, "%s in %s", name, version)
		}
		text := string(page)
		for label, from := range map[string]LiteLLMVersion{
			`route="`: LiteLLM1_72_0, `user_email="`: LiteLLM1_72_0, `client_ip="192.0.2.1"`: LiteLLM1_82_0, `user_agent="curl"`: LiteLLM1_82_0, `org_id="None"`: LiteLLM1_95_0,
		} {
			assert.Equal(t, version.has(from), strings.Contains(text, label), "%s in %s", label, version)
		}
		assert.Equal(t, version.has(LiteLLM1_72_0), !strings.Contains(text, `end_user="e1"`), version)
		buckets := strings.Count(text, "litellm_llm_api_latency_metric_bucket{") / strings.Count(text, "litellm_llm_api_latency_metric_count{")
		assert.Equal(t, map[bool]int{false: 36, true: 18}[version.has(LiteLLM1_83_7)], buckets, version)
	}
	assert.Panics(t, func() { NewLiteLLM(LiteLLMConfig{Version: "0.1"}) })
}

// TestLiteLLMNames: no family has a name, a key or a label twice, and none is without help.
func TestLiteLLMNames(t *testing.T) {
	for _, version := range LiteLLMVersions() {
		cfg := LiteLLMConfig{Version: version, PrometheusSystem: true, CustomLabels: []string{"metadata_a"}, StreamLabel: true}
		seen := make(map[string]bool)
		for _, f := range cfg.families() {
			assert.False(t, seen[f.key], f.key)
			assert.False(t, seen[f.name], f.name)
			seen[f.key], seen[f.name] = true, true
			assert.NotEmpty(t, f.help, f.name)
			assert.Equal(t, f.kind == kindHistogram, f.bounds != nil, f.name)
			labels := make(map[string]bool)
			for _, label := range f.labels {
				assert.False(t, labels[label], "%s %s", f.name, label)
				labels[label] = true
			}
		}
	}
}

// TestLiteLLMPremium: before 1.80.0 metrics need a licence.
func TestLiteLLMPremium(t *testing.T) {
	page := string(playedProxy(LiteLLMConfig{NotPremium: true, Version: LiteLLM1_72_0, PrometheusSystem: true}).Page())
	assert.Contains(t, page, "\nlitellm_not_a_premium_user_metric_total 0.0\n")
	assert.NotContains(t, page, "litellm_proxy")
	assert.Contains(t, page, "python_info")
	page = string(playedProxy(LiteLLMConfig{NotPremium: true, Version: LiteLLM1_80_0}).Page())
	assert.NotContains(t, page, "premium")
	assert.Contains(t, page, "litellm_proxy_total_requests_metric_total{")
}

// TestLiteLLMLabels: the administrator adds labels and drops others.
func TestLiteLLMLabels(t *testing.T) {
	l := NewLiteLLM(LiteLLMConfig{CustomLabels: []string{"metadata_department", "tag_batch", "tag_other"}, StreamLabel: true})
	r := served(0)
	r.Custom, r.Tags, r.FirstToken = map[string]string{"metadata_department": "it"}, []string{"batch"}, 1
	l.Finish(r)
	l.Finish(served(0))
	page := string(l.Page())
	assert.Regexp(t, `litellm_spend_metric_total\{.*metadata_department="it".*tag_batch="true",tag_other="false"`, page)
	assert.Regexp(t, `litellm_spend_metric_total\{.*metadata_department="None".*tag_batch="false"`, page)
	assert.Regexp(t, `litellm_proxy_total_requests_metric_total\{.*stream="True"`, page)
	assert.Regexp(t, `litellm_proxy_total_requests_metric_total\{.*stream="False"`, page)
	assert.NotRegexp(t, `litellm_proxy_failed_requests_metric_total\{.*stream=`, page)

	l = NewLiteLLM(LiteLLMConfig{DropLabels: []string{"user", "hashed_api_key"}, DropMetrics: []string{"litellm_spend_metric"}, LatencyBounds: []float64{1, 2}})
	for _, user := range []string{"a", "b"} {
		r := served(0)
		r.User, r.Key = user, user
		l.Finish(r)
	}
	page = string(l.Page())
	assert.NotContains(t, page, `,user="`)
	assert.NotContains(t, page, "litellm_spend_metric")
	assert.Equal(t, 1, strings.Count(page, "litellm_proxy_total_requests_metric_total{"), "two series became one")
	assert.Equal(t, 2.0, total(t, l.Page(), "litellm_proxy_total_requests_metric_total", ""))
	assert.Equal(t, 3, strings.Count(page, "litellm_request_total_latency_metric_bucket{"))
}

// TestLiteLLMTags: old versions count failures by tag.
func TestLiteLLMTags(t *testing.T) {
	l := playedProxy(LiteLLMConfig{Version: LiteLLM1_72_0})
	assert.Equal(t, 4.0, total(t, l.Page(), "litellm_deployment_failure_by_tag_responses_total", `tag="batch"`))
}

func TestLiteLLMExtra(t *testing.T) {
	for _, together := range []bool{false, true} {
		page := string(NewLiteLLM(LiteLLMConfig{Extra: "a_new_one 1.0\n", MultiProcess: together}).Page())
		require.True(t, strings.HasSuffix(page, "a_new_one 1.0\n"))
	}
}
