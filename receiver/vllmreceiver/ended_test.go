package vllmreceiver

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// emission is a metric of each type, with an attribute of each type.
func emission(models ...string) pmetric.MetricSlice {
	ms := pmetric.NewMetricSlice()
	gauge, sum, histogram := ms.AppendEmpty(), ms.AppendEmpty(), ms.AppendEmpty()
	gauge.SetName("gauge")
	gauge.SetEmptyGauge()
	sum.SetName("sum")
	sum.SetUnit("s")
	sum.SetEmptySum().SetIsMonotonic(true)
	histogram.SetName("histogram")
	histogram.SetEmptyHistogram()
	for _, model := range models {
		gauge.Gauge().DataPoints().AppendEmpty().Attributes().PutStr("model", model)
		dp := sum.Sum().DataPoints().AppendEmpty()
		dp.Attributes().PutStr("model", model)
		dp.Attributes().PutInt("position", int64(len(model)))
		histogram.Histogram().DataPoints().AppendEmpty().Attributes().PutStr("model", model)
	}
	return ms
}

func TestStaleness(t *testing.T) {
	s := newStaleness()
	mark := func(models ...string) pmetric.MetricSlice {
		ms := emission(models...)
		s.mark(ms, 7)
		return ms
	}
	assert.Equal(t, 3, mark("a", "bb").Len())
	assert.Equal(t, 3, mark("a", "bb").Len())

	ms := mark("bb")
	require.Equal(t, 6, ms.Len(), "a metric for each series that ended")
	for i := 3; i < 6; i++ {
		m := ms.At(i)
		switch m.Type() {
		case pmetric.MetricTypeGauge:
			assertEnded(t, "gauge", m.Name(), m.Gauge().DataPoints())
		case pmetric.MetricTypeSum:
			assertEnded(t, "sum", m.Name(), m.Sum().DataPoints())
			assert.Equal(t, "s", m.Unit())
			assert.True(t, m.Sum().IsMonotonic())
			assert.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
			assert.Equal(t, map[string]any{"model": "a", "position": int64(1)}, m.Sum().DataPoints().At(0).Attributes().AsRaw())
		case pmetric.MetricTypeHistogram:
			require.Equal(t, 1, m.Histogram().DataPoints().Len())
			dp := m.Histogram().DataPoints().At(0)
			assert.True(t, dp.Flags().NoRecordedValue())
			assert.Equal(t, map[string]any{"model": "a"}, dp.Attributes().AsRaw())
			assert.Equal(t, pmetric.AggregationTemporalityCumulative, m.Histogram().AggregationTemporality())
		default:
			assert.Fail(t, "unexpected type", m.Type().String())
		}
	}
	assert.Equal(t, 3, mark("bb").Len(), "it ends once")
	assert.Equal(t, 3, mark("a", "bb").Len(), "it may come back")
	assert.Equal(t, 9, mark().Len(), "and end again")
	assert.Empty(t, s.series, "nothing is remembered of what is gone")
}

func assertEnded(t *testing.T, want, name string, dps pmetric.NumberDataPointSlice) {
	t.Helper()
	assert.Equal(t, want, name)
	require.Equal(t, 1, dps.Len())
	assert.True(t, dps.At(0).Flags().NoRecordedValue())
	assert.EqualValues(t, 7, dps.At(0).Timestamp())
}

func TestStalenessAllocatesNothing(t *testing.T) {
	s := newStaleness()
	ms := emission("a", "bb", "ccc")
	s.mark(ms, 1)
	assert.Zero(t, testing.AllocsPerRun(100, func() { s.mark(ms, 2) }))
}

// lasting are the series that go on when the server is dead.
var lasting = []string{"llm.model.", "vllm.server.", "vllm.up", "vllm.scrape.error", "vllm.scrape.duration"}

func TestDeadServerEndsItsSeries(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
	v.Play(1, time.Hour, 2)
	faulty := &simulator.Faulty{Next: v.Handler(), AllPaths: true}
	p := newProbe(t, c, serve(t, faulty))
	alive := p.read(t)
	assert.Empty(t, alive.ended())

	faulty.Set(simulator.FaultDropConnection)
	dying := p.read(t)
	for key, r := range alive {
		goesOn := false
		for _, prefix := range lasting {
			goesOn = goesOn || strings.HasPrefix(r.metric, prefix)
		}
		require.Contains(t, dying, key)
		assert.Equal(t, !goesOn, dying[key].none, key)
	}
	dead := p.read(t)
	assert.Empty(t, dead.ended())
	assert.Equal(t, "unreachable", dead.state(t))

	faulty.Set(simulator.FaultNone)
	back := p.read(t)
	assert.Empty(t, back.ended())
	for key := range alive {
		assert.Contains(t, back, key)
	}
}

// TestVanishedSeriesEnds: a single series may go while the server lives.
func TestVanishedSeriesEnds(t *testing.T) {
	c := newClock()
	v := simulator.NewVLLM(simulator.VLLMConfig{Version: simulator.VLLM0_5_4, Now: c.now})
	v.Finish(simulator.VLLMRequest{PromptTokens: 10, OutputTokens: 2, Reason: simulator.ReasonLength})
	v.Finish(simulator.VLLMRequest{PromptTokens: 10, OutputTokens: 2})
	p := newProbe(t, c, serve(t, v.Handler()))
	p.read(t)
	v.Restart()
	v.Finish(simulator.VLLMRequest{PromptTokens: 10, OutputTokens: 2})
	got := p.read(t)
	assert.Equal(t, []string{"vllm.requests.finished{gen_ai.request.model=sim-8b,vllm.finish_reason=length}"}, got.ended())
	assert.Empty(t, p.read(t).ended())
}
