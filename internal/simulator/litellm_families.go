package simulator

import "slices"

// liteLabels are the labels that families share, in one dialect.
type liteLabels struct {
	// identity says who asked, caller the same with less, client where from.
	identity, caller, client []string
	email                    []string
	deployment               []string
	// id, provider and org are those that families got in later versions.
	id, provider, org []string
}

func (v LiteLLMVersion) labels() liteLabels {
	return liteLabels{
		identity:   []string{"end_user", "hashed_api_key", "api_key_alias", "team", "team_alias", "user"},
		caller:     []string{"hashed_api_key", "api_key_alias", "team", "team_alias"},
		client:     v.since(LiteLLM1_82_0, "client_ip", "user_agent"),
		email:      v.since(LiteLLM1_72_0, "user_email"),
		deployment: []string{"litellm_model_name", "model_id", "api_base", "api_provider"},
		id:         v.since(LiteLLM1_80_15, "model_id"),
		provider:   v.since(LiteLLM1_95_0, "api_provider"),
		org:        v.since(LiteLLM1_95_0, "org_id", "org_alias"),
	}
}

// with joins lists of labels to a new one.
func with(lists ...[]string) []string { return slices.Concat(lists...) }

// families lists what the version can declare, in the order of the page.
func (v LiteLLMVersion) families() []liteFamily {
	l := v.labels()
	return slices.Concat(
		v.requestFamilies(&l), v.tokenFamilies(&l), v.budgetFamilies(), v.limitFamilies(&l), v.timeFamilies(&l), v.guardrailFamilies(),
		v.deploymentFamilies(&l), v.fallbackFamilies(&l), v.modelFamilies(&l), v.cacheFamilies(&l), v.batchFamilies(), v.peopleFamilies(),
	)
}

func (v LiteLLMVersion) requestFamilies(l *liteLabels) []liteFamily {
	bounds := v.latencyBounds()
	asked := with(l.identity, []string{"requested_model"}, v.since(LiteLLM1_72_0, "route"))
	times := with(l.identity, []string{"model", "requested_model"}, l.id, l.provider, l.org)
	first := with([]string{"model"}, l.caller)
	if v.has(LiteLLM1_80_15) {
		first = times
	}
	return []liteFamily{
		{
			key: "failed", name: "litellm_proxy_failed_requests_metric", kind: kindCounter, help: "Answers that were no success for the client",
			labels: with(asked, []string{"exception_status", "exception_class"}, v.since(LiteLLM1_82_0, "user_email"), l.id, l.client, l.provider, l.org),
		},
		{
			key: "total", name: "litellm_proxy_total_requests_metric", kind: kindCounter, help: "Requests of clients to the proxy",
			labels: with(asked, []string{"status_code"}, l.email, l.id, l.client, l.provider, l.org),
		},
		{key: "latency", name: "litellm_request_total_latency_metric", kind: kindHistogram, help: "Latency (seconds) of a request to LiteLLM", labels: times, bounds: bounds},
		{key: "upstream", name: "litellm_llm_api_latency_metric", kind: kindHistogram, help: "Latency (seconds) of a call of a model", labels: times, bounds: bounds},
		{key: "first", name: "litellm_llm_api_time_to_first_token_metric", kind: kindHistogram, help: "Time to first token of a call of a model", labels: first, bounds: bounds},
	}
}

func (v LiteLLMVersion) tokenFamilies(l *liteLabels) []liteFamily {
	suffix := "_metric"
	if !v.has(LiteLLM1_80_15) {
		suffix = ""
	}
	labels := with(l.identity, []string{"model", "requested_model"}, l.id, l.email, l.provider, l.org)
	return []liteFamily{
		{
			key: "spend", name: "litellm_spend_metric", kind: kindCounter, help: "Spend on requests",
			labels: with(l.identity, []string{"model"}, l.id, l.email, l.client, l.provider, l.org),
		},
		{key: "total_tokens", name: "litellm_total_tokens" + suffix, kind: kindCounter, help: "Input and output tokens", labels: labels},
		{key: "input_tokens", name: "litellm_input_tokens" + suffix, kind: kindCounter, help: "Input tokens", labels: labels},
		{key: "output_tokens", name: "litellm_output_tokens" + suffix, kind: kindCounter, help: "Output tokens", labels: labels},
	}
}

