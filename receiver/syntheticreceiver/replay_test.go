package syntheticreceiver

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
	"github.com/otelcol-llm/otelcol-llm/receiver/syntheticreceiver/internal/metadata"
)

var replayStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// replayed is what a replay handed on, by step.
type replayed struct {
	steps []time.Time
	all   []pmetric.Metrics
}

func (r *replayed) at(step int) map[string][]point { return pointsOf(r.all[step : step+1]) }

func play(t *testing.T, r *Replay) *replayed {
	t.Helper()
	got := &replayed{}
	if r.Config == nil {
		r.Config = createDefaultConfig().(*Config)
	}
	require.NoError(t, r.Run(t.Context(), receivertest.NewNopSettings(metadata.Type), func(_ context.Context, now time.Time, md pmetric.Metrics) error {
		got.steps, got.all = append(got.steps, now), append(got.all, md)
		return nil
	}))
	return got
}

// TestReplay: every source is read once in each step, and its points have the time of
// the step.
func TestReplay(t *testing.T) {
	const down = "vllm-qwen3-32b"
	r := &Replay{From: replayStart, To: replayStart.Add(3 * time.Hour), Step: 5 * time.Minute}
	r.Direct = func(w *site.World) {
		if w.Now().Equal(replayStart.Add(time.Hour)) {
			_, err := w.StartAnomaly(site.ModelDown, down, 90*time.Minute)
			require.NoError(t, err)
		}
	}
	got := play(t, r)
	require.Len(t, got.steps, 36)
	for i, now := range got.steps {
		assert.Equal(t, replayStart.Add(time.Duration(i)*5*time.Minute), now)
		assert.Equal(t, []time.Time{now}, timesOf(got.all[i]))
		p := got.at(i)
		for _, name := range []string{
			"system.cpu.utilization", "container.cpu.usage.total", "container.state", "hw.power", "hw.gpu.sm.activity", "llm.model.gpu",
			"vllm.model.info", "litellm.deployment.price", "langfuse.up",
		} {
			assert.NotEmpty(t, p[name], "%s in step %d", name, i)
		}
		assert.Len(t, p["vllm.up"], 10, "each server once, in step %d", i)
		up, _ := last(p["vllm.up"], "service.instance.id", down)
		exited, _ := last(p["container.state"], "container.name", down, "container.state", "exited")
		is := 0.0
		if i > 12 && i < 30 {
			is = 1
		}
		assert.Equal(t, is, exited, "the container at step %d", i)
		if is == 1 {
			assert.Zero(t, up, "the server in step %d", i)
		}
		age, ok := last(p["container.uptime"], "container.name", "litellm")
		assert.True(t, ok)
		since, _ := last(p["container.started.time"], "container.name", "litellm")
		assert.InDelta(t, float64(now.Unix())-since, age, 5, "by the clock of the site")
	}
	end := got.at(35)
	up, _ := last(end["vllm.up"], "service.instance.id", down)
	assert.Equal(t, 1.0, up, "it is back")
	before, _ := last(got.at(10)["litellm.tokens.input"], "gen_ai.request.model", "coder")
	after, _ := last(end["litellm.tokens.input"], "gen_ai.request.model", "coder")
	assert.Greater(t, after, before)
	traces, ok := last(end["langfuse.traces"])
	assert.True(t, ok, "the windows of Langfuse are read by the clock of the site")
	assert.InDelta(t, 170*60/60*15, traces, 1500, "those of about three hours")
}

// timesOf are the times of the points.
func timesOf(md pmetric.Metrics) []time.Time {
	seen := map[time.Time]bool{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					for _, dp := range m.Gauge().DataPoints().All() {
						seen[dp.Timestamp().AsTime()] = true
					}
				case pmetric.MetricTypeSum:
					for _, dp := range m.Sum().DataPoints().All() {
						seen[dp.Timestamp().AsTime()] = true
					}
				case pmetric.MetricTypeHistogram:
					for _, dp := range m.Histogram().DataPoints().All() {
						seen[dp.Timestamp().AsTime()] = true
					}
				default:
				}
			}
		}
	}
	return slices.Collect(maps.Keys(seen))
}

// TestReplayStops: an error of who takes the metrics ends it.
func TestReplayStops(t *testing.T) {
	full := errors.New("full")
	r := &Replay{Config: createDefaultConfig().(*Config), From: replayStart, To: replayStart.Add(time.Hour), Step: time.Minute}
	steps := 0
	err := r.Run(t.Context(), receivertest.NewNopSettings(metadata.Type), func(context.Context, time.Time, pmetric.Metrics) error {
		steps++
		return full
	})
	assert.ErrorIs(t, err, full)
	assert.Equal(t, 1, steps)
}
