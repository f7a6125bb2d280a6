package simulator

import "slices"

// LiteLLMVersion names a dialect: a release at which metrics or API changed.
type LiteLLMVersion string

// The dialects. 1.72.0 and 1.82.0 are pinned by captures (the former trimmed), the others follow release notes and issue
// reports (~).
const (
	// LiteLLM1_65_0 names end users.
	LiteLLM1_65_0 LiteLLMVersion = "1.65.0"
	// LiteLLM1_72_0 leaves end users empty; old names of tokens and remainders.
	LiteLLM1_72_0 LiteLLMVersion = "1.72.0"
	// LiteLLM1_80_0 counts failures of callbacks; metrics for everybody.
	LiteLLM1_80_0 LiteLLMVersion = "1.80.0"
	// LiteLLM1_80_15 has the names that end in _metric, queue times, guardrails, and cache hits.
	LiteLLM1_80_15 LiteLLMVersion = "1.80.15"
	// LiteLLM1_82_0 has requests in flight, users and teams, client_ip and user_agent.
	LiteLLM1_82_0 LiteLLMVersion = "1.82.0"
	// LiteLLM1_83_7 has 18 latency buckets instead of 35, and budgets of organisations.
	LiteLLM1_83_7 LiteLLMVersion = "1.83.7"
	// LiteLLM1_85_0 wants a key for /metrics.
	LiteLLM1_85_0 LiteLLMVersion = "1.85.0"
	// LiteLLM1_88_0 says less at /health/readiness, and the rest at /health/readiness/details.
	LiteLLM1_88_0 LiteLLMVersion = "1.88.0"
	// LiteLLM1_95_0 has providers and organisations on requests, and tokens of the providers' caches.
	LiteLLM1_95_0 LiteLLMVersion = "1.95.0"
)

// LiteLLMVersions lists the dialects from the oldest to the newest.
func LiteLLMVersions() []LiteLLMVersion {
	return []LiteLLMVersion{
		LiteLLM1_65_0, LiteLLM1_72_0, LiteLLM1_80_0, LiteLLM1_80_15, LiteLLM1_82_0, LiteLLM1_83_7, LiteLLM1_85_0, LiteLLM1_88_0, LiteLLM1_95_0,
	}
}

func liteOrder(v LiteLLMVersion) int { return slices.Index(LiteLLMVersions(), v) }

// liteFamily is one family: its name and labels in a dialect.
type liteFamily struct {
	// key is how the code calls it, name how the page does, without _total.
	key, name string
	kind      kind
	help      string
	labels    []string
	bounds    []float64
}

// since returns labels that came with a version.
func (v LiteLLMVersion) since(from LiteLLMVersion, labels ...string) []string {
	if liteOrder(v) >= liteOrder(from) {
		return labels
	}
	return nil
}

func (v LiteLLMVersion) has(from LiteLLMVersion) bool { return liteOrder(v) >= liteOrder(from) }

// Latency bounds in seconds, as captured, and those of 1.83.7 (~).
var (
	liteBounds = []float64{
		0.005, 0.00625, 0.0125, 0.025, 0.05, 0.1, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5, 10,
		15, 20, 25, 30, 60, 120, 180, 240, 300,
	}
	liteBounds18   = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 20, 30, 60, 120, 300}
	perTokenBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
)

