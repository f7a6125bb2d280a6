package dockerinventoryreceiver

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/llmserver"
	"github.com/otelcol-llm/otelcol-llm/receiver/dockerinventoryreceiver/internal/metadata"
)

type option = metadata.MetricAttributeOption

// recordModels records what the command of an LLM server has it serve, whether it
// runs or not.
func recordModels(mb *metadata.MetricsBuilder, c *docker.Container, now pcommon.Timestamp) {
	spec, ok := llmserver.Detect(llmserver.Source{Labels: c.Labels, Env: c.Env, Command: c.Command, Image: c.Image.Ref})
	if !ok {
		return
	}
	facts := modelFacts(&spec)
	if len(spec.ServedNames) == 0 { // a server, of what cannot be said
		mb.RecordContainerModelInfoDataPoint(now, 1, spec.Kind, facts...)
	}
	for _, name := range spec.ServedNames {
		options := append([]option{metadata.WithGenAiRequestModelMetricAttribute(name)}, facts...)
		mb.RecordContainerModelInfoDataPoint(now, 1, spec.Kind, options...)
	}
}

// modelFacts are what the command says; defaults of the server are not guessed.
func modelFacts(spec *llmserver.Spec) []option {
	var facts []option
	for _, fact := range []struct {
		value string
		with  func(string) option
	}{
		{spec.Model, metadata.WithLlmModelIDMetricAttribute},
		{spec.Quantization, metadata.WithLlmModelQuantizationMetricAttribute},
		{spec.DType, metadata.WithLlmModelDtypeMetricAttribute},
		{spec.KVCacheDType, metadata.WithLlmModelKvCacheDtypeMetricAttribute},
		{spec.Version, metadata.WithServiceVersionMetricAttribute},
	} {
		if fact.value != "" {
			facts = append(facts, fact.with(fact.value))
		}
	}
	for _, fact := range []struct {
		value int64
		with  func(int64) option
	}{
		{spec.MaxModelLen, metadata.WithLlmModelMaxLengthMetricAttribute},
		{int64(spec.TensorParallel), metadata.WithLlmModelTensorParallelSizeMetricAttribute},
		{int64(spec.PipelineParallel), metadata.WithLlmModelPipelineParallelSizeMetricAttribute},
		{int64(spec.DataParallel), metadata.WithLlmModelDataParallelSizeMetricAttribute},
	} {
		if fact.value > 0 {
			facts = append(facts, fact.with(fact.value))
		}
	}
	return facts
}
