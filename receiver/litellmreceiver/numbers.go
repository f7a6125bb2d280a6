package litellmreceiver

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver/internal/metadata"
)

type (
	// point is one value on its way from the page to the builder.
	point struct {
		attributes
		value float64
	}

	// recorder hands a point to the builder; it returns false if the metric cannot
	// hold the value.
	recorder func(*builder, pcommon.Timestamp, *point) bool
)

// number says which metric is made of which gauge or counter on the page.
type number struct {
	metric string
	// sources are names of one quantity through the versions; the first one that the
	// page has is taken.
	sources []string
	// labels become attributes beside the optional ones, which are left out where the
	// series are of no request, key or team.
	labels     []label
	impersonal bool
	// prefixed says that LiteLLM may leave the provider in front of the model's name.
	prefixed bool
	// fixed is an attribute that the name of the family says.
	fixed attribute
	as    string
	// gauge says that it does not count, and combine how values become one: those of
	// labels that are dropped, and those of several workers (label pid).
	gauge   bool
	combine promtext.Combine
	// limited says that +Inf and the largest integer stand for "no limit".
	limited bool
	// signed values may be negative.
	signed bool
	// only are optional attributes one of which must be kept: added up or reduced to
	// one value the families would say nothing.
	only   []attribute
	record recorder
}

func from(sources ...string) []string { return sources }

