package dockerattributesprocessor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pipeline"
)

// TestModelOfPoints: the model of a container is not added where a point of any
// type says its own.
func TestModelOfPoints(t *testing.T) {
	engine := newEngine(t, someContainers()...)
	s := startAt(t, engine, pipeline.SignalMetrics, func(cfg *Config) { cfg.Override = true })
	points := map[string]func(pmetric.Metric) pcommon.Map{
		"gauge": func(m pmetric.Metric) pcommon.Map { return m.SetEmptyGauge().DataPoints().AppendEmpty().Attributes() },
		"sum":   func(m pmetric.Metric) pcommon.Map { return m.SetEmptySum().DataPoints().AppendEmpty().Attributes() },
		"histogram": func(m pmetric.Metric) pcommon.Map {
			return m.SetEmptyHistogram().DataPoints().AppendEmpty().Attributes()
		},
		"exponential histogram": func(m pmetric.Metric) pcommon.Map {
			return m.SetEmptyExponentialHistogram().DataPoints().AppendEmpty().Attributes()
		},
		"summary": func(m pmetric.Metric) pcommon.Map { return m.SetEmptySummary().DataPoints().AppendEmpty().Attributes() },
	}
	for name, point := range points {
		for _, says := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				md := pmetric.NewMetrics()
				rm := md.ResourceMetrics().AppendEmpty()
				rm.Resource().Attributes().PutStr("container.id", vllmID)
				metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
				metrics.AppendEmpty().SetName("no type")
				attributes := point(metrics.AppendEmpty())
				if says {
					attributes.PutStr(requestModel, "sql-lora")
				}
				_, err := s.processMetrics(t.Context(), md)
				require.NoError(t, err)
				model, added := rm.Resource().Attributes().Get(requestModel)
				assert.Equal(t, !says, added)
				if added {
					assert.Equal(t, "qwen3-32b", model.Str())
				}
				name, _ := rm.Resource().Attributes().Get(containerName)
				assert.Equal(t, "llm-vllm-1", name.Str())
			})
		}
	}
}
