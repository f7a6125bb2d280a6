package vllmreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// TestErrorSeries: what was wrong goes to 0 when it is well again, instead of
// leaving the old value standing.
func TestErrorSeries(t *testing.T) {
	c := newClock()
	faulty := &simulator.Faulty{Next: simulator.NewVLLM(simulator.VLLMConfig{Now: c.now}).Handler()}
	p := newProbe(t, c, serve(t, faulty))
	assert.Empty(t, p.read(t).of("vllm.scrape.error"))
	for _, fault := range []simulator.Fault{simulator.FaultServerError, simulator.FaultHTML, simulator.FaultNone} {
		faulty.Set(fault)
		p.read(t)
	}
	got := p.read(t)
	assert.Empty(t, got.problem(t))
	assert.Zero(t, got.value(t, "vllm.scrape.error{error.type=500}"))
	assert.Zero(t, got.value(t, "vllm.scrape.error{error.type=not_metrics}"))
	assert.Empty(t, got.ended())
}

func TestTally(t *testing.T) {
	page := "vllm:num_requests_running 1\nvllm:new 1\nvllm:num_requests_waiting NaN\npython_info 1\n"
	got := readPage(t, page)
	assert.InDelta(t, len(page), got.value(t, "vllm.scrape.body.size"), 0)
	assert.InDelta(t, 3, got.value(t, "vllm.scrape.series"), 0)
	assert.InDelta(t, 1, got.value(t, "vllm.scrape.unknown_series"), 0)
	assert.InDelta(t, 1, got.value(t, "vllm.scrape.invalid_series"), 0)
}