func with(groups ...[]label) []label {
	var all []label
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

// numbers lists every metric that is a plain gauge or counter on the page, apart
// from those of services. What was renamed when stands in the table of the README,
// which a test writes.
var numbers = []number{
	{metric: "litellm.requests.finished", sources: from("proxy_total_requests_metric"), labels: with(ofRequests, []label{{"status_code", attrStatusCode}}), record: count((*builder).RecordLitellmRequestsFinishedDataPoint)},
	{metric: "litellm.requests.failed", sources: from("proxy_failed_requests_metric"), labels: with(ofRequests, ofErrors), record: count((*builder).RecordLitellmRequestsFailedDataPoint)},
	{metric: "litellm.requests.in_flight", sources: from("in_flight_requests"), impersonal: true, gauge: true, combine: promtext.CombineSum, record: count(plain((*builder).RecordLitellmRequestsInFlightDataPoint))},
	{metric: "litellm.requests.in_flight_limit", sources: from("global_max_parallel_requests_limit"), impersonal: true, gauge: true, combine: promtext.CombineSum, limited: true, record: count(plain((*builder).RecordLitellmRequestsInFlightLimitDataPoint))},
	{metric: "litellm.requests.shed", sources: from("requests_shed"), labels: []label{{"status", attrStatusCode}}, impersonal: true, record: count((*builder).RecordLitellmRequestsShedDataPoint)},
	{metric: "litellm.model.calls", sources: from("requests_metric"), labels: ofModels, record: count((*builder).RecordLitellmModelCallsDataPoint)},
	{metric: "litellm.model.calls.failed", sources: from("llm_api_failed_requests_metric"), labels: ofModels, record: count((*builder).RecordLitellmModelCallsFailedDataPoint)},

	{metric: "litellm.tokens.input", sources: from("input_tokens_metric", "input_tokens"), labels: ofModels, record: count((*builder).RecordLitellmTokensInputDataPoint)},
	{metric: "litellm.tokens.output", sources: from("output_tokens_metric", "output_tokens"), labels: ofModels, record: count((*builder).RecordLitellmTokensOutputDataPoint)},
	{metric: "litellm.tokens.total", sources: from("total_tokens_metric", "total_tokens"), labels: ofModels, record: count((*builder).RecordLitellmTokensTotalDataPoint)},
	{metric: "litellm.tokens.cache_read", sources: from("provider_cache_read_input_tokens_metric", "input_cached_tokens_metric"), labels: ofModels, record: count((*builder).RecordLitellmTokensCacheReadDataPoint)},
	{metric: "litellm.tokens.cache_creation", sources: from("provider_cache_creation_input_tokens_metric", "input_cache_creation_tokens_metric"), labels: ofModels, record: count((*builder).RecordLitellmTokensCacheCreationDataPoint)},
	{metric: "litellm.tokens.reasoning", sources: from("output_reasoning_tokens_metric"), labels: ofModels, record: count((*builder).RecordLitellmTokensReasoningDataPoint)},
	{metric: "litellm.tokens.audio", sources: from("input_audio_tokens_metric"), labels: ofModels, fixed: attrTokenType, as: tokenInput, record: count((*builder).RecordLitellmTokensAudioDataPoint)},
	{metric: "litellm.tokens.audio", sources: from("output_audio_tokens_metric"), labels: ofModels, fixed: attrTokenType, as: tokenOutput, record: count((*builder).RecordLitellmTokensAudioDataPoint)},
	{metric: "litellm.images.generated", sources: from("images_generated_metric"), labels: ofModels, record: count((*builder).RecordLitellmImagesGeneratedDataPoint)},
	{metric: "litellm.video.generated", sources: from("video_duration_seconds_metric"), labels: ofModels, record: measure((*builder).RecordLitellmVideoGeneratedDataPoint)},
	{metric: "litellm.spend", sources: from("spend_metric"), labels: ofModels, record: measure((*builder).RecordLitellmSpendDataPoint)},
	{metric: "litellm.cache.hits", sources: from("cache_hits_metric"), labels: ofModels, record: count((*builder).RecordLitellmCacheHitsDataPoint)},
	{metric: "litellm.cache.misses", sources: from("cache_misses_metric"), labels: ofModels, record: count((*builder).RecordLitellmCacheMissesDataPoint)},
	{metric: "litellm.cache.tokens", sources: from("cached_tokens_metric"), labels: ofModels, record: count((*builder).RecordLitellmCacheTokensDataPoint)},

	{metric: "litellm.deployment.state", sources: from("deployment_state"), labels: ofDeployments, impersonal: true, prefixed: true, gauge: true, combine: promtext.CombineMax, record: recordDeploymentState},
	{metric: "litellm.deployment.requests", sources: from("deployment_total_requests"), labels: ofDeployments, record: count((*builder).RecordLitellmDeploymentRequestsDataPoint)},
	{metric: "litellm.deployment.successes", sources: from("deployment_success_responses"), labels: ofDeployments, record: count((*builder).RecordLitellmDeploymentSuccessesDataPoint)},
	{metric: "litellm.deployment.failures", sources: from("deployment_failure_responses"), labels: with(ofDeployments, ofErrors), record: count((*builder).RecordLitellmDeploymentFailuresDataPoint)},
	{metric: "litellm.deployment.cooldowns", sources: from("deployment_cooled_down"), labels: with(ofDeployments, ofErrors[:1]), impersonal: true, prefixed: true, record: count((*builder).RecordLitellmDeploymentCooldownsDataPoint)},
	{metric: "litellm.deployment.request_limit", sources: from("deployment_rpm_limit"), labels: ofDeployments, impersonal: true, gauge: true, combine: promtext.CombineMax, limited: true, record: count((*builder).RecordLitellmDeploymentRequestLimitDataPoint)},
	{metric: "litellm.deployment.token_limit", sources: from("deployment_tpm_limit"), labels: ofDeployments, impersonal: true, gauge: true, combine: promtext.CombineMax, limited: true, record: count((*builder).RecordLitellmDeploymentTokenLimitDataPoint)},
	{metric: "litellm.fallbacks", sources: from("deployment_successful_fallbacks"), labels: with(ofFallbacks, ofErrors), fixed: attrOutcome, as: outcomeSuccessful, record: count((*builder).RecordLitellmFallbacksDataPoint)},
	{metric: "litellm.fallbacks", sources: from("deployment_failed_fallbacks"), labels: with(ofFallbacks, ofErrors), fixed: attrOutcome, as: outcomeFailed, record: count((*builder).RecordLitellmFallbacksDataPoint)},

	{metric: "litellm.rate_limit.remaining_requests", sources: from("remaining_requests_metric", "remaining_requests"), labels: with(ofGroups, []label{{"model_id", attrDeploymentID}}), gauge: true, combine: promtext.CombineMin, limited: true, signed: true, record: count((*builder).RecordLitellmRateLimitRemainingRequestsDataPoint)},
	{metric: "litellm.rate_limit.remaining_tokens", sources: from("remaining_tokens_metric", "remaining_tokens"), labels: with(ofGroups, []label{{"model_id", attrDeploymentID}}), gauge: true, combine: promtext.CombineMin, limited: true, signed: true, record: count((*builder).RecordLitellmRateLimitRemainingTokensDataPoint)},
	{metric: "litellm.key.remaining_requests", sources: from("remaining_api_key_requests_for_model"), labels: ofKeys, gauge: true, combine: promtext.CombineMin, limited: true, signed: true, only: theKey, record: count((*builder).RecordLitellmKeyRemainingRequestsDataPoint)},
	{metric: "litellm.key.remaining_tokens", sources: from("remaining_api_key_tokens_for_model"), labels: ofKeys, gauge: true, combine: promtext.CombineMin, limited: true, signed: true, only: theKey, record: count((*builder).RecordLitellmKeyRemainingTokensDataPoint)},

	budgetLeft("team", "remaining_team_budget_metric"),
	budgetLeft("api_key", "remaining_api_key_budget_metric"),
	budgetLeft("user", "remaining_user_budget_metric"),
	budgetLeft("org", "remaining_org_budget_metric"),
	budgetLeft("provider", "provider_remaining_budget_metric"),
	budgetLimit("team", "team_max_budget_metric", attrTeam, attrTeamAlias),
	budgetLimit("api_key", "api_key_max_budget_metric", theKey...),
	budgetLimit("user", "user_max_budget_metric", attrUser),
	budgetLimit("org", "org_max_budget_metric", attrOrganization, attrOrganizationAlias),
	budgetReset("team", "team_budget_remaining_hours_metric"),
	budgetReset("api_key", "api_key_budget_remaining_hours_metric"),
	budgetReset("user", "user_budget_remaining_hours_metric"),
	budgetReset("org", "org_budget_remaining_hours_metric"),

	{metric: "litellm.users", sources: from("total_users"), impersonal: true, gauge: true, combine: promtext.CombineMax, record: count(plain((*builder).RecordLitellmUsersDataPoint))},
	{metric: "litellm.users.active", sources: from("active_users"), impersonal: true, gauge: true, combine: promtext.CombineMax, record: count(plain((*builder).RecordLitellmUsersActiveDataPoint))},
	{metric: "litellm.teams", sources: from("teams_count"), impersonal: true, gauge: true, combine: promtext.CombineMax, record: count(plain((*builder).RecordLitellmTeamsDataPoint))},
	{metric: "litellm.callback.failures", sources: from("callback_logging_failures_metric"), labels: []label{{"callback_name", attrCallback}}, impersonal: true, record: count((*builder).RecordLitellmCallbackFailuresDataPoint)},
	{metric: "litellm.guardrail.requests", sources: from("guardrail_requests"), labels: with(ofGuardrails, []label{{"status", attrGuardrailStatus}}), impersonal: true, record: count((*builder).RecordLitellmGuardrailRequestsDataPoint)},
	{metric: "litellm.guardrail.errors", sources: from("guardrail_errors"), labels: with(ofGuardrails, []label{{"error_type", attrErrorType}}), impersonal: true, record: count((*builder).RecordLitellmGuardrailErrorsDataPoint)},
	{metric: "litellm.mcp.tool.calls", sources: from("mcp_tool_calls"), labels: ofTools, record: count((*builder).RecordLitellmMcpToolCallsDataPoint)},
	{metric: "litellm.mcp.tool.spend", sources: from("mcp_tool_call_spend_metric"), labels: ofTools, record: measure((*builder).RecordLitellmMcpToolSpendDataPoint)},

	{metric: "litellm.database.connections", sources: from("db_pool_connections_busy"), fixed: attrConnectionState, as: "busy", impersonal: true, gauge: true, combine: promtext.CombineSum, record: count((*builder).RecordLitellmDatabaseConnectionsDataPoint)},
	{metric: "litellm.database.connections", sources: from("db_pool_connections_idle"), fixed: attrConnectionState, as: "idle", impersonal: true, gauge: true, combine: promtext.CombineSum, record: count((*builder).RecordLitellmDatabaseConnectionsDataPoint)},
	{metric: "litellm.database.connections.limit", sources: from("db_pool_connections_max"), impersonal: true, gauge: true, combine: promtext.CombineSum, record: count(plain((*builder).RecordLitellmDatabaseConnectionsLimitDataPoint))},
	{metric: "litellm.database.queries", sources: from("db_query"), impersonal: true, record: count(plain((*builder).RecordLitellmDatabaseQueriesDataPoint))},
	{metric: "litellm.database.queries.time", sources: from("db_query_duration_seconds"), impersonal: true, record: measure(plain((*builder).RecordLitellmDatabaseQueriesTimeDataPoint))},
	{metric: "litellm.database.queries.waiting", sources: from("db_pool_pending_acquirers"), impersonal: true, gauge: true, combine: promtext.CombineSum, record: count(plain((*builder).RecordLitellmDatabaseQueriesWaitingDataPoint))},
	{metric: "litellm.database.acquisitions", sources: from("db_pool_acquire"), impersonal: true, record: count(plain((*builder).RecordLitellmDatabaseAcquisitionsDataPoint))},
	{metric: "litellm.database.acquisitions.wait", sources: from("db_pool_acquire_wait_seconds"), impersonal: true, record: measure(plain((*builder).RecordLitellmDatabaseAcquisitionsWaitDataPoint))},
	{metric: "litellm.database.timeouts", sources: from("db_pool_timeouts"), impersonal: true, record: count(plain((*builder).RecordLitellmDatabaseTimeoutsDataPoint))},
}

// Values of attributes that names of families, not labels, say.
const (
	tokenInput         = "input"
	tokenOutput        = "output"
	tokenCacheRead     = "cache_read"
	tokenCacheCreation = "cache_creation"
	outcomeSuccessful  = "successful"
	outcomeFailed      = "failed"
)

var (
	theKey       = []attribute{attrKeyAlias, attrKeyHash}
	ofKeys       = []label{{"model", attrRequestModel}, {"model_id", attrDeploymentID}}
	ofFallbacks  = []label{{"requested_model", attrRequestModel}, {"fallback_model", attrFallbackModel}}
	ofGuardrails = []label{{"guardrail_name", attrGuardrail}, {"hook_type", attrGuardrailHook}}
	ofTools      = []label{{"mcp_server_name", attrMcpServer}, {"mcp_tool_name", attrMcpTool}}
	ofProviders  = []label{{"api_provider", attrProvider}}
)

// budgetLeft is what entities of a type have left, or the one that has the least.
func budgetLeft(entity, source string) number {
	return number{
		metric: "litellm.budget.remaining", sources: from(source), labels: ofProviders, fixed: attrBudgetEntity, as: entity,
		gauge: true, combine: promtext.CombineMin, limited: true, signed: true, record: measure((*builder).RecordLitellmBudgetRemainingDataPoint),
	}
}

// budgetLimit is the budget of each entity of a type. Neither the sum nor the least
// of several says anything.
func budgetLimit(entity, source string, only ...attribute) number {
	return number{
		metric: "litellm.budget.limit", sources: from(source), labels: ofProviders, fixed: attrBudgetEntity, as: entity,
		gauge: true, combine: promtext.CombineMax, limited: true, only: only, record: measure((*builder).RecordLitellmBudgetLimitDataPoint),
	}
}

// budgetReset is the time to the next reset. LiteLLM gives hours; the HELP of the
// one for teams says days, and is wrong.
func budgetReset(entity, source string) number {
	return number{
		metric: "litellm.budget.reset", sources: from(source), labels: ofProviders, fixed: attrBudgetEntity, as: entity,
		gauge: true, combine: promtext.CombineMin, limited: true, signed: true,
		record: func(mb *builder, now pcommon.Timestamp, p *point) bool {
			mb.RecordLitellmBudgetResetDataPoint(now, p.value*3600, p.options()...)
			return true
		},
	}
}

func count(record func(*builder, pcommon.Timestamp, int64, ...option)) recorder {
	return func(mb *builder, now pcommon.Timestamp, p *point) bool {
		if p.value >= math.MaxInt64 || p.value <= math.MinInt64 {
			return false
		}
		record(mb, now, int64(p.value), p.options()...)
		return true
	}
}

// plain is for metrics without attributes.
func plain[N int64 | float64](record func(*builder, pcommon.Timestamp, N)) func(*builder, pcommon.Timestamp, N, ...option) {
	return func(mb *builder, now pcommon.Timestamp, v N, _ ...option) { record(mb, now, v) }
}

func measure(record func(*builder, pcommon.Timestamp, float64, ...option)) recorder {
	return func(mb *builder, now pcommon.Timestamp, p *point) bool {
		record(mb, now, p.value, p.options()...)
		return true
	}
}

// deploymentStates are those of a deployment in LiteLLM's numbering.
var deploymentStates = [...]metadata.AttributeLitellmDeploymentState{
	metadata.AttributeLitellmDeploymentStateHealthy,
	metadata.AttributeLitellmDeploymentStatePartial,
	metadata.AttributeLitellmDeploymentStateOutage,
}

// recordDeploymentState records 1 for the state and 0 for the others, so that a
// change leaves no old series standing.
func recordDeploymentState(mb *builder, now pcommon.Timestamp, p *point) bool {
	is := int(min(p.value, float64(len(deploymentStates))))
	if is >= len(deploymentStates) {
		return false
	}
	for i, state := range deploymentStates {
		mb.RecordLitellmDeploymentStateDataPoint(now, number01(i == is), state, p.options()...)
	}
	return true
}

// noLimit drops what stands for "no limit": +Inf, or the largest integer.
func noLimit(v float64) bool { return v >= 9.22e18 }
