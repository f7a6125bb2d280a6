package modelcatalogconnector

import (
	"hash/maphash"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Attributes of what the sources emit.
const (
	attrServiceName     = "service.name"
	attrInstanceID      = "service.instance.id"
	attrServerAddress   = "server.address"
	attrServerPort      = "server.port"
	attrHostName        = "host.name"
	attrContainerName   = "container.name"
	attrComposeService  = "docker.compose.service"
	attrProjectID       = "langfuse.project.id"
	attrRequestModel    = "gen_ai.request.model"
	attrResponseModel   = "gen_ai.response.model"
	attrProvider        = "gen_ai.provider.name"
	attrOperation       = "gen_ai.operation.name"
	attrTokenType       = "gen_ai.token.type" //nolint:gosec // a name, no secret
	attrServiceVersion  = "service.version"
	attrModelID         = "llm.model.id"
	attrParent          = "llm.model.parent"
	attrDtype           = "llm.model.dtype"
	attrQuantization    = "llm.model.quantization"
	attrCapabilities    = "llm.model.capabilities"
	attrServerState     = "vllm.server.state"
	attrDeploymentID    = "litellm.deployment.id"
	attrDeploymentAt    = "litellm.deployment.address"
	attrDeploymentState = "litellm.deployment.state"
)

// maxText is how many bytes a value of an attribute may have; a longer one is cut,
// and a model with a longer name is left out.
const maxText = 256

// text returns the value of an attribute, empty if it is absent. The text may be
// part of a larger one: what is kept must be cloned.
func text(attributes pcommon.Map, name string) string {
	v, ok := attributes.Get(name)
	if !ok {
		return ""
	}
	return cut(v.AsString())
}

// cut shortens what is too long, and drops bytes that are not UTF-8.
func cut(s string) string {
	if len(s) <= maxText && utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s[:min(len(s), maxText)], "")
}

// tooLong says whether a name cannot be kept whole.
func tooLong(attributes pcommon.Map, name string) bool {
	v, ok := attributes.Get(name)
	return ok && v.Type() == pcommon.ValueTypeStr && len(v.Str()) > maxText
}

// numbers returns the points of a gauge or a cumulative sum.
func numbers(m pmetric.Metric) (pmetric.NumberDataPointSlice, bool) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints(), true
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints(), m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
	default:
		return pmetric.NumberDataPointSlice{}, false
	}
}

func number(dp pmetric.NumberDataPoint) float64 {
	if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(dp.IntValue())
	}
	return dp.DoubleValue()
}

// seriesOf identifies a series of a source by its attributes, in whatever order
// they are.
func seriesOf(seed maphash.Seed, metric string, attributes pcommon.Map) uint64 {
	sum := maphash.String(seed, metric)
	for name, value := range attributes.All() {
		var h maphash.Hash
		h.SetSeed(seed)
		_, _ = h.WriteString(name)
		_ = h.WriteByte(0)
		_, _ = h.WriteString(value.AsString())
		sum += h.Sum64()
	}
	return sum
}