func (v LiteLLMVersion) budgetFamilies() []liteFamily {
	var list []liteFamily
	for _, e := range []struct {
		name, unit string
		from       LiteLLMVersion
		labels     []string
	}{
		{"team", "days", LiteLLM1_65_0, []string{"team", "team_alias"}}, // it is hours, whatever the real help says, too
		{"org", "hours", LiteLLM1_83_7, []string{"org_id", "org_alias"}},
		{"api_key", "hours", LiteLLM1_65_0, []string{"hashed_api_key", "api_key_alias"}},
		{"user", "hours", LiteLLM1_80_0, []string{"user"}},
	} {
		if !v.has(e.from) {
			continue
		}
		list = append(list,
			liteFamily{key: "remaining_" + e.name, name: "litellm_remaining_" + e.name + "_budget_metric", help: "Remaining budget of " + e.name, labels: e.labels},
			liteFamily{key: "max_" + e.name, name: "litellm_" + e.name + "_max_budget_metric", help: "Budget of " + e.name, labels: e.labels},
			liteFamily{key: "hours_" + e.name, name: "litellm_" + e.name + "_budget_remaining_hours_metric", help: "Remaining " + e.unit + " until the budget of " + e.name + " is reset", labels: e.labels},
		)
	}
	return list
}

func (v LiteLLMVersion) limitFamilies(l *liteLabels) []liteFamily {
	suffix := "_metric"
	if !v.has(LiteLLM1_80_15) {
		suffix = ""
	}
	keyed := with([]string{"hashed_api_key", "api_key_alias", "model"}, l.id)
	provider := with([]string{"model_group", "api_provider", "api_base", "litellm_model_name", "hashed_api_key", "api_key_alias"}, l.id)
	return []liteFamily{
		{key: "key_requests", name: "litellm_remaining_api_key_requests_for_model", help: "Requests that a key may still send to a model", labels: keyed},
		{key: "key_tokens", name: "litellm_remaining_api_key_tokens_for_model", help: "Tokens that a key may still send to a model", labels: keyed},
		{key: "remaining_requests", name: "litellm_remaining_requests" + suffix, help: "Requests left, as the provider says", labels: provider},
		{key: "remaining_tokens", name: "litellm_remaining_tokens" + suffix, help: "Tokens left, as the provider says", labels: provider},
	}
}

func (v LiteLLMVersion) timeFamilies(l *liteLabels) []liteFamily {
	bounds := v.latencyBounds()
	list := []liteFamily{{ // it is seconds, whatever the real help says, too
		key: "overhead", name: "litellm_overhead_latency_metric", kind: kindHistogram, help: "Overhead (milliseconds) that LiteLLM adds",
		labels: []string{"model_group", "api_provider", "api_base", "litellm_model_name", "hashed_api_key", "api_key_alias"}, bounds: bounds,
	}}
	if v.has(LiteLLM1_80_15) {
		list[0].labels = with(list[0].labels, l.id)
		list = append(list, liteFamily{
			key: "queue", name: "litellm_request_queue_time_seconds", kind: kindHistogram, help: "Time (seconds) until a request is worked on",
			labels: with(l.identity, []string{"model", "requested_model"}, l.id, l.provider, l.org), bounds: bounds,
		})
	}
	return list
}

func (v LiteLLMVersion) guardrailFamilies() []liteFamily {
	var list []liteFamily
	if v.has(LiteLLM1_80_15) {
		list = []liteFamily{
			{
				key: "guardrail_latency", name: "litellm_guardrail_latency_seconds", kind: kindHistogram, help: "Latency (seconds) of guardrails",
				labels: []string{"guardrail_name", "status", "error_type", "hook_type"}, bounds: v.latencyBounds(), plain: true,
			},
			{key: "guardrail_errors", name: "litellm_guardrail_errors", kind: kindCounter, help: "Errors of guardrails", labels: []string{"guardrail_name", "error_type", "hook_type"}, plain: true},
			{key: "guardrail_requests", name: "litellm_guardrail_requests", kind: kindCounter, help: "Calls of guardrails", labels: []string{"guardrail_name", "status", "hook_type"}, plain: true},
		}
	}
	return append(list, liteFamily{
		key: "provider_budget", name: "litellm_provider_remaining_budget_metric", help: "Remaining budget of a provider", labels: []string{"api_provider"}, plain: true,
	})
}

