package litellmreceiver

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/receiver/litellmreceiver/internal/metadata"
)

type (
	builder = metadata.MetricsBuilder
	option  = metadata.MetricAttributeOption

	// attribute is one of those that points carry, and its place among them: a series
	// must have them in the same order in every scrape.
	attribute int

	// attributes are the values of a point, empty where it has none. Points with the
	// same ones are the same series.
	attributes [attributeCount]string
)

const (
	attrRequestModel attribute = iota
	attrResponseModel
	attrProvider
	attrRawProvider
	attrTokenType
	attrStatusCode
	attrErrorType
	attrExceptionClass
	attrOutcome
	attrDeploymentID
	attrFallbackModel
	attrBudgetEntity
	attrCallback
	attrGuardrail
	attrGuardrailStatus
	attrGuardrailHook
	attrConnectionState
	attrService
	attrMcpServer
	attrMcpTool
	attrKeyAlias
	attrKeyHash
	attrTeam
	attrTeamAlias
	attrUser
	attrEndUser
	attrOrganization
	attrOrganizationAlias
	attrRoute
	attrTags
	attributeCount
)

// writers say how each attribute is called and how the generated builder takes it.
// Those of int are numbers; what is none is left out.
var writers = [attributeCount]struct {
	name string
	text func(string) option
	int  func(int64) option
}{
	attrRequestModel:      {name: "gen_ai.request.model", text: metadata.WithGenAiRequestModelMetricAttribute},
	attrResponseModel:     {name: "gen_ai.response.model", text: metadata.WithGenAiResponseModelMetricAttribute},
	attrProvider:          {name: "gen_ai.provider.name", text: metadata.WithGenAiProviderNameMetricAttribute},
	attrRawProvider:       {name: "litellm.provider", text: metadata.WithLitellmProviderMetricAttribute},
	attrTokenType:         {name: "gen_ai.token.type", text: metadata.WithGenAiTokenTypeMetricAttribute},
	attrStatusCode:        {name: "http.response.status_code", int: metadata.WithHTTPResponseStatusCodeMetricAttribute},
	attrErrorType:         {name: "error.type", text: metadata.WithErrorTypeMetricAttribute},
	attrExceptionClass:    {name: "litellm.exception.class", text: metadata.WithLitellmExceptionClassMetricAttribute},
	attrOutcome:           {name: "litellm.outcome", text: metadata.WithLitellmOutcomeMetricAttribute},
	attrDeploymentID:      {name: "litellm.deployment.id", text: metadata.WithLitellmDeploymentIDMetricAttribute},
	attrFallbackModel:     {name: "litellm.fallback.model", text: metadata.WithLitellmFallbackModelMetricAttribute},
	attrBudgetEntity:      {name: "litellm.budget.entity.type", text: metadata.WithLitellmBudgetEntityTypeMetricAttribute},
	attrCallback:          {name: "litellm.callback", text: metadata.WithLitellmCallbackMetricAttribute},
	attrGuardrail:         {name: "litellm.guardrail.name", text: metadata.WithLitellmGuardrailNameMetricAttribute},
	attrGuardrailStatus:   {name: "litellm.guardrail.status", text: metadata.WithLitellmGuardrailStatusMetricAttribute},
	attrGuardrailHook:     {name: "litellm.guardrail.hook", text: metadata.WithLitellmGuardrailHookMetricAttribute},
	attrConnectionState:   {name: "litellm.database.connection.state", text: metadata.WithLitellmDatabaseConnectionStateMetricAttribute},
	attrService:           {name: "litellm.service", text: metadata.WithLitellmServiceMetricAttribute},
	attrMcpServer:         {name: "litellm.mcp.server", text: metadata.WithLitellmMcpServerMetricAttribute},
	attrMcpTool:           {name: "litellm.mcp.tool", text: metadata.WithLitellmMcpToolMetricAttribute},
	attrKeyAlias:          {name: "litellm.key.alias", text: metadata.WithLitellmKeyAliasMetricAttribute},
	attrKeyHash:           {name: "litellm.key.hash", text: metadata.WithLitellmKeyHashMetricAttribute},
	attrTeam:              {name: "litellm.team.id", text: metadata.WithLitellmTeamIDMetricAttribute},
	attrTeamAlias:         {name: "litellm.team.alias", text: metadata.WithLitellmTeamAliasMetricAttribute},
	attrUser:              {name: "litellm.user.id", text: metadata.WithLitellmUserIDMetricAttribute},
	attrEndUser:           {name: "litellm.end_user.id", text: metadata.WithLitellmEndUserIDMetricAttribute},
	attrOrganization:      {name: "litellm.organization.id", text: metadata.WithLitellmOrganizationIDMetricAttribute},
	attrOrganizationAlias: {name: "litellm.organization.alias", text: metadata.WithLitellmOrganizationAliasMetricAttribute},
	attrRoute:             {name: "http.route", text: metadata.WithHTTPRouteMetricAttribute},
	attrTags:              {name: "litellm.tags", text: metadata.WithLitellmTagsMetricAttribute},
}

// options hands the attributes to the generated builder.
func (a *attributes) options() []option {
	var options []option
	for i, value := range a {
		if value == "" {
			continue
		}
		w := &writers[i]
		if w.int == nil {
			options = append(options, w.text(value))
		} else if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			options = append(options, w.int(n))
		}
	}
	return options
}

// copyTo hands the attributes to a point made by hand.
func (a *attributes) copyTo(m pcommon.Map) {
	for i, value := range a {
		if value != "" {
			m.PutStr(writers[i].name, value)
		}
	}
}
