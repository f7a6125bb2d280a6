package vllmreceiver

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// lasting are the series that go on when the server is dead.
var lasting = []string{"vllm.model.info", "vllm.model.context_length", "vllm.server.", "vllm.up", "vllm.scrape.error"}

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