func (v LiteLLMVersion) deploymentFamilies(l *liteLabels) []liteFamily {
	called := with(l.deployment, l.caller, []string{"requested_model"}, l.client)
	failed := []string{"exception_status", "exception_class"}
	list := []liteFamily{
		{key: "state", name: "litellm_deployment_state", help: "State of a deployment: 0 = healthy, 1 = partial outage, 2 = complete outage", labels: l.deployment},
		{key: "tpm", name: "litellm_deployment_tpm_limit", help: "Tokens a minute that a deployment is configured for", labels: l.deployment},
		{key: "rpm", name: "litellm_deployment_rpm_limit", help: "Requests a minute that a deployment is configured for", labels: l.deployment},
		{key: "cooled", name: "litellm_deployment_cooled_down", kind: kindCounter, help: "Times that a deployment was left alone", labels: with(l.deployment, []string{"exception_status"})},
		{key: "successes", name: "litellm_deployment_success_responses", kind: kindCounter, help: "Calls of a deployment that went well", labels: called},
		{key: "failures", name: "litellm_deployment_failure_responses", kind: kindCounter, help: "Calls of a deployment that failed", labels: with(called, failed)},
		{
			key: "failures_by_tag", name: "litellm_deployment_failure_by_tag_responses", kind: kindCounter, help: "Calls of a deployment that failed, by tag",
			labels: with([]string{"requested_model", "tag"}, l.deployment, failed), plain: true,
		},
		{key: "calls", name: "litellm_deployment_total_requests", kind: kindCounter, help: "Calls of a deployment", labels: called},
		{
			key: "per_token", name: "litellm_deployment_latency_per_output_token", kind: kindHistogram, help: "Latency per output token",
			labels: with(l.deployment, l.caller, l.org), bounds: perTokenBounds,
		},
	}
	return slices.DeleteFunc(list, func(f liteFamily) bool {
		return (f.key == "tpm" || f.key == "rpm") && !v.has(LiteLLM1_82_0) || f.key == "failures_by_tag" && v.has(LiteLLM1_80_0)
	})
}

func (v LiteLLMVersion) fallbackFamilies(l *liteLabels) []liteFamily {
	labels := with([]string{"requested_model", "fallback_model"}, l.caller, []string{"exception_status", "exception_class"}, l.id)
	list := []liteFamily{
		{key: "fallbacks_ok", name: "litellm_deployment_successful_fallbacks", kind: kindCounter, help: "Fallbacks to another model that went well", labels: labels},
		{key: "fallbacks_failed", name: "litellm_deployment_failed_fallbacks", kind: kindCounter, help: "Fallbacks to another model that failed", labels: labels},
	}
	if v.has(LiteLLM1_80_0) {
		list = append(list, liteFamily{
			key: "callback_failures", name: "litellm_callback_logging_failures_metric", kind: kindCounter, help: "Logs that a callback could not send", labels: []string{"callback_name"}, plain: true,
		})
	}
	return list
}

// modelFamilies count calls of models: more than requests of clients.
func (v LiteLLMVersion) modelFamilies(l *liteLabels) []liteFamily {
	labels := with(l.identity, []string{"model"}, l.id)
	return []liteFamily{
		{key: "model_failed", name: "litellm_llm_api_failed_requests_metric", kind: kindCounter, help: "deprecated", labels: labels},
		{
			key: "model_requests", name: "litellm_requests_metric", kind: kindCounter, help: "deprecated",
			labels: with(labels, v.since(LiteLLM1_82_0, "user_email"), l.client, l.provider, l.org),
		},
	}
}

func (v LiteLLMVersion) cacheFamilies(l *liteLabels) []liteFamily {
	if !v.has(LiteLLM1_80_15) {
		return nil
	}
	labels := with(l.identity, []string{"model"}, l.id, l.provider)
	list := []liteFamily{
		{key: "cache_hits", name: "litellm_cache_hits_metric", kind: kindCounter, help: "Hits of the proxy's cache", labels: labels},
		{key: "cache_misses", name: "litellm_cache_misses_metric", kind: kindCounter, help: "Misses of the proxy's cache", labels: labels},
		{key: "cached_tokens", name: "litellm_cached_tokens_metric", kind: kindCounter, help: "Tokens out of the proxy's cache", labels: labels},
	}
	if v.has(LiteLLM1_95_0) {
		list = append(list,
			liteFamily{key: "cache_read", name: "litellm_provider_cache_read_input_tokens_metric", kind: kindCounter, help: "Input tokens out of the provider's cache", labels: labels},
			liteFamily{key: "cache_creation", name: "litellm_provider_cache_creation_input_tokens_metric", kind: kindCounter, help: "Input tokens into the provider's cache", labels: labels},
		)
	}
	return list
}