// families lists what the proxy declares, in the order of the page.
func (v LiteLLMVersion) families() []liteFamily {
	bounds := liteBounds
	if v.has(LiteLLM1_83_7) {
		bounds = liteBounds18
	}
	identity := []string{"end_user", "hashed_api_key", "api_key_alias", "team", "team_alias", "user"}
	client := v.since(LiteLLM1_82_0, "client_ip", "user_agent")
	id := v.since(LiteLLM1_80_15, "model_id")
	email := v.since(LiteLLM1_72_0, "user_email")
	newer := v.since(LiteLLM1_95_0, "api_provider", "org_id", "org_alias")
	deployment := []string{"litellm_model_name", "model_id", "api_base", "api_provider"}
	caller := []string{"hashed_api_key", "api_key_alias", "team", "team_alias"}
	with := slices.Concat[[]string]

	remaining := "_metric"
	tokens := "_metric"
	if !v.has(LiteLLM1_80_15) {
		remaining, tokens = "", ""
	}
	list := []liteFamily{
		{"failed", "litellm_proxy_failed_requests_metric", kindCounter, "Failed answers to clients", with(identity, []string{"requested_model", "exception_status", "exception_class", "route"}, id, v.since(LiteLLM1_82_0, "user_email"), client, newer), nil},
		{"total", "litellm_proxy_total_requests_metric", kindCounter, "Requests of clients", with(identity, []string{"requested_model", "status_code", "route"}, id, email, client, newer), nil},
		{"latency", "litellm_request_total_latency_metric", kindHistogram, "Latency of requests (seconds)", with(identity, []string{"model", "requested_model"}, id), bounds},
		{"upstream", "litellm_llm_api_latency_metric", kindHistogram, "Latency of calls to models (seconds)", with(identity, []string{"model", "requested_model"}, id), bounds},
		{"first", "litellm_llm_api_time_to_first_token_metric", kindHistogram, "Time to first token", with([]string{"model"}, caller, v.since(LiteLLM1_80_15, "requested_model", "model_id", "end_user", "user")), bounds},
		{"spend", "litellm_spend_metric", kindCounter, "Spend on requests", with(identity, []string{"model"}, id, email, client), nil},
		{"total_tokens", "litellm_total_tokens" + tokens, kindCounter, "Input and output tokens", with(identity, []string{"model", "requested_model"}, id, email), nil},
		{"input_tokens", "litellm_input_tokens" + tokens, kindCounter, "Input tokens", with(identity, []string{"model", "requested_model"}, id, email), nil},
		{"output_tokens", "litellm_output_tokens" + tokens, kindCounter, "Output tokens", with(identity, []string{"model", "requested_model"}, id, email), nil},
	}
	for _, entity := range []struct{ name, label, alias string }{{"team", "team", "team_alias"}, {"api_key", "hashed_api_key", "api_key_alias"}, {"user", "user", ""}, {"org", "org_id", "org_alias"}} {
		if entity.name == "org" && !v.has(LiteLLM1_83_7) || entity.name == "user" && !v.has(LiteLLM1_80_0) {
			continue
		}
		labels := []string{entity.label}
		if entity.alias != "" {
			labels = append(labels, entity.alias)
		}
		list = append(list,
			liteFamily{"remaining_" + entity.name, "litellm_remaining_" + entity.name + "_budget_metric", kindGauge, "Remaining budget", labels, nil},
			liteFamily{"max_" + entity.name, "litellm_" + entity.name + "_max_budget_metric", kindGauge, "Maximum budget", labels, nil},
			liteFamily{"hours_" + entity.name, "litellm_" + entity.name + "_budget_remaining_hours_metric", kindGauge, "Hours until the budget is reset", labels, nil},
		)
	}
	keyed := []string{"hashed_api_key", "api_key_alias", "model"}
	list = append(list, []liteFamily{
		{"key_requests", "litellm_remaining_api_key_requests_for_model", kindGauge, "Requests left for a key and model", with(keyed, id), nil},
		{"key_tokens", "litellm_remaining_api_key_tokens_for_model", kindGauge, "Tokens left for a key and model", with(keyed, id), nil},
		{"remaining_requests", "litellm_remaining_requests" + remaining, kindGauge, "Requests left, as the provider says", []string{"model_group", "api_provider", "api_base", "litellm_model_name", "hashed_api_key", "api_key_alias"}, nil},
		{"remaining_tokens", "litellm_remaining_tokens" + remaining, kindGauge, "Tokens left, as the provider says", []string{"model_group", "api_provider", "api_base", "litellm_model_name", "hashed_api_key", "api_key_alias"}, nil},
		{"overhead", "litellm_overhead_latency_metric", kindHistogram, "Latency overhead (milliseconds) added by LiteLLM processing", with([]string{"model_group"}, deployment, []string{"hashed_api_key", "api_key_alias"}), bounds},
		{"provider_budget", "litellm_provider_remaining_budget_metric", kindGauge, "Remaining budget of a provider", []string{"api_provider"}, nil},
		{"state", "litellm_deployment_state", kindGauge, "0 = healthy, 1 = partial outage, 2 = complete outage", deployment, nil},
		{"cooled", "litellm_deployment_cooled_down", kindCounter, "Times a deployment was cooled down", with(deployment, []string{"exception_status"}), nil},
		{"successes", "litellm_deployment_success_responses", kindCounter, "Calls of deployments that went well", with(deployment, caller, []string{"requested_model"}, client), nil},
		{"failures", "litellm_deployment_failure_responses", kindCounter, "Calls of deployments that failed", with(deployment, caller, []string{"requested_model", "exception_status", "exception_class"}, client), nil},
		{"calls", "litellm_deployment_total_requests", kindCounter, "Calls of deployments", with(deployment, caller, []string{"requested_model"}, client), nil},
		{"per_token", "litellm_deployment_latency_per_output_token", kindHistogram, "Latency per output token", with(deployment, caller), perTokenBounds},
		{"fallbacks_ok", "litellm_deployment_successful_fallbacks", kindCounter, "Fallbacks that went well", with([]string{"requested_model", "fallback_model"}, caller, []string{"exception_status", "exception_class"}), nil},
		{"fallbacks_failed", "litellm_deployment_failed_fallbacks", kindCounter, "Fallbacks that failed", with([]string{"requested_model", "fallback_model"}, caller, []string{"exception_status", "exception_class"}), nil},
		{"model_failed", "litellm_llm_api_failed_requests_metric", kindCounter, "deprecated", with(identity, []string{"model"}, id), nil},
		{"model_requests", "litellm_requests_metric", kindCounter, "deprecated", with(identity, []string{"model"}, id, v.since(LiteLLM1_82_0, "user_email"), client), nil},
	}...)
	if v.has(LiteLLM1_80_0) {
		list = append(list, liteFamily{"callback_failures", "litellm_callback_logging_failures_metric", kindCounter, "Failures of callbacks", []string{"callback_name"}, nil})
	}
	if v.has(LiteLLM1_80_15) {
		cache := with([]string{"model", "hashed_api_key", "api_key_alias", "team", "team_alias", "end_user", "user"}, id)
		list = append(list, []liteFamily{
			{"queue", "litellm_request_queue_time_seconds", kindHistogram, "Time in the queue (seconds)", with(identity, []string{"model", "requested_model"}, id), bounds},
			{"guardrail_latency", "litellm_guardrail_latency_seconds", kindHistogram, "Latency of guardrails (seconds)", []string{"guardrail_name", "status", "error_type", "hook_type"}, bounds},
			{"guardrail_errors", "litellm_guardrail_errors", kindCounter, "Errors of guardrails", []string{"guardrail_name", "error_type", "hook_type"}, nil},
			{"guardrail_requests", "litellm_guardrail_requests", kindCounter, "Calls of guardrails", []string{"guardrail_name", "status", "hook_type"}, nil},
			{"cache_hits", "litellm_cache_hits_metric", kindCounter, "Hits of the proxy's cache", cache, nil},
			{"cache_misses", "litellm_cache_misses_metric", kindCounter, "Misses of the proxy's cache", cache, nil},
			{"cached_tokens", "litellm_cached_tokens_metric", kindCounter, "Tokens out of the proxy's cache", cache, nil},
		}...)
	}
	if v.has(LiteLLM1_82_0) {
		list = append(list, []liteFamily{
			{"tpm", "litellm_deployment_tpm_limit", kindGauge, "Tokens a minute", deployment, nil},
			{"rpm", "litellm_deployment_rpm_limit", kindGauge, "Requests a minute", deployment, nil},
			{"in_flight", "litellm_in_flight_requests", kindGauge, "Requests in flight on this worker", nil, nil},
			{"users", "litellm_total_users", kindGauge, "Users", nil, nil},
			{"teams", "litellm_teams_count", kindGauge, "Teams", nil, nil},
		}...)
	}
	if v.has(LiteLLM1_95_0) {
		provider := with([]string{"model", "requested_model", "api_provider"}, caller)
		list = append(list, []liteFamily{
			{"active_users", "litellm_active_users", kindGauge, "Users of late", nil, nil},
			{"cache_read", "litellm_provider_cache_read_input_tokens_metric", kindCounter, "Input tokens read from the provider's cache", provider, nil},
			{"cache_creation", "litellm_provider_cache_creation_input_tokens_metric", kindCounter, "Input tokens written to the provider's cache", provider, nil},
			{"mcp_calls", "litellm_mcp_tool_calls", kindCounter, "Calls of MCP tools", []string{"tool_name", "mcp_server"}, nil},
		}...)
	}
	return list
}

// liteServices are what prometheus_system tells of.
var liteServices = []string{"redis", "postgres", "batch_write_to_db", "reset_budget_job", "self", "router", "auth", "proxy_pre_call", "redis_daily_team_spend_update_queue", "redis_daily_tag_spend_update_queue"}
