package modelcatalogconnector

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"

	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadata"
)

// TestInTurn: with another clock than the machine's the catalog is emitted after what
// comes, once the interval is over by that clock.
func TestInTurn(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	cfg := createDefaultConfig().(*Config)
	out := &sink{}
	c, err := NewFactoryAt(func() time.Time { return now }).CreateMetricsToMetrics(t.Context(), connectortest.NewNopSettings(metadata.Type), cfg, out)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
	feed := func(model string) {
		b := newBatch()
		serves(b.vllm(model, 8000), model, "")
		require.NoError(t, c.ConsumeMetrics(t.Context(), b.md))
	}
	feed("a")
	require.Len(t, out.all(), 1, "the first at once")
	assert.Contains(t, out.all()[0].of("llm.model.info"), "a")
	now = now.Add(cfg.Interval - time.Second)
	feed("b")
	require.Len(t, out.all(), 1, "not yet")
	now = now.Add(time.Second)
	feed("b")
	require.Len(t, out.all(), 2)
	assert.Contains(t, out.all()[1].of("llm.model.info"), "b", "with what came last")
	require.NoError(t, c.Shutdown(t.Context()))
	assert.Len(t, out.all(), 2, "nothing more")
}
