package modelcatalogconnector

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadata"
)

type (
	builder = metadata.MetricsBuilder
	option  = metadata.MetricAttributeOption
)

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

// recordCard records an entry.
func recordCard(mb *builder, c *card, now pcommon.Timestamp) {
	mb.RecordLlmModelInfoDataPoint(now, 1, c.name, c.origins, options(
		label{metadata.WithLlmModelServedNameMetricAttribute, c.served},
		label{metadata.WithLlmModelIDMetricAttribute, c.id},
		label{metadata.WithGenAiOperationNameMetricAttribute, c.operation},
		label{metadata.WithGenAiProviderNameMetricAttribute, c.provider},
		label{metadata.WithLlmModelEndpointMetricAttribute, c.endpoint},
		label{metadata.WithLlmModelQuantizationMetricAttribute, c.quantization},
		label{metadata.WithLlmModelDtypeMetricAttribute, c.dtype},
		label{metadata.WithLlmModelParametersMetricAttribute, c.parameters},
		label{metadata.WithLlmModelCapabilitiesMetricAttribute, c.capabilities},
		label{metadata.WithLlmModelParentMetricAttribute, c.parent},
		label{metadata.WithLlmModelLinkMetricAttribute, c.link},
		label{metadata.WithLlmModelDescriptionMetricAttribute, c.description},
		label{metadata.WithLlmModelDeprecationDateMetricAttribute, c.deprecated},
		label{metadata.WithLlmModelReplacementMetricAttribute, c.replacement},
		label{metadata.WithServiceVersionMetricAttribute, c.version},
	)...)
	for _, state := range states {
		mb.RecordLlmModelStateDataPoint(now, number01(state == c.state), c.name, state)
	}
	for _, kind := range tokenTypes {
		if price, known := c.prices[kind]; known {
			mb.RecordLlmModelPriceDataPoint(now, price, c.name, kind)
		}
	}
	if c.contextLength > 0 {
		mb.RecordLlmModelContextLengthDataPoint(now, c.contextLength, c.name)
	}
	for _, r := range c.routes {
		mb.RecordLlmModelRouteDataPoint(now, 1, c.name, r.origin, options(
			label{metadata.WithLlmModelServedNameMetricAttribute, r.served},
			label{metadata.WithGenAiProviderNameMetricAttribute, r.provider},
			label{metadata.WithLlmModelEndpointMetricAttribute, r.endpoint},
			label{metadata.WithServiceInstanceIDMetricAttribute, r.instance},
			label{metadata.WithContainerNameMetricAttribute, r.container},
		)...)
	}
}

// recordTotals records what the origins counted.
func recordTotals(mb *builder, c *counters, keys []totalKey, now pcommon.Timestamp) {
	for _, key := range keys {
		mb.RecordLlmModelTokensDataPoint(now, int64(c.totals[key].value), key.model, key.tokenType, key.origin)
	}
}
