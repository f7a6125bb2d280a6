package langfusereceiver

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver/internal/metadata"
)

type option = metadata.MetricAttributeOption

// label is an attribute that is left out where it is empty.
type label struct {
	with  func(string) option
	value string
}

func options(labels ...label) []option {
	var given []option
	for _, l := range labels {
		if l.value != "" {
			given = append(given, l.with(l.value))
		}
	}
	return given
}

func environment(name string) label {
	return label{metadata.WithDeploymentEnvironmentNameMetricAttribute, name}
}

func model(name string) label { return label{metadata.WithGenAiRequestModelMetricAttribute, name} }

func source(name string) label { return label{metadata.WithLangfuseScoreSourceMetricAttribute, name} }

func version(name string) label {
	return label{metadata.WithLangfusePromptVersionMetricAttribute, name}
}

// tokenType and costType are 0, which is none, for what a later version stored.
func tokenType(kind string) metadata.AttributeGenAiTokenType {
	return metadata.MapAttributeGenAiTokenType[kind]
}

func costType(kind string) metadata.AttributeLangfuseCostType {
	return metadata.MapAttributeLangfuseCostType[kind]
}

// recordSum records a total. Here the labels of a key get their names.
func recordSum(mb *builder, k key, value float64, now pcommon.Timestamp) {
	whole := int64(math.Round(value))
	switch k.family {
	case famObservations:
		mb.RecordLangfuseObservationsDataPoint(now, whole, options(
			label{metadata.WithLangfuseObservationTypeMetricAttribute, k.a},
			label{metadata.WithLangfuseObservationLevelMetricAttribute, k.b},
			model(k.c), environment(k.env))...)
	case famTokens:
		mb.RecordLangfuseTokensDataPoint(now, whole, tokenType(k.b), options(model(k.a), environment(k.env))...)
	case famCost:
		mb.RecordLangfuseCostDataPoint(now, value, costType(k.b), options(model(k.a), environment(k.env))...)
	case famTraces:
		mb.RecordLangfuseTracesDataPoint(now, whole, options(environment(k.env))...)
	case famScores:
		mb.RecordLangfuseScoresDataPoint(now, whole, k.a, options(source(k.b),
			label{metadata.WithLangfuseScoreDataTypeMetricAttribute, k.c},
			label{metadata.WithLangfuseScoreValueMetricAttribute, k.d}, environment(k.env))...)
	case famScoreSum:
		mb.RecordLangfuseScoreSumDataPoint(now, value, k.a, options(source(k.b), environment(k.env))...)
	case famUserTokens:
		mb.RecordLangfuseUserTokensDataPoint(now, whole, k.a, tokenType(k.b))
	case famUserCost:
		mb.RecordLangfuseUserCostDataPoint(now, value, k.a)
	case famPromptObservations:
		mb.RecordLangfusePromptObservationsDataPoint(now, whole, k.a, options(version(k.b))...)
	case famPromptTokens:
		mb.RecordLangfusePromptTokensDataPoint(now, whole, k.a, tokenType(k.c), options(version(k.b))...)
	case famPromptCost:
		mb.RecordLangfusePromptCostDataPoint(now, value, k.a, options(version(k.b))...)
	}
}

// recordValue records what was so in the last window.
func recordValue(mb *builder, k key, value float64, now pcommon.Timestamp) {
	switch k.family {
	case famLatency:
		mb.RecordLangfuseObservationLatencyDataPoint(now, value, metadata.MapAttributeQuantile[k.b], options(model(k.a))...)
	case famFirstToken:
		mb.RecordLangfuseTimeToFirstTokenDataPoint(now, value, metadata.MapAttributeQuantile[k.b], options(model(k.a))...)
	case famUsers:
		mb.RecordLangfuseUsersActiveDataPoint(now, int64(value), options(environment(k.env))...)
	case famSessions:
		mb.RecordLangfuseSessionsActiveDataPoint(now, int64(value), options(environment(k.env))...)
	case famScoreMean:
		mb.RecordLangfuseScoreMeanDataPoint(now, value, k.a, options(source(k.b), environment(k.env))...)
	}
}