// batchFamilies are those of files, batches and tools.
func (v LiteLLMVersion) batchFamilies() []liteFamily {
	if !v.has(LiteLLM1_95_0) {
		return nil
	}
	model := []string{"model", "api_provider"}
	owner := with(model, []string{"user", "user_email", "api_key_alias"})
	tool := []string{"mcp_tool_name", "mcp_server_name", "hashed_api_key", "api_key_alias", "team", "team_alias", "user", "end_user"}
	return []liteFamily{
		{key: "batches", name: "litellm_managed_batch_created", kind: kindCounter, help: "Batches created", labels: owner, plain: true},
		{key: "file_size", name: "litellm_managed_file_size_bytes", help: "Size of the last file of a batch", labels: with([]string{"purpose", "file_type"}, model, []string{"user"}), plain: true},
		{key: "batch_duration", name: "litellm_managed_batch_duration_seconds", kind: kindHistogram, help: "Duration of batches (seconds)", labels: model, bounds: batchBounds, plain: true},
		{key: "files", name: "litellm_managed_file_created", kind: kindCounter, help: "Files created", labels: owner, plain: true},
		{key: "files_deleted", name: "litellm_managed_file_deleted", kind: kindCounter, help: "Files deleted", labels: []string{"result"}, plain: true},
		{key: "jobs_polled", name: "litellm_check_batch_cost_jobs_polled", help: "Batches found by the last look for their costs", plain: true},
		{key: "jobs_processed", name: "litellm_check_batch_cost_jobs_processed", kind: kindCounter, help: "Batches whose costs were found", labels: model, plain: true},
		{key: "jobs_failed", name: "litellm_check_batch_cost_errors", kind: kindCounter, help: "Batches whose costs were not found", labels: []string{"error_type"}, plain: true},
		{key: "jobs_last", name: "litellm_check_batch_cost_last_run_timestamp", help: "The last look for costs of batches, Unix time", plain: true},
		{key: "tool_calls", name: "litellm_mcp_tool_calls", kind: kindCounter, help: "Calls of tools", labels: tool},
		{key: "tool_spend", name: "litellm_mcp_tool_call_spend_metric", kind: kindCounter, help: "Spend on calls of tools", labels: tool},
	}
}

func (v LiteLLMVersion) peopleFamilies() []liteFamily {
	if !v.has(LiteLLM1_82_0) {
		return nil
	}
	list := []liteFamily{
		{key: "users", name: "litellm_total_users", help: "Users", plain: true},
		{key: "active_users", name: "litellm_active_users", help: "Users who did something of late", plain: true},
		{key: "teams", name: "litellm_teams_count", help: "Teams", plain: true},
		{key: "in_flight", name: "litellm_in_flight_requests", help: "Requests under way on this worker", plain: true, live: true},
	}
	return slices.DeleteFunc(list, func(f liteFamily) bool { return f.key == "active_users" && !v.has(LiteLLM1_95_0) })
}

// liteServices are what service_callback: prometheus_system tells of: services that are called, and queues of which only the
// size is shown.
var liteServices = []struct {
	name  string
	queue bool
}{
	{"redis", false},
	{"postgres", false},
	{"batch_write_to_db", false},
	{"reset_budget_job", false},
	{"self", false},
	{"router", false},
	{"auth", false},
	{"proxy_pre_call", false},
	{"pod_lock_manager", true},
	{"in_memory_daily_spend_update_queue", true},
	{"redis_daily_spend_update_queue", true},
	{"redis_daily_team_spend_update_queue", false},
	{"redis_daily_tag_spend_update_queue", false},
	{"in_memory_spend_update_queue", true},
	{"redis_spend_update_queue", true},
}

// serviceFamilies have the name of the service as the name and the value of their only label.
func (v LiteLLMVersion) serviceFamilies() []liteFamily {
	var list []liteFamily
	for _, s := range liteServices {
		if s.queue {
			list = append(list, liteFamily{key: s.name + "_size", name: "litellm_" + s.name + "_size", help: "Size of " + s.name, plain: true})
			continue
		}
		label := []string{s.name}
		list = append(list,
			liteFamily{key: s.name + "_latency", name: "litellm_" + s.name + "_latency", kind: kindHistogram, help: "Latency of " + s.name, labels: label, bounds: v.latencyBounds(), plain: true},
			liteFamily{key: s.name + "_failed", name: "litellm_" + s.name + "_failed_requests", kind: kindCounter, help: "Failed calls of " + s.name, labels: label, plain: true},
			liteFamily{key: s.name + "_total", name: "litellm_" + s.name + "_total_requests", kind: kindCounter, help: "Calls of " + s.name, labels: label, plain: true},
		)
	}
	return list
}
