package langfusereceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver/internal/metadata"
)

// TestInTurn: with another clock than the machine's each scrape reads all that is due
// by that clock, at once.
func TestInTurn(t *testing.T) {
	const traces = "langfuse.traces"
	now := noon
	b := newBench(t, simulator.LangfuseConfig{Now: func() time.Time { return now }}, noStorage, func(cfg *Config) { cfg.IngestionDelay = 0 })
	b.langfuseScraper = newScraper(b.config(t), receivertest.NewNopSettings(metadata.Type))
	b.board.clock, b.inTurn = func() time.Time { return now }, true
	require.NoError(t, b.start(t.Context(), b.host()))
	defer b.down(t)
	read := func() readings {
		md, err := b.scrape(t.Context())
		require.NoError(t, err)
		return readingsOf(t, md)
	}
	assert.Equal(t, 1.0, read().value(t, "langfuse.up"))
	for hour := range 24 {
		b.sim.Add(simulator.LangfuseObservation{Start: noon.Add(time.Duration(hour) * time.Hour)})
	}
	now = noon.Add(12 * time.Hour)
	assert.Equal(t, 12.0, read().value(t, traces), "a half day of windows in one scrape")
	b.wire.connect(nil)
	now = noon.Add(13 * time.Hour)
	got := read()
	assert.Equal(t, 0.0, got.value(t, "langfuse.up"))
	assert.Equal(t, 12.0, got.value(t, traces))
	b.wire.connect(b.sim.Handler())
	now = noon.Add(24 * time.Hour)
	read()
	assert.Equal(t, 24.0, read().value(t, traces), "once the server is well again")
}

// TestFactoryAt: the receiver of another clock dates its points by it.
func TestFactoryAt(t *testing.T) {
	b := newBench(t, simulator.LangfuseConfig{Now: func() time.Time { return noon }}, noStorage)
	cfg := b.config(t)
	cfg.InitialDelay = 0
	sink := new(consumertest.MetricsSink)
	r, err := NewFactoryAt(func() time.Time { return noon }).CreateMetrics(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), b.host()))
	require.Eventually(t, func() bool { return sink.DataPointCount() > 0 }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, r.Shutdown(t.Context()))
	var up pmetric.Metric
	for _, m := range sink.AllMetrics()[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		if m.Name() == "langfuse.up" {
			up = m
		}
	}
	assert.Equal(t, noon, up.Gauge().DataPoints().At(0).Timestamp().AsTime())
}
